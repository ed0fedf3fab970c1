"""Runs of equal labels: label images have far fewer runs than pixels, so objects are counted, found and measured run by run."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Runs", "runs_of"]


@attrs.frozen(kw_only=True, eq=False)
class Runs:
    """Pixels of equal value that follow each other along a row of an array, in row-major order; they cover the array.

    A row extends along the last axis that has more than one pixel.
    """

    shape: tuple[int, ...]
    """Shape of the array."""

    values: NDArray[Any]
    """Shape (runs,): the value of each run, in the dtype of the array."""

    starts: NDArray[np.int64]
    """Shape (runs,): the row-major index, in the array, of the first pixel of each run."""

    lengths: NDArray[np.int64]
    """Shape (runs,): pixels of each run."""

    @property
    def row_axis(self) -> int:
        """The axis that runs extend along."""
        return _row_axis(self.shape)

    def pixels_of(self, numbers: NDArray[np.intp], count: int) -> NDArray[np.int64]:
        """Return the number of pixels of each object, shape (count,).

        Args:
            numbers: Shape (runs,): for each run its object, a number from 0 to ``count - 1``.
            count: Number of objects.

        """
        pixels = np.zeros(count, np.int64)
        np.add.at(pixels, numbers, self.lengths)
        return pixels

    def first_of(self, numbers: NDArray[np.intp], count: int) -> NDArray[np.int64]:
        """Return the row-major index, in the array, of the first pixel of each object; -1 for those without pixels."""
        first = np.full(count, -1, np.int64)
        first[numbers[::-1]] = self.starts[::-1]  # of equal numbers, numpy keeps what it assigns last
        return first

    def bounds_of(self, numbers: NDArray[np.intp], count: int, axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and the last position of each object along an axis; the size of the axis and -1 for those without pixels."""
        low, high = np.full(count, self.shape[axis], np.int64), np.full(count, -1, np.int64)
        first, last = self.along(axis)
        np.minimum.at(low, numbers, first)
        np.maximum.at(high, numbers, last)
        return low, high

    def along(self, axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first and the last position of each run along an axis of the array, each of shape (runs,)."""
        inner = int(np.prod(self.shape[axis + 1 :], dtype=np.int64))
        first = self.starts // inner % self.shape[axis]
        return first, first + self.lengths - 1 if axis == self.row_axis else first


def runs_of(array: NDArray[Any]) -> Runs:
    """Return the runs of an array of at least one axis."""
    row = array.shape[_row_axis(array.shape)]
    flat = array.reshape(-1)
    begins = np.ones(flat.size, bool)
    if flat.size:
        np.not_equal(flat[1:], flat[:-1], out=begins[1:])
        begins[::row] = True
    starts = np.flatnonzero(begins)
    return Runs(shape=array.shape, values=flat[starts], starts=starts, lengths=np.diff(starts, append=flat.size))


def _row_axis(shape: tuple[int, ...]) -> int:
    return max((axis for axis, size in enumerate(shape) if size > 1), default=len(shape) - 1)
