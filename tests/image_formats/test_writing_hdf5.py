"""HDF5 files, as h5py reads them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from written_images import image_to_write

from bioimageio_core.image_formats.writers import hdf5, regions
from bioimageio_core.image_formats.writers.hdf5 import Hdf5Writer
from bioimageio_core.io import ImageWriter, open_image

AXES = ("time", "channel", "z", "y", "x")


def written(path: Path, array: NDArray[Any], axes: tuple[str, ...], **more: Any) -> Path:
    """Write a file, and check that each pixel was read once."""
    image, read = image_to_write(array, axes, **more)
    Hdf5Writer().check(image)
    Hdf5Writer().write(image, read, path)
    assert np.all(read.counts[0] == 1)
    return path


class TestPixels:
    """What h5py finds."""

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_any_array(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Whatever axes, dtype, chunks and size of regions."""
        axes = (*(a for a in AXES[:4] if data.draw(st.booleans())), "x")
        shape = tuple(data.draw(st.integers(1, 9)) for _ in axes)
        chunks = tuple(data.draw(st.integers(1, 9)) for _ in axes)
        dtype = data.draw(st.sampled_from(["uint8", "int16", "int64", "uint64", "float16", "float32", "float64"]))
        array = data.draw(arrays(dtype, shape, elements={"allow_nan": False} if dtype.startswith("f") else None))
        path = tmp_path_factory.mktemp("any") / "a.h5"
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(regions, "BUDGET", data.draw(st.integers(1, 500)))
            patched.setattr(hdf5, "LARGEST_CHUNK", data.draw(st.integers(8, 2000)))
            written(path, array, axes, chunks=chunks)
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file["exported_data"][()], array, strict=True)

    @pytest.mark.parametrize("fast", [True, False])
    def test_storage(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
        """One dataset with the chunks of the image, compressed with what every reader has, also where imagecodecs is not installed."""
        if not fast:
            monkeypatch.setitem(sys.modules, "imagecodecs", None)
        array = np.zeros((3, 100, 120), np.float32)
        with h5py.File(written(tmp_path / "a.h5", array, ("channel", "y", "x"), chunks=(1, 64, 64))) as file:
            assert list(file) == ["exported_data"]
            dataset = file["exported_data"]
            assert (dataset.chunks, dataset.compression, dataset.shuffle) == ((1, 64, 64), "gzip", True)
            assert dataset.id.get_storage_size() < array.nbytes / 20
            np.testing.assert_array_equal(dataset[()], array)

    def test_large_chunks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Chunks that readers could not hold are halved."""
        monkeypatch.setattr(hdf5, "LARGEST_CHUNK", 2000)
        array = np.arange(101 * 60, dtype=np.uint16).reshape(101, 60)
        with h5py.File(written(tmp_path / "a.h5", array, ("y", "x"))) as file:
            assert file["exported_data"].chunks == (26, 30)  # 101 x 60, 51 x 60, 51 x 30, 26 x 30 with 1560 bytes
            np.testing.assert_array_equal(file["exported_data"][()], array)

    def test_masks(self, tmp_path: Path) -> None:
        """Masks are bytes of 0 and 255, since few readers know booleans."""
        with h5py.File(written(tmp_path / "a.h5", np.array([[True, False]]), ("y", "x"))) as file:
            np.testing.assert_array_equal(file["exported_data"][()], np.array([[255, 0]], np.uint8), strict=True)

    def test_empty(self) -> None:
        """There is nothing to compress."""
        with pytest.raises(ValueError, match="at least one pixel"):
            Hdf5Writer().check(image_to_write(np.zeros((0, 3), np.uint8), ("y", "x"))[0])


class TestAttributes:
    """What ilastik and Fiji read."""

    def test_all(self, tmp_path: Path) -> None:
        """Axes with types and resolutions, the size of voxels in micrometres, and what else is known."""
        path = written(
            tmp_path / "a.h5",
            np.zeros((2, 3, 4, 5, 6), np.uint8),
            AXES,
            pixel_size={"x": (500.0, "nanometer"), "y": (0.25, "micrometer"), "z": (0.002, "millimeter"), "time": (2.0, "second")},
            position={"x": 1.5},
            channel_names=("α", "b", "c"),
            record={"model": "affable-shark", "blocks": [1, 2]},
        )
        with h5py.File(path) as file:
            found = file["exported_data"].attrs
            assert [dim.label for dim in file["exported_data"].dims] == ["t", "c", "z", "y", "x"]
            assert json.loads(found["axistags"])["axes"] == [
                {"key": "t", "typeFlags": 8, "resolution": 2.0, "description": "second"},
                {"key": "c", "typeFlags": 1, "resolution": 0.0, "description": ""},
                {"key": "z", "typeFlags": 2, "resolution": 0.002, "description": "millimeter"},
                {"key": "y", "typeFlags": 2, "resolution": 0.25, "description": "micrometer"},
                {"key": "x", "typeFlags": 2, "resolution": 500.0, "description": "nanometer"},
            ]
            np.testing.assert_allclose(found["element_size_um"], [2.0, 0.25, 0.5])
            assert json.loads(found["channel_names"]) == ["α", "b", "c"]
            assert json.loads(found["position"]) == {"x": 1.5}
            assert json.loads(found["record"]) == {"model": "affable-shark", "blocks": [1, 2]}

    def test_read_back(self, tmp_path: Path) -> None:
        """All that is written is read back, each size in its own unit, which the position is in."""
        known = {
            "pixel_size": {"x": (500.0, "nanometer"), "y": (0.25, "micrometer"), "time": (2.0, "second")},
            "position": {"x": 1.5, "y": -0.5},
            "channel_names": ("α", "b", "c"),
        }
        image = open_image(written(tmp_path / "a.h5", np.zeros((2, 3, 5, 6), np.uint8), ("time", "channel", "y", "x"), **known))
        assert {name: getattr(image, name) for name in known} == known

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("channel_names", "{"),
            ("channel_names", "[1, 2]"),
            ("channel_names", '["a"]'),
            ("position", "[1]"),
            ("position", '{"y": "a", "q": 1}'),
        ],
    )
    def test_damaged(self, tmp_path: Path, name: str, value: str) -> None:
        """Names and positions that cannot be read count as absent."""
        path = written(tmp_path / "a.h5", np.zeros((2, 5, 6), np.uint8), ("channel", "y", "x"), pixel_size={"y": (1.0, "micrometer")})
        with h5py.File(path, "r+") as file:
            file["exported_data"].attrs[name] = value
        image = open_image(path)
        assert (image.channel_names, dict(image.position)) == (None, {})

    def test_little_known(self, tmp_path: Path) -> None:
        """Two axes of space are the last two of three; no size is made up."""
        sizes = {"x": (0.5, "micrometer"), "y": (0.25, "micrometer")}
        with h5py.File(written(tmp_path / "a.h5", np.zeros((3, 3), np.uint8), ("y", "x"), pixel_size=sizes)) as file:
            np.testing.assert_allclose(file["exported_data"].attrs["element_size_um"], [1.0, 0.25, 0.5])
        with h5py.File(written(tmp_path / "b.h5", np.zeros((3, 3), np.uint8), ("y", "x"), pixel_size={"x": (0.5, None)})) as file:
            assert sorted(file["exported_data"].attrs) == ["DIMENSION_LABELS", "axistags"]

    def test_long_record(self, tmp_path: Path) -> None:
        """A record may be long, although attributes of old versions of HDF5 end at 64 KiB."""
        record = {"model": "m" * 200_000}
        with h5py.File(written(tmp_path / "a.h5", np.zeros((3, 3), np.uint8), ("y", "x"), record=record)) as file:
            assert json.loads(file["exported_data"].attrs["record"]) == record


def test_protocol() -> None:
    """It is a writer."""
    assert isinstance(Hdf5Writer(), ImageWriter)
