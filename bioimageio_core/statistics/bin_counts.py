"""Histograms with bins of equal width over a given range."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BinCounts", "Bins"]

Bins = tuple[int, tuple[float, float]]
"""Number of bins, and their range."""


class BinCounts:
    """Number of elements of each group in each bin, shape (groups, bins), int64.

    A bin has its lower edge, the last one both. NaN and elements outside of the range are in no bin.
    Memory: 8 bytes for each bin of each group.
    """

    __slots__ = ("counts", "edges")

    def __init__(self, bins: Bins, groups: int) -> None:
        number, (low, high) = bins
        self.edges = np.linspace(low, high, number + 1)
        self.counts = np.zeros((groups, number), np.int64)

    def update(self, groups: NDArray[np.intp], rows: NDArray[Any]) -> None:
        """Add elements: distinct groups (g,) and their rows (g, r)."""
        values = rows.astype(np.float64, copy=False)
        inside = (values >= self.edges[0]) & (values <= self.edges[-1])
        number = self.counts.shape[1]
        row, _ = np.nonzero(inside)
        bin_ = np.minimum(np.searchsorted(self.edges, values[inside], side="right") - 1, number - 1)
        if rows.shape[1] < number:  # short rows: adding up all bins of each would cost more
            np.add.at(self.counts, (groups[row], bin_), 1)
        else:
            self.counts[groups] += np.bincount(row * number + bin_, minlength=groups.size * number).reshape(-1, number)

    def merge(self, other: BinCounts) -> None:
        """Add the elements of another accumulator with the same bins."""
        self.counts += other.counts
