"""Integers that stand for other values by a scale and an offset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import pointwise_model
from xarray_images import to_zarr

import bioimageio_core as bc
from bioimageio_core.io import open_image

VALUES = np.linspace(-3, 7, 20 * 30, dtype=np.float32).reshape(20, 30)


def read(image: Any) -> Any:
    """Return all pixels."""
    opened = open_image(image)
    assert opened.dtype == np.float32
    return opened.read(tuple(slice(0, n) for n in opened.shape))


def test_packed_variable(tmp_path: Path) -> None:
    """As xarray writes it: by its path, as an array of zarr, and as xarray reads it. -500 is -500 * 0.01 + 2 = -3."""
    attributes = {"scale_factor": 0.01, "add_offset": 2.0, "_ARRAY_DIMENSIONS": ["y", "x"]}
    stored = np.linspace(-500, 500, 20 * 30).astype(np.int16).reshape(20, 30)
    group = zarr.open_group(str(tmp_path / "d.zarr"), mode="w", zarr_format=2)
    group.create_array("v", data=stored, attributes=attributes)
    expected = stored * 0.01 + 2.0
    assert expected[0, 0] == -3
    for image in (str(tmp_path / "d.zarr" / "v"), zarr.open_array(str(tmp_path / "d.zarr" / "v"), mode="r")):
        np.testing.assert_allclose(read(image), expected, atol=1e-6)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_missing_values(tmp_path: Path, zarr_format: int) -> None:
    """Integers that stand for no value are NaN, as xarray reads them, and are counted."""
    xr = pytest.importorskip("xarray")
    values = VALUES.copy()
    values[2, 3:9] = np.nan
    encoding = {"v": {"dtype": "i2", "scale_factor": 0.01, "_FillValue": -999}}
    to_zarr(xr.Dataset({"v": (("y", "x"), values)}), str(tmp_path / "d.zarr"), zarr_format, encoding=encoding)
    found = read(str(tmp_path / "d.zarr"))
    np.testing.assert_allclose(found, values, atol=0.006)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))


def test_lists_of_missing_values(tmp_path: Path) -> None:
    """``missing_value`` may be several; what is no number is none."""
    attributes = {"add_offset": 1, "missing_value": [3, 5], "_FillValue": "none"}
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.arange(6, dtype=np.uint8), attributes=attributes)
    np.testing.assert_array_equal(read(str(tmp_path / "a.zarr")), [1, 2, 3, np.nan, 5, np.nan])


@pytest.mark.parametrize("attributes", [{}, {"scale_factor": "0.1"}, {"scale_factor": True}, {"add_offset": float("nan")}])
def test_no_scale(tmp_path: Path, attributes: dict[str, Any]) -> None:
    """Anything else than numbers is no scale; floats have none."""
    zarr.create_array(str(tmp_path / "a.zarr"), data=np.arange(6, dtype=np.uint8), attributes=attributes)
    assert open_image(str(tmp_path / "a.zarr")).dtype == np.uint8
    zarr.create_array(str(tmp_path / "f.zarr"), data=VALUES, attributes={"scale_factor": 2})
    np.testing.assert_array_equal(read(str(tmp_path / "f.zarr")), VALUES)


@pytest.mark.parametrize("ome", ["none", "0.4", "0.5"])
def test_own_outputs(tmp_path: Path, ome: str) -> None:
    """An output stored as integers, given to a model again: 0.25 times two is 0.5, and twice that is 1."""
    pytest.importorskip("onnxruntime")
    (tmp_path / "model").mkdir()
    model = pointwise_model(tmp_path / "model", gain=2.0)
    image = np.full((16, 16), 0.25, np.float32)
    first = bc.predict(model, image, tmp_path / "o.zarr", axes="yx", dtype="uint8", value_range=(0, 1), ome=ome)["out"]
    for again in (first, str(tmp_path / "o.zarr")):
        found = np.asarray(bc.predict(model, again)["out"])
        np.testing.assert_allclose(found, 1.0, atol=2 / 255)
