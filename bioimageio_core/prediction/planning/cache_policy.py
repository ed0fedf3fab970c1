"""Decides which decoded chunks of the inputs are cached, and an order of regions that reuses them soon."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import attrs

from ...blocks import RegionGrid
from ..data.bind_inputs import BoundInput

__all__ = ["CachePolicy", "choose_caches"]

COMPLETE_CACHE_DIVISOR = 4
"""An image is cached completely if it takes at most 1 / COMPLETE_CACHE_DIVISOR of the remaining budget."""


@attrs.frozen
class CachePolicy:
    """How much of an input is cached during a run."""

    limit: int = 0
    """Bytes of decoded chunks per process; 0 if blocks share no chunks, or the shared chunks do not fit the budget."""

    whole: bool = False
    """Whether the processes together cache the complete image, each its part, from the statistics passes on."""


def choose_caches(
    inputs: Sequence[tuple[BoundInput, bool]], regions: RegionGrid, *, in_flight: int, room: int, processes: int = 1, reorder: bool
) -> tuple[RegionGrid, tuple[CachePolicy, ...]]:
    """Choose the order of regions, and how many decoded chunks of each input to cache.

    Neighbouring regions share chunks, and halos reach into further chunks. Row by row, a chunk is needed again one row later, or one
    plane of rows later. Where these do not fit the budget, regions are visited in bricks: as wide as fits, and as long as the image.
    Small images with statistics passes are cached completely: each process measures neighbouring boxes and caches their chunks.

    Args:
        inputs: All inputs, and whether a statistics pass reads each of them before the regions.
        regions: The regions, row by row.
        in_flight: Concurrent regions.
        room: Remaining bytes of the budget.
        processes: Processes that share the budget.
        reorder: Whether the order may change; False in a resumed run.

    Returns:
        The regions in the chosen order, and the cache policy of each input.

    """
    for brick in _bricks(regions) if reorder else [regions.brick]:
        ordered = attrs.evolve(regions, brick=brick)
        kept = []
        for bound, measured in inputs:
            whole, layer = _whole_bytes(bound), _layer_bytes(bound, ordered, in_flight)
            if bound.image.chunks is not None and measured and whole <= room // COMPLETE_CACHE_DIVISOR // len(inputs):
                kept.append(CachePolicy(min(whole, -(-whole // processes) + layer), whole=True))
            else:
                kept.append(CachePolicy(layer))
        if sum(k.limit for k in kept) <= room // processes:
            return ordered, tuple(kept)
    return regions, (CachePolicy(),) * len(inputs)


def _bricks(regions: RegionGrid) -> Iterator[tuple[int, ...]]:
    """Yield the brick of row-by-row order, which is empty, then ever narrower bricks."""
    yield ()
    cut, spatial = _cut(regions)
    sides = [1 if n in cut and n not in spatial else count for n, count in enumerate(regions.shape)]
    pixels = [g.stride * n for g, n in zip(regions.grids, regions.blocks_per_region, strict=True)]
    while any(sides[n] > 1 for n in spatial[1:]):
        widest = max(spatial[1:], key=lambda n: (sides[n] > 1, sides[n] * pixels[n]))
        sides[widest] = -(-sides[widest] // 2)
        yield tuple(sides)


def _cut(regions: RegionGrid) -> tuple[list[int], list[int]]:
    """Return the grids with several regions, and those among them whose regions share chunks; items such as time points share none."""
    cut = [n for n, count in enumerate(regions.shape) if count > 1]
    return cut, [n for n in cut if regions.grids[n].block_size(0) > 1]


def _layer_bytes(bound: BoundInput, regions: RegionGrid, in_flight: int) -> int:
    """Return the bytes of the chunks that a layer of regions reads, and the next layer of the brick needs again."""
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
