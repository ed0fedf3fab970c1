"""Images that xarray opens and writes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

__all__ = ["to_zarr", "xarray_of_zarr"]


def xarray_of_zarr(path: Path, **options: Any) -> Any:
    """Return the array ``raw`` of a zarr group as xarray opens it; skip the test if this xarray does not open version 3 of zarr."""
    xr = pytest.importorskip("xarray")
    try:
        return xr.open_zarr(str(path), consolidated=False, **options)["raw"]
    except (TypeError, KeyError) as error:
        pytest.skip(f"xarray {xr.__version__} does not open zarr 3 ({error})")


def to_zarr(data: Any, place: str, zarr_format: int, **options: Any) -> None:
    """Write a dataset; skip the test if this xarray does not write this version of zarr."""
    xr = pytest.importorskip("xarray")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the format of text and of consolidated metadata may change
            data.to_zarr(place, zarr_format=zarr_format, **options)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        pytest.skip(f"xarray {xr.__version__} does not write version {zarr_format} of zarr ({error})")
