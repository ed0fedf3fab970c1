"""Storage of outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.prediction.planning.plan_json import plan_as_dict


def ramp() -> np.ndarray:
    """Return values from -0.5 to 1.5, and NaN."""
    values = np.linspace(-0.5, 1.5, 64, dtype=np.float32).reshape(8, 8)
    values[3, 3] = np.nan
    return values


class TestDtype:
    """Storage dtypes that differ from the described one."""

    @pytest.mark.parametrize("stored", [None, "o.zarr"])
    def test_eight_bits(self, tmp_path: Path, stored: str | None) -> None:
        """0 to 1 becomes 0 to 255, rounded; values outside are clipped, NaN is 0; attributes have the scaling."""
        (tmp_path / "model").mkdir()
        image = ramp()
        output = None if stored is None else tmp_path / stored
        found = bc.predict(pointwise_model(tmp_path / "model"), image, output, dtype="uint8")["out"]
        expected = np.clip(np.rint(np.nan_to_num(image.astype(np.float64)) * 255), 0, 255).astype("uint8")
        expected[3, 3] = 0
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(np.asarray(found)[0, 0], expected)
        if output is not None:
            attributes = zarr.open_group(str(output), mode="r")["0"].attrs
            assert attributes["scale_factor"] == 1 / 255
            assert attributes["add_offset"] == 0

    def test_range(self, tmp_path: Path) -> None:
        """-1 to 1 on 16 bits: half a step is the greatest error."""
        image = np.random.default_rng(0).uniform(-1, 1, (20, 20)).astype(np.float32)
        found = bc.predict(pointwise_model(tmp_path), image, dtype="uint16", value_range=(-1, 1))
        values = np.asarray(found["out"])[0, 0] * (2 / 65535) - 1
        assert np.abs(values - image).max() <= 1.01 / 65535
        assert plan_as_dict(found.plan)["outputs"]["out"]["stored_as"] == {"dtype": "uint16", "scale_factor": 2 / 65535, "add_offset": -1.0}

    def test_floats_and_labels(self, tmp_path: Path) -> None:
        """Half precision is a cast; labels keep their numbers, and a label that does not fit is an error."""
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        image = np.arange(400, dtype=np.float32).reshape(20, 20)
        half = bc.predict(pointwise_model(tmp_path / "a"), image, dtype={"out": "float16"})["out"]
        np.testing.assert_array_equal(np.asarray(half)[0, 0], image.astype("float16"))
        labels = pointwise_model(tmp_path / "b", out_dtype="int64", post=[{"id": "ensure_dtype", "kwargs": {"dtype": "int64"}}])
        np.testing.assert_array_equal(np.asarray(bc.predict(labels, image, dtype="uint16")["out"])[0, 0], image)
        with pytest.raises(InputError, match="values from 0 to 399, which do not fit dtype uint8"):
            bc.predict(labels, image, dtype="uint8")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"dtype": "uint7"}, "is 'uint7': expected an integer or floating point type"),
            ({"dtype": "complex64"}, "is 'complex64': expected an integer"),
            ({"dtype": "uint8", "value_range": (1, 1)}, "expected a lower and a higher number"),
        ],
    )
    def test_refused(self, tmp_path: Path, options: dict[str, Any], message: str) -> None:
        """Invalid dtypes are refused before anything is computed."""
        with pytest.raises(InputError, match=message):
            bc.predict(pointwise_model(tmp_path), ramp(), **options)


class TestLayout:
    """Chunks, shards, compression."""

    def test_shards(self, tmp_path: Path) -> None:
        """Several chunks in a file, written at once, with the same pixels."""
        (tmp_path / "model").mkdir()
        model = pointwise_model(tmp_path / "model", size={"min": 4, "step": 4}, gain=3.0)
        image = np.random.default_rng(0).random((100, 130), dtype=np.float32)
        options: dict[str, Any] = {
            "shards": {"y": 64, "x": 64},
            "chunks": {"y": 16, "x": 32},
            "block": {"y": 32, "x": 32},
            "codec": "blosc:1",
            "pyramid": False,
        }
        bc.predict(model, image, tmp_path / "o.zarr", **options)
        array = zarr.open_group(str(tmp_path / "o.zarr"), mode="r")["0"]
        assert (array.shards[-2:], array.chunks[-2:]) == ((64, 64), (16, 32))
        np.testing.assert_array_equal(array[0], image * np.float32(3))
        assert len([f for f in (tmp_path / "o.zarr" / "0" / "c").rglob("*") if f.is_file()]) == 2 * 3

    def test_no_whole_chunks(self, tmp_path: Path) -> None:
        """A shard is a multiple of the chunks."""
        with pytest.raises(InputError, match=r"shards of 64 pixels along axis 'y' .*chunks of 24"):
            bc.predict(pointwise_model(tmp_path), ramp(), shards={"y": 64}, chunks={"y": 24})
