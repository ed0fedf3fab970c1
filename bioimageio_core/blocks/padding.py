"""Padding by index arithmetic: the pixels of an axis that a window reads where it extends beyond the edge.

The complete axis is mirrored, never a window of it, so that every block has the same padding as the complete image.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

__all__ = ["PadMode", "Window", "window"]

PadMode: TypeAlias = Literal["symmetric", "reflect", "edge", "constant"]


@attrs.frozen
class Window:
    """The range to read along one axis, and its extension."""

    start: int
    stop: int
    """Read ``[start, stop)`` of the image."""

    before: tuple[int, ...]
    """Positions within the read range to put before ..."""

    core: tuple[int, int]
    """... this part of the read range ..."""

    after: tuple[int, ...]
    """... and to put behind it; -1 is the constant value."""

    @property
    def is_plain(self) -> bool:
        """Whether no padding is needed."""
        return not self.before and not self.after

    @property
    def size(self) -> int:
        """Number of pixels of the padded window."""
        return len(self.before) + self.core[1] - self.core[0] + len(self.after)


def window(start: int, size: int, image_size: int, mode: PadMode) -> Window:
    """Return how to read ``size`` pixels from position ``start`` of an axis with ``image_size`` pixels.

    Symmetric padding repeats the edge pixel (``i mod 2N``), reflect does not (``i mod 2N - 2``);
    both repeat without end, so an axis of one pixel can be padded to any size.
    """
    stop = start + size
    inside = (max(0, min(start, image_size)), min(max(stop, 0), image_size))
    before = [_source(i, image_size, mode) for i in range(start, min(stop, inside[0]))]
    after = [_source(i, image_size, mode) for i in range(max(start, inside[1]), stop)]
    used = [i for i in (*before, *after) if i >= 0]
    if inside[0] < inside[1]:
        used += [inside[0], inside[1] - 1]
    low, high = (min(used), max(used) + 1) if used else (0, 0)
    return Window(
        start=low,
        stop=high,
        before=tuple(i - low if i >= 0 else -1 for i in before),
        core=(inside[0] - low, max(inside[0], inside[1]) - low),
        after=tuple(i - low if i >= 0 else -1 for i in after),
    )


def _source(index: int, size: int, mode: PadMode) -> int:
    """Return the pixel of an axis that replaces the one at ``index`` outside of it; -1 for the constant."""
    if mode == "constant":
        return -1
    if mode == "edge":
        return min(max(index, 0), size - 1)
    if size == 1:
        return 0
    period = 2 * size if mode == "symmetric" else 2 * size - 2
    folded = index % period
    return folded if folded < size else period - folded - (mode == "symmetric")
