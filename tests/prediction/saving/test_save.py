"""Predictions and arrays are saved as runs write them, and are read back with what is known of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

import bioimageio_core as bc
from bioimageio_core import LabelledArray
from bioimageio_core.errors import OutputError
from bioimageio_core.io import open_image
from bioimageio_core.prediction.output.result import Prediction

ROUND_TRIPS = [
    ("r.zarr", ("channel", "y", "x")),
    ("r.ome.tif", ("channel", "y", "x")),
    ("r.npy", None),
    ("deep/r.ome.zarr", ("channel", "y", "x")),
]


def made(shape: tuple[int, ...] = (2, 600, 700), axes: tuple[str, ...] = ("channel", "y", "x")) -> LabelledArray:
    """Return an array with names and sizes of all kinds."""
    pixels = np.random.default_rng(1).random(shape, dtype=np.float32)
    sizes = {axis: (0.5, "micrometer") for axis in axes if axis in "zyx"}
    names = ("inside", "border") if "channel" in axes else None
    return LabelledArray(pixels, axes, channel_names=names, pixel_size=sizes, name="prob")


def prediction(**outputs: LabelledArray) -> Prediction:
    """Return a prediction with outputs."""
    return Prediction(outputs, plan=None, statistics={}, times={}, nan_counts={})


class TestArray:
    """One array."""

    @pytest.mark.parametrize(("name", "axes"), ROUND_TRIPS)
    def test_read_back(self, tmp_path: Path, name: str, axes: tuple[str, ...] | None) -> None:
        """Pixels, axes, pixel sizes and names of channels, as far as the format has them."""
        if name.endswith(".tif"):
            pytest.importorskip("tifffile", reason="tifffile is not installed")
        array = made()
        array.save(tmp_path / name)
        image = open_image(tmp_path / name)
        assert image.axes == axes
        np.testing.assert_array_equal(image.read(tuple(slice(0, n) for n in image.shape)), array.values)
        if axes is not None:
            assert image.channel_names == ("inside", "border")
            assert {axis: image.pixel_size[axis] for axis in "yx"} == dict.fromkeys("yx", (0.5, "micrometer"))

    def test_levels(self, tmp_path: Path) -> None:
        """Coarser ones are means, and the nearest pixel of labels."""
        array = made((600, 1300), ("y", "x"))
        array.save(tmp_path / "r.zarr")
        LabelledArray((array.values * 9).astype("uint16"), ("y", "x"), labels=True, name="cells").save(tmp_path / "l.zarr")
        group, labels = zarr.open_group(tmp_path / "r.zarr", mode="r"), zarr.open_group(tmp_path / "l.zarr", mode="r")
        means = array.values.reshape(300, 2, 650, 2).mean(axis=(1, 3), dtype="f8")
        np.testing.assert_allclose(np.asarray(group["1"]), means, rtol=1e-6)
        np.testing.assert_array_equal(np.asarray(labels["2"]), np.asarray(labels["0"])[::4, ::4])
        assert sorted(group.array_keys()) == ["0", "1", "2", "3"]

    def test_lazy_part_over_its_own_source(self, tmp_path: Path) -> None:
        """What is read is replaced only when the new one is complete."""
        array = made()
        array.save(tmp_path / "r.zarr")
        stored = LabelledArray(zarr.open_array(tmp_path / "r.zarr" / "0", mode="r"), array.axes, name="prob")
        (stored.isel(channel=1) * 2).save(tmp_path / "r.zarr", overwrite=True)
        image = open_image(tmp_path / "r.zarr")
        np.testing.assert_array_equal(image.read((slice(0, 600), slice(0, 700))), array.values[1] * 2)
        assert [path.name for path in tmp_path.iterdir()] == ["r.zarr"]

    def test_axes_without_an_image(self, tmp_path: Path) -> None:
        """They are plain zarr; a file refuses them with the remedy."""
        array = made((2, 3, 40, 50), ("batch", "channel", "y", "x"))
        array = LabelledArray(array.data, array.axes, name="prob")
        array.save(tmp_path / "r.zarr")
        np.testing.assert_array_equal(np.asarray(zarr.open_group(tmp_path / "r.zarr", mode="r")["prob"]), array.values)
        with pytest.raises(OutputError, match="name a zarr folder"):
            array.save(tmp_path / "r.npy")

    @pytest.mark.parametrize("name", ["r.zarr", "r.npy"])
    def test_existing(self, tmp_path: Path, name: str) -> None:
        """Nothing is replaced unasked."""
        made().save(tmp_path / name)
        with pytest.raises(OutputError, match=r"exists: give overwrite=True or another name"):
            made().save(tmp_path / name)
        (made() * 2).save(tmp_path / name, overwrite=True)
        assert open_image(tmp_path / name).read((slice(0, 1),) * 3) == made().values[0, 0, 0] * 2

    def test_unknown_ending(self, tmp_path: Path) -> None:
        """As of outputs of runs."""
        with pytest.raises(OutputError, match=r"an unknown ending: expected a name that ends in \.zarr"):
            made().save(tmp_path / "r.tiffany")
        assert not list(tmp_path.iterdir())


class TestPrediction:
    """All outputs."""

    def test_several(self, tmp_path: Path) -> None:
        """Images in one folder, or a file each."""
        both = prediction(prob=made(), cells=LabelledArray(np.ones((600, 700), "uint8"), ("y", "x"), labels=True))
        both.save(tmp_path / "r.zarr")
        assert open_image(tmp_path / "r.zarr" / "cells").shape == (600, 700)
        assert open_image(tmp_path / "r.zarr" / "prob").channel_names == ("inside", "border")
        both.save(tmp_path / "{output}.npy")
        assert sorted(path.name for path in tmp_path.glob("*.npy")) == ["cells.npy", "prob.npy"]
        with pytest.raises(OutputError, match=r"expected \{output\} in the name"):
            both.save(tmp_path / "r.npy")

    def test_as_a_run_writes_it(self, tmp_path: Path) -> None:
        """The same image comes from a run with this output, and from a saved prediction in memory."""
        pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
        model, image = bc.example_model(), bc.example_image(tmp_path / "cells.ome.zarr")
        bc.predict(model, image, tmp_path / "run.zarr")
        bc.predict(model, image).save(tmp_path / "saved.zarr")
        found, expected = open_image(tmp_path / "saved.zarr"), open_image(tmp_path / "run.zarr")
        for name in ("axes", "shape", "dtype", "channel_names", "pixel_size", "position"):
            assert getattr(found, name) == getattr(expected, name), name
        everything = tuple(slice(0, n) for n in found.shape)
        np.testing.assert_allclose(found.read(everything), expected.read(everything), rtol=1e-5, atol=1e-6)
