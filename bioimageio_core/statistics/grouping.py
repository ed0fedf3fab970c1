"""Groups of elements of a tensor that are measured together."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Grouping", "cuts"]

SLICE_SIZE = 2**17
"""Elements that are processed at once: few enough for their float64 copies to stay in the CPU cache."""


@attrs.frozen(kw_only=True)
class Grouping:
    """Splits a tensor into groups: one for each position along the kept axes, reduced over all others.

    Groups are numbered in C order of the kept axes.
    """

    shape: tuple[int, ...]
    """Shape of the tensor."""

    reduced: tuple[int, ...]
    """Indices of the axes that a group extends over."""

    @property
    def kept(self) -> tuple[int, ...]:
        """Indices of the axes that groups are numbered along."""
        return tuple(axis for axis in range(len(self.shape)) if axis not in self.reduced)

    @property
    def groups(self) -> int:
        """Number of groups."""
        return prod(self.shape[axis] for axis in self.kept)

    @property
    def result_shape(self) -> tuple[int, ...]:
        """The tensor's shape with 1 for each reduced axis."""
        return tuple(1 if axis in self.reduced else size for axis, size in enumerate(self.shape))

    def rows(self, block: NDArray[Any], start: tuple[int, ...]) -> Iterator[tuple[NDArray[np.intp], NDArray[Any]]]:
        """Yield the block in pieces of bounded size, sorted by group.

        Args:
            block: Part of the tensor.
            start: Position of the block's first element in the tensor.

        Yields:
            Numbers of distinct groups, shape (g,), and the elements of each, shape (g, r); views of ``block`` where possible.

        """
        kept = self.kept
        ordered = block.transpose(kept + self.reduced)
        numbers = np.zeros((1,) * len(kept), np.intp)
        for position, axis in enumerate(kept):
            along = np.arange(start[axis], start[axis] + block.shape[axis])
            numbers = numbers * self.shape[axis] + along.reshape([-1 if p == position else 1 for p in range(len(kept))])
        for cut in cuts(ordered.shape, SLICE_SIZE):
            groups = numbers[cut[: len(kept)]].reshape(-1)
            yield groups, ordered[cut].reshape(groups.size, -1)


def cuts(shape: tuple[int, ...], limit: int) -> Iterator[tuple[slice, ...]]:
    """Yield slices that partition an array into contiguous runs of at most ``limit`` elements each."""
    if 0 in shape:
        return
    axis, inner = len(shape), 1
    while axis and inner * shape[axis - 1] <= limit:
        axis -= 1
        inner *= shape[axis]
    rest = (slice(None),) * (len(shape) - axis)
    if axis == 0:
        yield rest
        return
    step = max(1, limit // inner)
    for lead in np.ndindex(*shape[: axis - 1]):
        for low in range(0, shape[axis - 1], step):
            yield (*(slice(i, i + 1) for i in lead), slice(low, low + step), *rest)
