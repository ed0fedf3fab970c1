"""Regions: boxes of neighbouring blocks that one task computes and writes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import product
from math import prod

import attrs

from .grid import AxisGrid

__all__ = ["RegionGrid", "unravel"]


@attrs.frozen(kw_only=True)
class RegionGrid:
    """All regions of a plan, numbered in the order of execution; they are not listed, so any number of them takes no memory.

    With bricks of two rows and three columns::

        0 1 2 | 6 7
        3 4 5 | 8 9
        ------+----
        10 ...
    """

    grids: tuple[AxisGrid, ...]
    blocks_per_region: tuple[int, ...]
    """Along each grid: number of blocks of a region, so that it holds complete output chunks."""

    brick: tuple[int, ...] = ()
    """Along each grid: number of regions of a brick, which is completed row by row before the next one; empty: all regions row by row."""

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of regions along each grid."""
        return tuple(-(-g.count // n) for g, n in zip(self.grids, self.blocks_per_region, strict=True))

    @cached_property
    def count(self) -> int:
        """Number of regions."""
        return prod(self.shape)

    @property
    def block_count(self) -> int:
        """Number of blocks of all regions."""
        return prod(g.count for g in self.grids)

    def position(self, region: int) -> tuple[int, ...]:
        """Return the position of a region: its number along each grid."""
        first, sizes, within, left = list[int](), list[int](), region, self.count
        for count, side in zip(self.shape, self.brick or self.shape, strict=True):
            left //= count
            # `sizes` are those of the brick along the previous grids; a layer of complete bricks along this grid has this many regions.
            brick, within = divmod(within, side * prod(sizes) * left)
            first.append(brick * side)
            sizes.append(min(side, count - brick * side))
        return tuple(a + b for a, b in zip(first, unravel(within, tuple(sizes)), strict=True))

    def number(self, position: tuple[int, ...]) -> int:
        """Return the number of the region at a position; the inverse of `position`."""
        number, left, sizes, within = 0, self.count, list[int](), list[int]()
        for at, count, side in zip(position, self.shape, self.brick or self.shape, strict=True):
            left //= count
            brick, rest = divmod(at, side)
            number += brick * side * prod(sizes) * left
            sizes.append(min(side, count - brick * side))
            within.append(rest)
        row_major = 0
        for rest, size in zip(within, sizes, strict=True):
            row_major = row_major * size + rest
        return number + row_major

    def blocks_before(self, region: int) -> int:
        """Return the number of blocks of all regions before a region; for the region number `count`, of all regions."""
        if region == self.count:
            return self.block_count
        ranges, counts = self.block_ranges(region), [g.count for g in self.grids]
        own, begins, bricks = [len(r) for r in ranges], list[int](), list[int]()
        for n, side in enumerate(self.brick or self.shape):
            blocks = side * self.blocks_per_region[n]  # of a complete brick
            begins.append(ranges[n].start // blocks * blocks)
            bricks.append(min(begins[n] + blocks, counts[n]) - begins[n])
        before = 0
        for n in range(len(counts)):
            # Previous bricks along this grid, at the same position along the grids to its left; then regions of the same brick likewise.
            before += prod(bricks[:n]) * begins[n] * prod(counts[n + 1 :])
            before += prod(own[:n]) * (ranges[n].start - begins[n]) * prod(bricks[n + 1 :])
        return before

    def blocks(self, region: int) -> Iterator[tuple[int, ...]]:
        """Yield the blocks of a region: the number of the block along each grid."""
        return product(*self.block_ranges(region))

    def block_ranges(self, region: int) -> tuple[range, ...]:
        """Return the range of block numbers that a region spans along each grid."""
        at = self.position(region)
        return tuple(range(i * n, min((i + 1) * n, g.count)) for i, n, g in zip(at, self.blocks_per_region, self.grids, strict=True))


def unravel(index: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the row-major position of number ``index`` in a grid of ``shape``."""
    at = []
    for size in reversed(shape):
        index, rest = divmod(index, size)
        at.append(rest)
    return tuple(reversed(at))
