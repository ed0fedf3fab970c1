"""Which blocks make a region: whole chunks of every output, batches, and enough work to be worth a task."""

from __future__ import annotations

from math import lcm, prod

from ....blocks import AxisGrid, RegionGrid
from ..planned_tensors import PlannedOutput
from .io_costs import IoCosts

__all__ = ["plan_regions"]

CHEAP = 2**20
"""Input pixels of a region up to which neighbouring blocks join it: each alone would cost more to read, write and mark than to compute."""

TASKS_PER_WORKER = 16
"""Blocks join only where so many regions are left for each worker, that none waits for the last."""


def plan_regions(
    outputs: tuple[PlannedOutput, ...],
    grids: tuple[AxisGrid, ...],
    traffic: IoCosts,
    *,
    batch_size: int,
    workers: int,
    in_flight: int,
    room: int,
) -> RegionGrid:
    """Return the regions.

    Args:
        outputs: All outputs, for their chunks or shards.
        grids: All grids.
        traffic: What blocks hold beside the network.
        batch_size: Blocks given to the network at once.
        workers: Calls of the network at once.
        in_flight: Regions at once.
        room: Bytes of the budget that are left.

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
    alone = traffic.bytes_in_flight(grids)
    while block * prod(spans) * 2 <= CHEAP and _count(grids, spans) >= 2 * TASKS_PER_WORKER * workers:
        # The shortest side first, since a cube reads the least overlap; items that are no neighbours in space last.
        sides = {n: g.stride * s for n, (g, s) in enumerate(zip(grids, spans, strict=True)) if g.count > s}
        n = min(sides, key=lambda n: (grids[n].block_size(0) == 1, sides[n], -n))
        wider = [*spans[:n], spans[n] * 2, *spans[n + 1 :]]
        if (traffic.bytes_in_flight(grids, wider) - alone) * in_flight > room:
            break
        spans = wider
    return RegionGrid(grids=grids, blocks_per_region=tuple(spans))


def _count(grids: tuple[AxisGrid, ...], spans: list[int]) -> int:
    """Return the number of regions."""
    return prod(-(-g.count // s) for g, s in zip(grids, spans, strict=True))
