"""Layers as napari takes them; the session `napari` of nox shows them in napari."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from ome_images import write_image

import bioimageio_core as bc
from bioimageio_core.labelled_arrays import LabelledArray

RANDOM = np.random.default_rng(0)


def pyramid(path: Path, levels: list[np.ndarray]) -> Path:
    """Write an OME-Zarr image of half a micrometre per pixel, with levels."""
    group = zarr.create_group(str(path))
    datasets = []
    for n, level in enumerate(levels):
        group.create_array(str(n), data=level, chunks=(32, 32))
        datasets.append({"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [0.5 * 2**n] * 2}]})
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}
    return path


def test_levels(tmp_path: Path) -> None:
    """A list of dask arrays, cut as the image is stored, the finest first."""
    levels = [RANDOM.integers(0, 99, (128 >> n, 96 >> n), np.uint8) for n in range(3)]
    ((data, attributes, kind),) = bc.layers(pyramid(tmp_path / "cells.zarr", levels))
    assert (kind, attributes["name"], attributes["scale"], attributes["units"]) == ("image", "cells", [0.5, 0.5], ["micrometer"] * 2)
    assert [type(level) for level in data] == [da.Array] * 3
    assert data[0].chunksize == (32, 32)
    for found, expected in zip(data, levels, strict=True):
        np.testing.assert_array_equal(found.compute(), expected)


def test_channels() -> None:
    """Each channel is a layer with its name, colour and contrast; what is over the first adds to it."""
    pixels = RANDOM.integers(0, 999, (2, 5, 16, 12), np.uint16)
    found = bc.layers(pixels, axes="czyx")
    assert [(attributes["name"], kind) for _, attributes, kind in found] == [("array 0", "image"), ("array 1", "image")]
    assert [attributes["blending"] for _, attributes, _ in found] == ["translucent", "additive"]
    for n, (data, attributes, _) in enumerate(found):
        np.testing.assert_array_equal(data.compute(), pixels[n])
        np.testing.assert_allclose(attributes["contrast_limits"], np.percentile(pixels[n, [1, 2, 3]], [0.5, 99.5]))


def test_many_channels() -> None:
    """Many channels, and those of labels, are an axis."""
    pixels = RANDOM.integers(0, 9, (20, 16, 12), np.uint8)
    image, labels = bc.layers(pixels, labels=pixels[:2], axes="cyx")
    assert (image[0].shape, labels[0].shape) == ((20, 16, 12), (2, 16, 12))
    assert image[1]["axis_metadata"] == ["channel", "y", "x"]


def test_pictures(tmp_path: Path) -> None:
    """Colours of pictures are one layer, without their transparency."""
    pillow = pytest.importorskip("PIL.Image")
    pixels = RANDOM.integers(50, 90, (20, 30, 4), np.uint8)
    pillow.fromarray(pixels).save(tmp_path / "cells.png")
    ((data, attributes, kind),) = bc.layers(tmp_path / "cells.png")
    assert (kind, attributes["rgb"], attributes["axis_metadata"]) == ("image", True, ["y", "x"])
    np.testing.assert_array_equal(data.compute(), pixels[..., :3])


def test_axes_of_all() -> None:
    """All layers have the same axes, so that napari aligns them; one that a layer lacks has one pixel."""
    pixels, labels = RANDOM.random((3, 4, 16, 12)), RANDOM.integers(0, 5, (3, 16, 12))
    image, objects = bc.layers(LabelledArray(pixels, ("time", "z", "y", "x")), labels=LabelledArray(labels, ("time", "y", "x")))
    assert image[0].shape == (3, 4, 16, 12)
    assert objects[0].shape == (3, 1, 16, 12)
    assert image[1]["axis_metadata"] == objects[1]["axis_metadata"] == ["time", "z", "y", "x"]
    assert objects[2] == "labels"


def test_table() -> None:
    """Columns are features of the labels, by their number."""
    table: dict[str, Any] = {"id": np.array([1, 3]), "pixels": np.array([5, 6])}
    *_, (_, attributes, kind) = bc.layers(np.zeros((4, 4)), labels=np.eye(4, dtype=np.uint8), table=table, axes="yx")
    assert kind == "labels"
    assert {name: list(column) for name, column in attributes["features"].items()} == {"index": [1, 3], "pixels": [5, 6]}


def test_position(tmp_path: Path) -> None:
    """Labels without a pixel size lie on their image."""
    image, labels = bc.layers(write_image(tmp_path / "cells.zarr", np.zeros((40, 60)), "0.5"), labels=np.zeros((40, 60), int), axes="yx")
    assert image[1]["translate"] == labels[1]["translate"] == [10.0, 20.0]
    assert image[1]["scale"] == labels[1]["scale"] == [0.5, 0.25]


@pytest.mark.filterwarnings("ignore::bioimageio_core.errors.PredictionWarning")
def test_nothing_is_read() -> None:
    """Of a large image, until napari asks; then what it asks for, a part at a time."""
    read: list[tuple[int, ...]] = []

    class Large:
        shape, dtype = (100_000, 100_000), np.dtype("uint8")

        def __getitem__(self, index: tuple[slice, ...]) -> np.ndarray:
            read.append(tuple(s.stop - s.start for s in index))
            return np.zeros(read[-1], np.uint8)

    ((data, _, _),) = bc.layers(Large())
    read.clear()
    assert [level.shape for level in data] == [(-(-100_000 // 2**n),) * 2 for n in range(7)]
    assert not read
    assert data[0][5000:5100, 7000:7100].compute().shape == (100, 100)
    assert sum(map(np.prod, read)) <= 4 * 2**20
    read.clear()
    assert data[5][:100, :100].compute().shape == (100, 100)
    assert 0 < max(map(np.prod, read)) <= 2**22
    assert sum(map(np.prod, read)) <= 25 * 2**20


class TestAddedLevels:
    """Of images whose coarsest level is too large for napari."""

    def test_of_image_and_labels(self) -> None:
        """Halves along y and x: means of images, and first pixels of labels, whatever their axes and type."""
        pixels = RANDOM.random((2, 3, 40, 5001)).astype(np.float64)
        numbers = RANDOM.integers(0, 9, (3, 40, 5001), np.int64)
        *images, labels = bc.layers(pixels, labels=LabelledArray(numbers, ("z", "y", "x")), axes="czyx")
        for channel, (levels, _, _) in enumerate(images):
            fine, coarse, _ = levels
            assert (fine.dtype, coarse.dtype, coarse.shape) == (np.float64, np.float64, (3, 20, 2501))
            cells = np.pad(pixels[channel], [(0, 0), (0, 0), (0, 1)], mode="edge").reshape(3, 20, 2, 2501, 2)
            np.testing.assert_allclose(coarse.compute(), cells.mean(axis=(2, 4)), rtol=1e-6)
        _, coarse, coarser = labels[0]
        assert coarse.dtype == np.int64
        np.testing.assert_array_equal(coarse.compute(), numbers[:, ::2, ::2])
        np.testing.assert_array_equal(coarser.compute(), numbers[:, ::4, ::4])

    def test_after_those_of_the_file(self, tmp_path: Path) -> None:
        """They are read from the coarsest level of the file."""
        levels = [np.full((20_000 >> n, 8), n, np.uint8) for n in range(2)]
        ((data, _, _),) = bc.layers(pyramid(tmp_path / "tall.zarr", [levels[0], levels[1][:, ::2]]))
        assert [level.shape for level in data] == [(20_000, 8), (10_000, 4), (5_000, 2), (2_500, 1), (1_250, 1)]
        assert [int(level.max().compute()) for level in data] == [0, 1, 1, 1, 1]

    def test_pictures(self, tmp_path: Path) -> None:
        """Colours stay together."""
        pillow = pytest.importorskip("PIL.Image")
        pillow.fromarray(RANDOM.integers(0, 255, (10, 4100, 3), np.uint8)).save(tmp_path / "wide.png")
        ((data, attributes, _),) = bc.layers(tmp_path / "wide.png")
        assert attributes["rgb"]
        assert [level.shape for level in data] == [(10, 4100, 3), (5, 2050, 3), (3, 1025, 3)]
