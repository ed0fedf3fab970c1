"""Which decoded chunks of the inputs a run keeps, and the order of regions in which they are wanted again soon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import attrs

from ...blocks import RegionGrid
from ..data.bind_inputs import BoundInput

__all__ = ["CachePolicy", "choose_caches"]

SHARE = 4
"""An image is kept whole where it takes no more than one part in so many of the budget that is left."""


@attrs.frozen
class CachePolicy:
    """What is kept of an input while a run goes on."""

    limit: int = 0
    """Bytes of decoded chunks in each process: 0 where blocks share no chunks, or the shared ones do not fit the budget."""

    whole: bool = False
    """Whether the processes keep all of the image, each its part, from its statistics on."""


def choose_caches(
    inputs: Sequence[tuple[BoundInput, bool]], regions: RegionGrid, *, in_flight: int, room: int, processes: int = 1, reorder: bool
) -> tuple[RegionGrid, tuple[CachePolicy, ...]]:
    """Choose the order of regions, and which decoded chunks of each input to keep meanwhile.

    Neighbours share chunks, and halos reach into those of others. Row by row, a chunk is wanted again after a whole row, or a whole plane
    of rows. Where these do not fit the budget, regions are visited in bricks: as wide as fit, and as long as the image.
    Chunks of small images that are measured before are all kept; each process reads a run of neighbours and keeps what it has read.

    Args:
        inputs: All inputs, and whether statistics of each are wanted, so that it is read more than once.
        regions: The regions, row by row.
        in_flight: Regions at once.
        room: Bytes of the budget that are left.
        processes: Processes that share them.
        reorder: Whether the order may be chosen; not in a run that is continued.

    Returns:
        The regions in their order, and what is kept of each input.

    """
    for brick in _bricks(regions) if reorder else [regions.brick]:
        ordered = attrs.evolve(regions, brick=brick)
        kept = []
        for bound, measured in inputs:
            whole, layer = _whole_bytes(bound), _needed(bound, ordered, in_flight)
            if bound.image.chunks is not None and measured and whole <= room // SHARE // len(inputs):
                kept.append(CachePolicy(min(whole, -(-whole // processes) + layer), whole=True))
            else:
                kept.append(CachePolicy(layer))
        if sum(k.limit for k in kept) <= room // processes:
            return ordered, tuple(kept)
    return regions, (CachePolicy(),) * len(inputs)


def _bricks(regions: RegionGrid) -> Iterator[tuple[int, ...]]:
    """Yield row by row, then bricks, ever slimmer."""
    yield ()
    cut, spatial = _cut(regions)
    sides = [1 if n in cut and n not in spatial else count for n, count in enumerate(regions.shape)]
    pixels = [g.stride * n for g, n in zip(regions.grids, regions.blocks_per_region, strict=True)]
    while any(sides[n] > 1 for n in spatial[1:]):
        widest = max(spatial[1:], key=lambda n: (sides[n] > 1, sides[n] * pixels[n]))
        sides[widest] = -(-sides[widest] // 2)
        yield tuple(sides)


def _cut(regions: RegionGrid) -> tuple[list[int], list[int]]:
    """Return the grids with several regions, and those of them that are no items, such as time points, which share nothing."""
    cut = [n for n, count in enumerate(regions.shape) if count > 1]
    return cut, [n for n in cut if regions.grids[n].block_size(0) > 1]


def _needed(bound: BoundInput, regions: RegionGrid, in_flight: int) -> int:
    """Return the bytes of the chunks that a layer of regions reads: those that the next layer of its brick wants again."""
    cut, spatial = _cut(regions)
    slowest = spatial[:1] if regions.brick else cut[:1]
    layer = [1 if n in slowest else side for n, side in enumerate(regions.brick or regions.shape)]
    tied = {t.axis: (n, t) for n in cut for t in regions.grids[n].group.inputs if t.tensor == bound.tensor.id}
    if bound.image.chunks is None or not tied:
        return 0
    extents = []
    for axis, size, chunk in zip(bound.axes, bound.shape, bound.chunks, strict=True):
        if axis in tied:
            number, tie = tied[axis]
            grid = regions.grids[number]
            read = grid.span_window(range(min(layer[number] * regions.blocks_per_region[number], grid.count)), tie)[1]
            size = min(size, ((read + chunk - 2) // chunk + 1) * chunk)
        extents.append(size)
    alone = all(layer[n] == 1 for n in cut)
    return prod(extents) * bound.image.dtype.itemsize * (in_flight if alone else 1)


def _whole_bytes(bound: BoundInput) -> int:
    return prod(bound.shape) * bound.image.dtype.itemsize
