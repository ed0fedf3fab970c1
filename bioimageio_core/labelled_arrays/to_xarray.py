"""Labelled arrays as those of xarray."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingRequirementError
from .axis_metadata import AxisMetadata

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["data_array", "dataset"]


def data_array(name: str, data: Any, known: AxisMetadata, *, labels: bool) -> xr.DataArray:
    """Return an array with coordinates along axes whose names or sizes of pixels are known.

    Args:
        name: Name of the array; empty for none.
        data: A numpy or dask array.
        known: Axes, names of channels, sizes and positions of pixels.
        labels: Whether values are numbers of objects, which the attribute ``labels`` then says.

    Raises:
        MissingRequirementError: xarray is not installed.

    """
    xarray = _xarray()
    sizes = dict(zip(known.axes, data.shape, strict=True))
    coordinates: dict[str, Any] = {}
    if known.channel_names is not None and "channel" in sizes:
        coordinates["channel"] = list(known.channel_names)
    for axis, (size, unit) in known.pixel_size.items():
        if axis in sizes:
            values = known.position.get(axis, 0.0) + size * np.arange(sizes[axis])
            coordinates[axis] = xarray.DataArray(values, dims=(axis,), attrs={"units": unit} if unit else {})
    attributes = {"labels": True} if labels else {}
    array: xr.DataArray = xarray.DataArray(data, dims=known.axes, coords=coordinates, name=name or None, attrs=attributes)
    return array


def dataset(arrays: Iterable[xr.DataArray]) -> xr.Dataset:
    """Return arrays as a dataset, each under its name.

    Axes that differ between arrays, in size or coordinates, are apart: that of a later array gets its name, as in ``channel_labels``.

    Raises:
        MissingRequirementError: xarray is not installed.

    """
    variables: dict[str, xr.DataArray] = {}
    known: dict[str, Any] = {}
    for array in arrays:
        renamed = {}
        for axis in map(str, array.dims):
            coordinate = array[axis] if axis in array.coords else array.sizes[axis]
            if axis not in known:
                known[axis] = coordinate
            elif not _equal(known[axis], coordinate):
                renamed[axis] = f"{axis}_{array.name}"
        variables[str(array.name)] = array.rename(renamed)
    found: xr.Dataset = _xarray().Dataset(variables)
    return found


def _equal(one: Any, other: Any) -> bool:
    """Return whether two axes have equal coordinates, or equal sizes and no coordinates."""
    if isinstance(one, int) or isinstance(other, int):
        return isinstance(one, int) and isinstance(other, int) and one == other
    return bool(one.identical(other))


def _xarray() -> Any:
    try:
        import xarray
    except ImportError:
        raise MissingRequirementError("to_xarray() needs xarray, which is not installed: pip install xarray") from None
    return xarray
