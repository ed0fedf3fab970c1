"""The boxes in which objects are labelled, and the windows around them that the op sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import prod

import attrs

from ....blocks import unravel
from ....errors import BlockError
from ....typing import AxisId
from ...data.boxes import Boxes

__all__ = ["LabelWindows", "plan_label_windows"]

SEEN_TWICE = 2.0
"""Pixels of a window for each pixel of its box, above which boxes grow: what is seen twice is labelled twice."""


@attrs.frozen(kw_only=True)
class LabelWindows:
    """Boxes of an output that objects are labelled in, each with the pixels around it; windows are stored side by side."""

    boxes: Boxes
    halo: tuple[int, ...]
    """Pixels around a box along each axis; 0 along axes that are not space."""

    @property
    def tile(self) -> tuple[int, ...]:
        """Shape of the largest window."""
        return tuple(min(n, s + 2 * h) for n, s, h in zip(self.boxes.shape, self.boxes.size, self.halo, strict=True))

    @property
    def tiles_shape(self) -> tuple[int, ...]:
        """Shape of the array of windows side by side."""
        return tuple(n * t for n, t in zip(self.boxes.counts, self.tile, strict=True))

    def window(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return ``(start, stop)`` of a window in the output."""
        start, stop = self.boxes.box(number)
        low = tuple(max(0, a - h) for a, h in zip(start, self.halo, strict=True))
        return low, tuple(min(n, b + h) for n, b, h in zip(self.boxes.shape, stop, self.halo, strict=True))

    def place(self, number: int) -> tuple[int, ...]:
        """Return where a window begins in the array of windows."""
        return tuple(i * t for i, t in zip(unravel(number, self.boxes.counts), self.tile, strict=True))

    def neighbours(self, number: int) -> Iterator[int]:
        """Yield the numbers of the other boxes of which the window sees something, in ascending order."""
        at, counts = unravel(number, self.boxes.counts), self.boxes.counts
        reach = [-(-h // s) for h, s in zip(self.halo, self.boxes.size, strict=True)]
        around = [range(max(0, i - r), min(n, i + r + 1)) for i, r, n in zip(at, reach, counts, strict=True)]
        for other in product(*around):
            if other != at:
                yield sum(i * prod(counts[n + 1 :]) for n, i in enumerate(other))


def plan_label_windows(
    axes: Sequence[AxisId],
    shape: Sequence[int],
    chunks: Sequence[int],
    *,
    one_each: Sequence[AxisId],
    halo: Mapping[AxisId, int],
    elements: int,
    most: int,
) -> LabelWindows:
    """Choose boxes of complete chunks, about as long along each axis of space.

    Args:
        axes: Axes of the output.
        shape: Size along each axis.
        chunks: Chunk size along each axis.
        one_each: Axes of samples: a box spans one position of each.
        halo: Pixels around a box by axis of space.
        elements: Elements of a window up to which boxes grow.
        most: Elements of a window up to which they grow where much is seen twice.

    Raises:
        BlockError: The smallest window has more elements than that.

    """
    size = [1 if axis in one_each else min(c, n) if axis in halo else n for axis, n, c in zip(axes, shape, chunks, strict=True)]
    around = tuple(halo.get(axis, 0) for axis in axes)

    def pixels(of: Sequence[int]) -> int:
        return prod(min(n, s + 2 * h) for n, s, h in zip(shape, of, around, strict=True))

    if pixels(size) > most:
        raise BlockError(
            f"objects of the size that is expected take windows of {pixels(size)} pixels, with {max(around)} pixels around each block, "
            f"and memory= (--memory) allows {most}: give more memory, a smaller object_size= (--object-size) or smaller chunks= (--chunks)"
        )
    while True:
        growing = [n for n, axis in enumerate(axes) if axis in halo and size[n] < shape[n]]
        if not growing:
            break
        n = min(growing, key=lambda n: size[n])
        larger = [*size]
        larger[n] = min(shape[n], size[n] + chunks[n])
        enough = pixels(size) <= SEEN_TWICE * prod(size)
        if pixels(larger) > (elements if enough else most):
            break
        size = larger
    return LabelWindows(boxes=Boxes(shape=tuple(shape), size=tuple(size)), halo=around)
