"""Boxes of complete chunks that partition a tensor."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod

import attrs

from ...blocks import unravel
from ...typing import AxisId

__all__ = ["Boxes", "plan_boxes"]


@attrs.frozen(kw_only=True)
class Boxes:
    """A partition of an array into boxes, numbered row-major."""

    shape: tuple[int, ...]
    size: tuple[int, ...]
    """Size of a box; boxes at the far edges are smaller."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of boxes along each axis."""
        return tuple(-(-n // s) for n, s in zip(self.shape, self.size, strict=True))

    @property
    def count(self) -> int:
        """Number of boxes."""
        return prod(self.counts)

    def number(self, start: Sequence[int]) -> int:
        """Return the number of the box that begins at a position."""
        at = 0
        for begin, size, count in zip(start, self.size, self.counts, strict=True):
            at = at * count + begin // size
        return at

    def box(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return ``(start, stop)`` of a box."""
        start = tuple(i * s for i, s in zip(unravel(number, self.counts), self.size, strict=True))
        return start, tuple(min(a + s, n) for a, s, n in zip(start, self.size, self.shape, strict=True))


def plan_boxes(
    axes: Sequence[AxisId], shape: Sequence[int], chunks: Sequence[int], *, extra: int, elements: int, whole_axes: Collection[AxisId] = ()
) -> Boxes:
    """Partition a tensor into boxes of complete chunks.

    Args:
        axes: Extra axes, then those of the tensor.
        shape: Size along each axis.
        chunks: Chunk size along each axis.
        extra: Number of extra axes; a box spans one position of each.
        elements: Approximate number of elements of a box.
        whole_axes: Axes that every box spans from end to end.

    """
    size = [
        1 if n < extra else max(1, length if axis in whole_axes else min(chunk, length))
        for n, (axis, chunk, length) in enumerate(zip(axes, chunks, shape, strict=True))
    ]
    for axis in reversed(range(extra, len(size))):
        rest = prod(size) // size[axis]
        fit = max(1, elements // max(1, rest * size[axis]))
        size[axis] = max(1, min(shape[axis], size[axis] * fit))
    return Boxes(shape=tuple(shape), size=tuple(size))
