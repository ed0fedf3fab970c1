"""Surfaces of objects, as the browser gets them."""

from __future__ import annotations

import json
import struct
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from bioimageio_core.viewing import surfaces
from bioimageio_core.viewing.layers import layers_of
from bioimageio_core.viewing.neuroglancer_viewer import view_in_neuroglancer
from bioimageio_core.viewing.surfaces import labels_for_surfaces

pytest.importorskip("neuroglancer")
SIZE = (2.0, 0.5, 0.25)
"""Size of a pixel along z, y and x, in micrometres."""


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """An object of 8 x 16 x 24 pixels in a volume with two levels."""
    pixels = np.zeros((32, 48, 64), np.uint16)
    pixels[4:12, 8:24, 16:40] = 5
    group = zarr.create_group(str(tmp_path / "labels.zarr"))
    datasets = []
    for n in range(2):
        group.create_array(str(n), data=pixels[:: 1 << n, :: 1 << n, :: 1 << n], chunks=(16, 16, 16))
        scale = {"type": "scale", "scale": [size * 2**n for size in SIZE]}
        datasets.append({"path": str(n), "coordinateTransformations": [scale]})
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}], "image-label": {"version": "0.5"}}
    return tmp_path / "labels.zarr"


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return bytes(answer.read())


def state(url: str) -> Any:
    with urllib.request.urlopen(url.replace("/v/", "/events/").rstrip("/") + "?c=test&gc=none&gs=none", timeout=20) as answer:
        lines = (answer.readline().decode() for _ in range(20))
        return next(found for line in lines if line.startswith("data: ") and (found := json.loads(line[6:]))["k"] == "s")["s"]


@pytest.mark.parametrize(("most", "level"), [(2**24, 0), (32 * 48 * 64 - 1, 1)])
def test_place_and_size(labels: Path, monkeypatch: pytest.MonkeyPatch, most: int, level: int) -> None:
    """A surface lies around its object, whichever level it is made from, in metres."""
    monkeypatch.setattr(surfaces, "MOST_PIXELS_OF_SURFACES", most)
    (layer,) = layers_of(labels)
    coarse = labels_for_surfaces(layer)
    assert coarse is not None
    assert coarse.level == level
    with view_in_neuroglancer([layer]) as shown:
        source = state(shown.url)["layers"][0]["source"][1]
        assert source["subsources"] == {"meshes": True}
        base = shown.url.partition("/v/")[0]
        mesh = get(f"{base}/neuroglancer/mesh/{source['url'].rpartition('/')[2]}/5")
        info = json.loads(get(f"{base}/neuroglancer/info/{source['url'].rpartition('/')[2]}"))
        with pytest.raises(urllib.error.HTTPError) as missing:
            get(f"{base}/neuroglancer/mesh/{source['url'].rpartition('/')[2]}/6")
    assert missing.value.code == 404
    (count,) = struct.unpack("<I", mesh[:4])
    vertices = np.frombuffer(mesh, "<f4", count * 3, 4).reshape(-1, 3)
    pixels = vertices / (np.array(SIZE[::-1]) * 1e-6)
    np.testing.assert_allclose(pixels.min(axis=0), [16, 8, 4], atol=1.5 * 2**level)
    np.testing.assert_allclose(pixels.max(axis=0), [40, 24, 12], atol=1.5 * 2**level)
    scales = [scale for scale, _ in info["coordinateSpace"].values()]
    np.testing.assert_allclose(scales, np.array(SIZE[::-1]) * 1e-6 * 2**level)
    assert info["voxelOffset"] == [0, 0, 0]


def test_without() -> None:
    """Images, planes, time and volumes without a small level have none; nothing is read to know that."""
    zeros = np.zeros((2, 3, 4), np.uint8)

    class Large:
        shape, dtype = (10_000, 10_000, 10_000), np.dtype("uint32")

        def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
            raise AssertionError

    (image,), (plane,) = layers_of(zeros, axes="zyx"), layers_of(labels=zeros[0], axes="yx")
    (time,), (large,) = layers_of(labels=zeros, axes="tyx"), layers_of(labels=Large(), axes="zyx")
    assert [labels_for_surfaces(layer) for layer in (image, plane, time, large)] == [None] * 4
