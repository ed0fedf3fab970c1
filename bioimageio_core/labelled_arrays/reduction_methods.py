"""The methods of an array with named axes that reduce it along axes, as numpy names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..typing import AxisId
from .lazy_data import computing, is_in_memory
from .reductions import reduced

__all__ = ["Axes", "ReductionMethods"]

Axes = AxisId | int | Sequence[AxisId | int] | None
"""Axes by name or number; None for all of them."""


class ReductionMethods:
    """Base class of an array that has `data` and `axis_metadata`."""

    __slots__ = ()

    def mean(self, axis: Axes = None, *, dtype: DTypeLike | None = None, out: None = None, keepdims: bool = False) -> Any:
        """Return the mean along axes, in float64 for floating point; a number over all axes of an array in memory."""
        return self._reduced("mean", axis, out, dtype=dtype, keepdims=keepdims)

    def sum(self, axis: Axes = None, *, dtype: DTypeLike | None = None, out: None = None, keepdims: bool = False) -> Any:
        """Return the sum along axes, in float64 for floating point; a number over all axes of an array in memory."""
        return self._reduced("sum", axis, out, dtype=dtype, keepdims=keepdims)

    def std(self, axis: Axes = None, *, dtype: DTypeLike | None = None, out: None = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """Return the standard deviation along axes, in float64; a number over all axes of an array in memory."""
        return self._reduced("std", axis, out, dtype=dtype, ddof=ddof, keepdims=keepdims)

    def var(self, axis: Axes = None, *, dtype: DTypeLike | None = None, out: None = None, ddof: int = 0, keepdims: bool = False) -> Any:
        """Return the variance along axes, in float64; a number over all axes of an array in memory."""
        return self._reduced("var", axis, out, dtype=dtype, ddof=ddof, keepdims=keepdims)

    def min(self, axis: Axes = None, *, out: None = None, keepdims: bool = False) -> Any:
        """Return the least values along axes; a number over all axes of an array in memory."""
        return self._reduced("min", axis, out, keepdims=keepdims)

    def max(self, axis: Axes = None, *, out: None = None, keepdims: bool = False) -> Any:
        """Return the greatest values along axes; a number over all axes of an array in memory."""
        return self._reduced("max", axis, out, keepdims=keepdims)

    def any(self, axis: Axes = None, *, out: None = None, keepdims: bool = False) -> Any:
        """Return whether values along axes are nonzero anywhere."""
        return self._reduced("any", axis, out, keepdims=keepdims)

    def all(self, axis: Axes = None, *, out: None = None, keepdims: bool = False) -> Any:
        """Return whether values along axes are nonzero everywhere."""
        return self._reduced("all", axis, out, keepdims=keepdims)

    def argmax(self, axis: AxisId | int | None = None, *, out: None = None, keepdims: bool = False) -> Any:
        """Return the position of the greatest value along one axis, as after ``argmax("channel")`` the number of a class."""
        return self._reduced("argmax", axis, out, keepdims=keepdims)

    def argmin(self, axis: AxisId | int | None = None, *, out: None = None, keepdims: bool = False) -> Any:
        """Return the position of the least value along one axis."""
        return self._reduced("argmin", axis, out, keepdims=keepdims)

    def _reduced(self: Any, reduction: str, axis: Any, out: Any, **options: Any) -> Any:
        if out is not None:
            return getattr(np, reduction)(np.asarray(self), axis=axis, out=out, **options)
        found, labels = reduced(computing(self.data), self.axis_metadata, reduction, axis, options)
        return found if is_in_memory(found) and not labels.axes else self._with(found, labels)
