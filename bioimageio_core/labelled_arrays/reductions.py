"""Means and other reductions along axes that are given by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import AxesError
from .axis_metadata import AxisMetadata, axis_numbers

__all__ = ["reduced"]

EXACT = ("mean", "std", "sum", "var")
"""Reductions of float16 and float32 that are computed in float64."""


def reduced(data: Any, known: AxisMetadata, reduction: str, axis: Any, options: Mapping[str, Any]) -> tuple[Any, AxisMetadata]:
    """Return reduced data, and the labels of the axes that are left.

    Args:
        data: A numpy or dask array.
        known: The labels of its axes.
        reduction: Name of the method of the array.
        axis: Axes by name or number; None for all of them.
        options: Arguments of the method: ``keepdims``, and of some ``dtype`` and ``ddof``.

    Raises:
        AxesError: There is no such axis, or a reduction along one axis gets several.

    """
    numbers = axis_numbers(axis, known.axes)
    given = {name: value for name, value in options.items() if name != "keepdims" or value}
    if reduction in EXACT and given.get("dtype") is None and data.dtype.kind == "f" and data.dtype.itemsize < 8:
        given["dtype"] = np.float64
    over: Any = numbers
    if reduction.startswith("arg"):
        if axis is not None and len(numbers) != 1:
            raise AxesError(f"{reduction}() is along one axis: expected one of {', '.join(known.axes)}")
        over = None if axis is None else numbers[0]
    found = getattr(data, reduction)(axis=over, **given)
    kept = options["keepdims"]
    left = known.only(name for number, name in enumerate(known.axes) if kept or number not in numbers)
    return found, left.without(known.axes[number] for number in numbers) if kept else left
