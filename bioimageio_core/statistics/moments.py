"""Mean and standard deviation of elements in any order, with accumulators that can be merged."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments"]

F64 = NDArray[np.float64]


class Moments:
    """Count, mean and sum of squared deviations of each group, in float64.

    Merged by the pairwise update of Chan, Golub and LeVeque,
    "Updating formulae and a pairwise algorithm for computing sample variances" (1979).
    Memory: 24 bytes for each group.
    """

    __slots__ = ("mean", "n", "squares")

    def __init__(self, groups: int) -> None:
        self.n: F64 = np.zeros(groups)
        self.mean: F64 = np.zeros(groups)
        self.squares: F64 = np.zeros(groups)

    def update(self, groups: NDArray[np.intp], rows: NDArray[Any], nan: NDArray[np.bool_] | None, n: NDArray[np.intp]) -> None:
        """Add elements.

        Args:
            groups: Shape (g,), distinct.
            rows: Shape (g, r).
            nan: Where ``rows`` is NaN, or None if nowhere.
            n: Shape (g,), elements in each row that are not NaN.

        """
        # Deviations from an element of the row: exact zeros for a constant image, and no cancellation if the mean is far from zero.
        with np.errstate(invalid="ignore", over="ignore"):
            if nan is None:
                first = rows[:, :1].astype(np.float64)
                deviations = np.subtract(rows, first, dtype=np.float64)
            else:
                first = np.take_along_axis(rows, np.argmin(nan, axis=1)[:, None], axis=1).astype(np.float64)
                deviations = np.subtract(rows, first, dtype=np.float64)
                deviations[nan] = 0
            count = np.maximum(n, 1).astype(np.float64)
            shift = deviations.sum(axis=1) / count
            mean = np.where(n > 0, first[:, 0] + shift, 0.0)
            deviations -= shift[:, None]
            if nan is not None:
                deviations[nan] = 0
            squares = np.square(deviations, out=deviations).sum(axis=1)
            if not np.isfinite(shift).all():
                self._with_infinities(rows, nan, n, mean, squares)
        self._add(groups, n.astype(np.float64), mean, squares)

    @staticmethod
    def _with_infinities(rows: NDArray[Any], nan: NDArray[np.bool_] | None, n: NDArray[np.intp], mean: F64, squares: F64) -> None:
        for row in np.flatnonzero(~np.isfinite(mean) | ~np.isfinite(squares)):
            values = rows[row] if nan is None else rows[row][~nan[row]]
            mean[row] = values.mean(dtype=np.float64) if n[row] else 0.0
            squares[row] = np.nan if n[row] else 0.0

    def merge(self, other: Moments) -> None:
        """Add the elements of another accumulator."""
        self._add(np.arange(self.n.size), other.n, other.mean, other.squares)

    def _add(self, groups: NDArray[np.intp], n: F64, mean: F64, squares: F64) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            here, there = self.n[groups], self.mean[groups]
            total = here + n
            # Equal means differ by nothing, infinite ones too.
            same = (n == 0) | (mean == there)
            delta = np.where(same, 0.0, mean - np.where(same, 0.0, there))
            weight = n / np.maximum(total, 1)
            self.mean[groups] = there + delta * weight
            self.squares[groups] += squares + delta * delta * here * weight
            self.n[groups] = total

    def mean_of_groups(self) -> F64:
        """Return the mean of each group, shape (groups,); NaN for groups without elements."""
        return np.where(self.n > 0, self.mean, np.nan)

    def deviation_of_groups(self, ddof: int) -> F64:
        """Return the standard deviation of each group, shape (groups,); NaN for groups of at most ``ddof`` elements."""
        n = np.where(self.n > ddof, self.n - ddof, np.nan)
        return np.sqrt(self.squares / n)
