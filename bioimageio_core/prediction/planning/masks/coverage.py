"""Finds the tasks that a mask covers, so that no time is spent on the rest of a large image."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ....blocks import RegionGrid
from .mask import Mask, any_along

__all__ = ["with_covered_tasks"]

PIXELS, REGIONS = 2**26, 2**22
"""Greatest number of pixels of the mask, and of regions, that are looked at together: they bound the memory."""


def with_covered_tasks(mask: Mask, regions: RegionGrid, regions_per_task: int) -> Mask:
    """Return the mask with the tasks that it covers, all if it skips none; reads the mask once.

    Args:
        mask: The mask.
        regions: All regions of the plan.
        regions_per_task: Number of consecutive regions of a task.

    """
    count = -(-regions.count // regions_per_task)
    if not mask.skips:
        return attrs.evolve(mask, tasks=b"\x01" * count)
    tasks = np.zeros(count, np.uint8)
    for box in _parts(mask, regions, tuple(range(n) for n in regions.shape)):
        positions = np.argwhere(_covered(mask, regions, box)) + np.array([r.start for r in box], np.int64)
        tasks[_numbers(regions, positions) // regions_per_task] = 1
    return attrs.evolve(mask, tasks=tasks.tobytes())


def _parts(mask: Mask, regions: RegionGrid, box: tuple[range, ...]) -> Iterator[tuple[range, ...]]:
    """Yield a box of regions, cut into parts whose pixels and regions are few enough."""
    pixels = [1 if axis is None else _width(_span(mask, regions, n, box[n])) for n, axis in enumerate(mask.axes)]
    if (prod(pixels) <= PIXELS and prod(map(len, box)) <= REGIONS) or all(len(r) == 1 for r in box):
        yield box
        return
    longest = max(range(len(box)), key=lambda n: (len(box[n]) > 1, pixels[n], len(box[n])))
    middle = (box[longest].start + box[longest].stop) // 2
    for half in (range(box[longest].start, middle), range(middle, box[longest].stop)):
        yield from _parts(mask, regions, (*box[:longest], half, *box[longest + 1 :]))


def _span(mask: Mask, regions: RegionGrid, number: int, positions: range) -> slice:
    """Return the pixels of the mask that neighbouring regions along a grid lie in."""
    blocks, count = regions.blocks_per_region[number], regions.grids[number].count
    return mask.span(number, range(positions.start * blocks, min(positions.stop * blocks, count)))


def _width(span: slice) -> int:
    return int(span.stop - span.start)


def _covered(mask: Mask, regions: RegionGrid, box: tuple[range, ...]) -> NDArray[np.bool_]:
    """Return whether the mask covers each region of a box, by position along each grid."""
    index = [slice(None)] * len(mask.image.shape)
    for n, axis in enumerate(mask.axes):
        if axis is not None:
            index[axis] = _span(mask, regions, n, box[n])
    part: Any = mask.selected(tuple(index))
    for n, axis in enumerate(mask.axes):
        if axis is not None:
            spans = [_span(mask, regions, n, range(k, k + 1)) for k in box[n]]
            part = _any_within(part, axis, [(s.start - index[axis].start, s.stop - index[axis].start) for s in spans])
    part = any_along(part, [axis for axis in mask.axes if axis is not None])
    by_grid = part.reshape([1 if axis is None else len(r) for axis, r in zip(mask.axes, box, strict=True)])
    return np.broadcast_to(by_grid, [len(r) for r in box])


def _any_within(part: NDArray[np.bool_], axis: int, spans: list[tuple[int, int]]) -> NDArray[np.bool_]:
    """Return, along an axis, whether any element within each ``(start, stop)`` is true."""
    ends = np.zeros([1 if n == axis else size for n, size in enumerate(part.shape)], bool)  # since `reduceat` takes no index behind the end
    reduced = np.logical_or.reduceat(np.concatenate([part, ends], axis), np.ravel(spans), axis)
    return reduced[tuple(slice(None, None, 2) if n == axis else slice(None) for n in range(part.ndim))]


def _numbers(regions: RegionGrid, positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of regions by position, one position per row; the inverse of `RegionGrid.position`."""
    numbers = np.zeros(len(positions), np.int64)
    before = np.ones(len(positions), np.int64)  # regions of the own brick along the grids to the left
    for n, (count, side) in enumerate(zip(regions.shape, regions.brick or regions.shape, strict=True)):
        rest = regions.shape[n + 1 :]
        begin = positions[:, n] // side * side
        numbers += before * begin * prod(rest)  # earlier bricks along this grid
        before *= np.minimum(begin + side, count) - begin
    within = np.ones(len(positions), np.int64)  # regions of the own brick along the grids to the right
    for n in reversed(range(len(regions.shape))):
        side = (regions.brick or regions.shape)[n]
        begin = positions[:, n] // side * side
        numbers += (positions[:, n] - begin) * within
        within *= np.minimum(begin + side, regions.shape[n]) - begin
    return numbers
