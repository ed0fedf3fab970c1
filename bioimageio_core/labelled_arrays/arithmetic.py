"""Arithmetic of labelled arrays: axes are matched by name, what has no names broadcasts as in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import AxesError
from ..typing import AxisId
from .agreement import agreed
from .axis_metadata import AxisMetadata
from .lazy_data import computing

__all__ = ["aligned", "check_sizes", "check_unnamed", "common_axes", "common_labels", "is_operand"]


def is_operand(value: Any) -> bool:
    """Return whether a value without labels can be calculated with: numbers, arrays of numpy and dask, nested lists."""
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind not in "SUV"
    return isinstance(value, int | float | complex | list | tuple) or hasattr(value, "dask")


def common_axes(operands: Sequence[tuple[AxisId, ...]]) -> tuple[AxisId, ...]:
    """Return the axes of a result: those of the operand with most axes, then those that others have besides."""
    longest = max(operands, key=len)
    return tuple(dict.fromkeys([*longest, *(axis for axes in operands for axis in axes)]))


def aligned(data: Any, axes: tuple[AxisId, ...], common: tuple[AxisId, ...]) -> Any:
    """Return data with the axes of the result, of size 1 where it lacks one; dask where it is in storage."""
    lazy = computing(data)
    if axes == common:
        return lazy
    ordered = lazy.transpose([axes.index(axis) for axis in common if axis in axes])
    return ordered[tuple(slice(None) if axis in axes else np.newaxis for axis in common)]


def check_sizes(shapes: Sequence[dict[AxisId, int]]) -> None:
    """Check that operands fit each other.

    Raises:
        AxesError: An axis has different sizes, neither of which is 1.

    """
    for axis in dict.fromkeys(axis for sizes in shapes for axis in sizes):
        found = sorted({sizes[axis] for sizes in shapes if axis in sizes} - {1})
        if len(found) > 1:
            raise AxesError(
                f"axis {axis!r} has {' and '.join(map(str, found))} pixels: expected arrays of the same size; isel({axis}=...) cuts"
            )


def check_unnamed(value: Any, axes: tuple[AxisId, ...]) -> None:
    """Check that an array without names of axes has no more axes than the labelled ones.

    Raises:
        AxesError: It has.

    """
    if np.ndim(value) > len(axes):
        raise AxesError(
            f"an array of {np.ndim(value)} axes does not fit one with the axes {', '.join(axes)}: "
            "name its axes, as in LabelledArray(array, ('z', 'y', 'x'))"
        )


def common_labels(labels: Sequence[AxisMetadata], common: tuple[AxisId, ...], shape: Sequence[int]) -> AxisMetadata:
    """Return the labels of a result, each from the first operand that has it; those that several have must be equal: see `agreed`."""
    count = shape[common.index("channel")] if "channel" in common else 0
    known = agreed(labels)
    fitting = known.channel_names if known.channel_names is not None and len(known.channel_names) == count else None
    return AxisMetadata(axes=common, channel_names=fitting, pixel_size=known.pixel_size, position=known.position)
