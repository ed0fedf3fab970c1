"""Smallest and largest element: percentiles 0 and 100."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Extremes"]


class Extremes:
    """Smallest and largest element of each group, in the dtype of the tensor; groups without elements have swapped limits."""

    __slots__ = ("high", "low")

    def __init__(self, groups: int, dtype: np.dtype[Any]) -> None:
        least, most = (-np.inf, np.inf) if dtype.kind == "f" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        self.low = np.full(groups, most, dtype)
        self.high = np.full(groups, least, dtype)

    def update(self, groups: NDArray[np.intp], rows: NDArray[Any], nan: NDArray[np.bool_] | None) -> None:
        """Add elements: distinct groups (g,) and their rows (g, r)."""
        low, high = (np.minimum, np.maximum) if nan is None else (np.fmin, np.fmax)
        self.low[groups] = np.fmin(self.low[groups], low.reduce(rows, axis=1))
        self.high[groups] = np.fmax(self.high[groups], high.reduce(rows, axis=1))

    def merge(self, other: Extremes) -> None:
        """Add the elements of another accumulator."""
        np.minimum(self.low, other.low, out=self.low)
        np.maximum(self.high, other.high, out=self.high)
