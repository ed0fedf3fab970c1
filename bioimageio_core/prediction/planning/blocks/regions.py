"""Groups blocks into regions: complete chunks of every output, full batches, and enough work for a task."""

from __future__ import annotations

from math import lcm, prod

from ....blocks import AxisGrid, RegionGrid
from ..planned_tensors import PlannedOutput
from .io_costs import IoCosts

__all__ = ["plan_regions"]

CHEAP = 2**20
"""Input pixels up to which neighbouring blocks join a region: alone, each would cost more to read, write and mark than to compute."""

TASKS_PER_WORKER = 16
"""Minimum number of regions per worker when blocks join, so that no worker waits long for the last region."""


def plan_regions(
    outputs: tuple[PlannedOutput, ...],
    grids: tuple[AxisGrid, ...],
    io_costs: IoCosts,
    *,
    batch_size: int,
    workers: int,
    in_flight: int,
    room: int,
) -> RegionGrid:
    """Return the grid of regions.

    Args:
        outputs: All outputs, for their chunks or shards.
        grids: All grids.
        io_costs: Bytes that blocks hold in addition to the network.
        batch_size: Blocks per call of the network.
        workers: Concurrent calls of the network.
        in_flight: Concurrent regions.
        room: Remaining bytes of the budget.

    """
    spans = [1] * len(grids)
    for output in outputs:
        for unit, tie in zip(output.unit, output.ties, strict=True):
            if tie is not None and grids[tie.grid].count > 1:
                stride = tie.tied.at(grids[tie.grid].stride)
                spans[tie.grid] = lcm(spans[tie.grid], lcm(unit, stride) // stride)
    for n in reversed(range(len(grids))):
        missing = -(-batch_size // prod(spans))
        if missing > 1 and grids[n].count > 1:
            spans[n] *= min(missing, -(-grids[n].count // spans[n]))
    block = prod(g.block_size(0) for g in grids)
    alone = io_costs.bytes_in_flight(grids)
    while block * prod(spans) * 2 <= CHEAP and _count(grids, spans) >= 2 * TASKS_PER_WORKER * workers:
        # Shortest side first, since a cube reads the least overlap; items such as time points last, since they share no chunks.
        sides = {n: g.stride * s for n, (g, s) in enumerate(zip(grids, spans, strict=True)) if g.count > s}
        n = min(sides, key=lambda n: (grids[n].block_size(0) == 1, sides[n], -n))
        wider = [*spans[:n], spans[n] * 2, *spans[n + 1 :]]
        if (io_costs.bytes_in_flight(grids, wider) - alone) * in_flight > room:
            break
        spans = wider
    return RegionGrid(grids=grids, blocks_per_region=tuple(spans))


def _count(grids: tuple[AxisGrid, ...], spans: list[int]) -> int:
    """Return the number of regions."""
    return prod(-(-g.count // s) for g, s in zip(grids, spans, strict=True))
