"""Labels of xarray arrays, and of the zarr arrays that xarray writes: axes, names of channels, sizes and positions of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...axis_names import SPACE, named_axes
from ...typing import AxisId, FrozenMapping
from .image import PixelSize

__all__ = ["Labels", "labels_from_coordinates", "labels_of"]

IRREGULAR = 0.01
"""Greatest deviation of a coordinate from a regular step, in steps: more than rounding to float32 causes."""


@attrs.frozen(kw_only=True)
class Labels:
    """Labels of an array, as `Image` has them."""

    axes: tuple[AxisId, ...] | None = None
    channel_names: tuple[str, ...] | None = None
    pixel_size: FrozenMapping[AxisId, PixelSize] = FrozenMapping()
    position: FrozenMapping[AxisId, float] = FrozenMapping()


def labels_of(array: Any) -> Labels:
    """Return the labels of an array; none for arrays without ``dims``, such as those of numpy and dask."""
    dims = getattr(array, "dims", None)
    return labels_from_coordinates([str(d) for d in dims], getattr(array, "coords", {})) if isinstance(dims, tuple) else Labels()


def labels_from_coordinates(dims: Sequence[str], coordinates: Mapping[str, Any]) -> Labels:
    """Return the labels of an array with named dimensions; none where the names are not understood as axes.

    Coordinates with a regular step along axes of space and time are the size of a pixel and the position of the first one,
    in the unit that the attribute ``units`` of the coordinate names. If they decrease, as latitudes on maps, they are the size alone:
    images have no direction.

    Args:
        dims: Names of the dimensions.
        coordinates: By dimension, an array with one value for each pixel along it.

    """
    axes = named_axes(list(dims))
    if axes is None:
        return Labels()
    names: tuple[str, ...] | None = None
    sizes: dict[AxisId, PixelSize] = {}
    positions: dict[AxisId, float] = {}
    for axis, dim in zip(axes, dims, strict=True):
        if dim not in coordinates:
            continue
        coordinate = coordinates[dim]
        values = np.asarray(coordinate)
        if axis == "channel" and values.dtype.kind in "UTOiu":
            names = tuple(str(v) for v in values)
        elif axis in (*SPACE, "time"):
            unit = getattr(coordinate, "attrs", {}).get("units")
            if values.dtype.kind == "M":
                values, unit = (values - values[:1]) / np.timedelta64(1, "s"), "second"
            elif values.dtype.kind == "m":
                values, unit = values / np.timedelta64(1, "s"), "second"
            step = _regular_step(values)
            if step is not None:
                sizes[axis] = abs(step), None if unit is None else str(unit).partition(" since ")[0]  # "seconds since 2024-05-01" of times
            if step is not None and step > 0:
                positions[axis] = float(values[0])
    return Labels(axes=axes, channel_names=names, pixel_size=FrozenMapping(sizes), position=FrozenMapping(positions))


def _regular_step(values: NDArray[Any]) -> float | None:
    """Return the step of equally spaced numbers; None for others, and for fewer than two."""
    if values.ndim != 1 or values.size < 2 or values.dtype.kind not in "iuf":
        return None
    numbers = values.astype(np.float64)
    step = float(numbers[-1] - numbers[0]) / (numbers.size - 1)
    deviation = np.abs(numbers - (numbers[0] + step * np.arange(numbers.size))).max()
    return step if deviation <= IRREGULAR * abs(step) else None
