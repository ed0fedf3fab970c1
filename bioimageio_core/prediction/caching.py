"""Which decoded chunks of the inputs a run keeps, and how many."""

from __future__ import annotations

from math import prod

import attrs

from ..blocks import AxisGrid
from ..io.chunk_cache import ChunkCache
from .inputs import BoundInput

__all__ = ["cache_bytes", "cached"]


def cache_bytes(bound: BoundInput, grids: tuple[AxisGrid, ...], *, in_flight: int, room: int) -> int:
    """Return how many bytes of decoded chunks are worth keeping: those that come again while regions are computed row by row.

    Args:
        bound: The input.
        grids: All grids.
        in_flight: Regions at once.
        room: Bytes of the budget that are left.

    Returns:
        0 where blocks share no chunks, or those that they share do not fit.

    """
    if bound.image.chunks is None:
        return 0
    tied = {t.axis: (g, t) for g in grids for t in g.group.inputs if t.tensor == bound.tensor.id}
    cut = [axis for axis in bound.axes if axis in tied and tied[axis][0].count > 1]
    itemsize = bound.image.dtype.itemsize
    for depth in range(len(cut)):
        # Blocks in a row along the axes behind the first `depth` ones: whole rows of chunks of these, a block of the others.
        inner = set(cut[depth + 1 :])
        extents = []
        for axis, size, chunk in zip(bound.axes, bound.shape, bound.chunks, strict=True):
            if axis not in tied or axis in inner:
                extents.append(size)
                continue
            grid, tie = tied[axis]
            read = tie.size(grid.block_size(0))
            touched = (read + chunk - 2) // chunk + 1
            extents.append(min(size, touched * chunk))
        needed = prod(extents) * itemsize * (1 if depth < len(cut) - 1 else in_flight)
        if needed <= room:
            return needed
    return 0


def cached(bound: BoundInput, limit: int) -> BoundInput:
    """Return an input whose decoded chunks are kept up to so many bytes."""
    image = bound.image
    if limit <= 0 or image.chunks is None:
        return bound
    reader = ChunkCache(image.reader, shape=image.source_shape or image.shape, chunks=image.chunks, dtype=image.dtype, limit=limit)
    return attrs.evolve(bound, image=attrs.evolve(image, reader=reader))
