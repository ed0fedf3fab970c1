"""Images that xarray opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

__all__ = ["xarray_of_zarr"]


def xarray_of_zarr(path: Path, **options: Any) -> Any:
    """Return the array ``raw`` of a zarr group as xarray opens it; skip the test if this xarray does not open version 3 of zarr."""
    xr = pytest.importorskip("xarray")
    try:
        return xr.open_zarr(str(path), consolidated=False, **options)["raw"]
    except (TypeError, KeyError) as error:
        pytest.skip(f"xarray {xr.__version__} does not open zarr 3 ({error})")
