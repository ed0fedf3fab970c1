"""Chooses block sizes: the least time that the memory budget allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import ceil, prod

import attrs

from ....blocks import AxisGrid, AxisGroup, FixedSize, strides, whole_axis, with_room_for_a_core
from ....errors import BlockError
from ...options import PlanOptions
from ..profiling.profile import Profile
from .axis_groups import CUTTABLE, SizedGroup
from .io_costs import IoCosts

__all__ = ["BlockChoice", "GroupConstraints", "choose_blocks"]

CANDIDATES = 4096
"""Approximate number of combinations of block sizes to compare."""

CALL_SECONDS = 1e-3
"""Overhead per block, or per call of a GPU, in addition to the work of the network: slicing, a call, a task."""

ALLOCATED = 1.05
"""Memory of late calls relative to the first ones: allocators do not release everything."""

WAITING_PER_CORE = (4, 2)
"""Regions beside the calls that wait for a server, per core: the most that fit into memory."""

READ_BYTES_PER_SECOND = 400e6
"""Rate at which one core reads and decompresses chunks."""


@attrs.frozen(kw_only=True)
class GroupConstraints:
    """Constraints on the grid of an axis group, in addition to those of the model."""

    chunks: tuple[int, ...] = ()
    """Requested sizes of output chunks, in pixels of the base axis."""

    begin: int = 0
    end: int | None = None
    """The region of interest; see `AxisGrid`."""

    stride: int | None = None
    """The stride of the run to resume."""


@attrs.frozen(kw_only=True)
class BlockChoice:
    """The chosen grids, with the concurrency and the estimates that belong to them."""

    grids: tuple[AxisGrid, ...]
    workers: int
    """Concurrent calls of the network."""

    in_flight: int
    """Concurrent regions."""

    estimated_memory: int
    """Estimated host memory in bytes."""

    estimated_seconds: float
    """Estimated time of all regions."""

    floor: int
    """The smallest sufficient memory budget in bytes, with a single worker."""

    reason: str
    """The reason for the block sizes."""

    warnings: tuple[str, ...]


def choose_blocks(
    groups: tuple[SizedGroup, ...],
    group_constraints: tuple[GroupConstraints, ...],
    options: PlanOptions,
    *,
    profile: Profile,
    io_costs: IoCosts,
    cores: int,
    calls: int,
    regions_beside_device: int | None = None,
    remote: bool = False,
    slices_per_call: int | None = None,
) -> BlockChoice:
    """Choose a stride for every axis group, and the number of concurrent calls.

    Axes of fixed size determine their block. All other axes are cut so that the run takes the least time:
    overlap is computed twice, small blocks cost more calls, and large blocks are not always fast.
    Axes without a described halo are cut only if nothing else fits.

    Args:
        groups: All axis groups.
        group_constraints: The constraints of each group.
        options: `block`, `batch_size` (None counts as 1) and `memory` are used.
        profile: Time and memory of the network.
        io_costs: Costs of input and output of blocks.
        cores: Available cores.
        calls: Maximum number of concurrent calls of the network.
        regions_beside_device: Maximum number of regions that cores read and write while a device other than a CPU computes;
            None if the network runs on the cores: then as many as calls.
        remote: Whether images come from servers: then more regions are read at the same time, since reading them is mostly waiting.
        slices_per_call: How many slices of a block the run mode gives to the network at once; None for whole blocks.

    Raises:
        BlockError: No grid of blocks fits halo, chunks, sizes and memory.

    """
    warnings: list[str] = []
    settled: dict[int, AxisGrid] = {}
    for n, (sized, constraints) in enumerate(zip(groups, group_constraints, strict=True)):
        grid = _settled(sized, constraints, options, warnings)
        if grid is not None:
            settled[n] = grid
    free = [n for n, g in enumerate(groups) if n not in settled and g.cutting == "free"]
    if_needed = [n for n, g in enumerate(groups) if n not in settled and g.cutting == "if_needed"]
    costs = _Costs(
        groups=groups,
        options=options,
        profile=profile,
        io_costs=io_costs,
        cores=cores,
        calls=calls,
        regions_beside_device=regions_beside_device,
        remote=remote,
        slices_per_call=slices_per_call,
    )
    whole = {
        n: [whole_axis(groups[n].group, groups[n].image_size, group_constraints[n].begin, group_constraints[n].end)] for n in if_needed
    }
    open_axes = {n: list(_candidates(groups[n], group_constraints[n], len(free))) for n in free}
    best = _cheapest(settled, {**open_axes, **whole}, costs)
    if best is None and if_needed:
        cut = {n: list(_candidates(groups[n], group_constraints[n], len(free) + len(if_needed))) for n in if_needed}
        best = _cheapest(settled, {**open_axes, **cut}, costs, fewest=True)
        open_axes |= cut
    floor = costs.floor(settled, {**whole, **open_axes})
    if best is None:
        raise BlockError(
            f"the memory budget of {options.memory_bytes / 2**20:.0f} MiB is too small: the smallest blocks that the model allows "
            f"need {floor / 2**20:.0f} MiB{'' if profile.measured else ' by estimate'}: "
            f"give that much, memory='{ceil(floor / 2**20)} MiB' (--memory '{ceil(floor / 2**20)} MiB')"
        )
    return attrs.evolve(best, floor=floor, warnings=tuple(warnings))


def _settled(sized: SizedGroup, constraints: GroupConstraints, options: PlanOptions, warnings: list[str]) -> AxisGrid | None:
    """Return the grid of a group without a choice of sizes; None if there is a choice."""
    group, size = sized.group, sized.image_size
    if sized.cutting == "one_call":
        return whole_axis(group, size, constraints.begin, constraints.end)
    if constraints.stride is not None:
        group = with_room_for_a_core(group, constraints.begin) if isinstance(group.size, FixedSize) and sized.cutting == "fixed" else group
        return AxisGrid(group=group, image_size=size, stride=constraints.stride, begin=constraints.begin, end=constraints.end)
    if sized.cutting == "per_item":
        return AxisGrid(group=group, image_size=size, stride=1, begin=constraints.begin, end=constraints.end)
    if sized.cutting == "whole":
        return whole_axis(group, size)
    if sized.cutting == "fixed":
        return _fixed(sized, constraints, warnings)
    if group.name in options.block:
        return _of_block_size(sized, options.block[group.name], constraints)
    return None


@attrs.frozen(kw_only=True)
class _Costs:
    """Memory and time of a choice of grids."""

    groups: tuple[SizedGroup, ...]
    options: PlanOptions
    profile: Profile
    io_costs: IoCosts
    cores: int
    calls: int
    regions_beside_device: int | None
    remote: bool
    slices_per_call: int | None

    def pixels(self, grids: Sequence[AxisGrid]) -> int:
        """Return the pixels of the largest block."""
        return prod(g.block_size(0) for g, sized in zip(grids, self.groups, strict=True) if sized.cutting != "whole")

    def memory(self, grids: Sequence[AxisGrid], workers: int, in_flight: int) -> int:
        """Return the memory of a choice in bytes: calls, and regions that are read and written meanwhile."""
        sliced = self.slices_per_call is not None and not self.profile.measured
        calls = workers * self.profile.bytes(self._pixels_of_slices(grids) if sliced else self.pixels(grids) * self.options.blocks_per_call)
        # The memory of a call includes most of its inputs and outputs, but not those of a block of which it takes some slices.
        io = (
            (max(0, in_flight - workers) + (workers if sliced else workers / 2))
            * self.io_costs.bytes_in_flight(grids)
            * self.options.blocks_per_call
        )
        return self.profile.base + int(calls * ALLOCATED + io) + in_flight * self.io_costs.bytes_decoding

    def _pixels_of_slices(self, grids: Sequence[AxisGrid]) -> int:
        """Return the pixels of the largest call, which takes slices across the shortest side of the block."""
        sides = [g.block_size(0) for g, sized in zip(grids, self.groups, strict=True) if sized.cutting in (*CUTTABLE, "one_call")]
        slices = min(max(self.slices_per_call or 1, self.options.blocks_per_call), min(sides) * self.options.blocks_per_call)
        return max(1, prod(sides) // min(sides) * slices)

    def seconds(self, grids: Sequence[AxisGrid], workers: int) -> float:
        """Return the time of a choice in seconds."""
        blocks, batch = prod(g.count for g in grids), self.options.blocks_per_call
        called = ceil(blocks / batch)
        computed = [(g.block_size(0) * (g.count - 1) + g.block_size(g.count - 1)) / g.count for g in grids]
        mean = prod(n for n, sized in zip(computed, self.groups, strict=True) if sized.cutting != "whole")
        call = self.profile.seconds(max(1, round(mean * batch)))
        read = self.io_costs.bytes_read(grids) / READ_BYTES_PER_SECOND
        if self.regions_beside_device is not None:
            # The device computes while cores read and write; it waits only for the first block, and cores only for the last.
            return max(called * (call / self.profile.calls + CALL_SECONDS), blocks * read / self.regions_beside_device) + 2 * read
        call *= self.profile.threads
        at_once = min(workers, called)
        # In the last round some workers may be idle. A single call gets all cores.
        rounds = ceil(called / at_once) if called < 64 * at_once else called / at_once
        threads = max(1, self.cores // at_once)
        return rounds * (call / threads + batch * (CALL_SECONDS + read))

    def floor(self, settled: dict[int, AxisGrid], candidates: dict[int, list[AxisGrid]], workers: int = 1) -> int:
        """Return the memory in bytes of the smallest blocks, with this many concurrent calls."""
        least = {**settled, **{n: min(grids, key=lambda g: g.block_size(0)) for n, grids in candidates.items()}}
        grids = [least[n] for n in range(len(self.groups))]
        at_once = min(workers, prod(g.count for g in grids))
        return self.memory(grids, at_once, at_once)


def _cheapest(
    settled: dict[int, AxisGrid], candidates: dict[int, list[AxisGrid]], costs: _Costs, *, fewest: bool = False
) -> BlockChoice | None:
    """Return the choice with the least time, or the fewest blocks, within the budget; None if nothing fits."""
    budget = costs.options.memory_bytes
    numbers = list(candidates)
    # Fewer concurrent calls only if more do not fit with any block size: threads within a call use cores less efficiently.
    for workers in range(costs.calls, 0, -1):
        if costs.floor(settled, candidates, workers) > budget:
            continue
        possible: list[tuple[float, int, int, tuple[AxisGrid, ...]]] = []
        for some in product(*candidates.values()):
            of = {**settled, **dict(zip(numbers, some, strict=True))}
            grids = tuple(of[n] for n in range(len(costs.groups)))
            blocks = prod(g.count for g in grids)
            if costs.memory(grids, at_once := min(workers, blocks), at_once) <= budget:
                possible.append((costs.seconds(grids, workers), blocks, costs.pixels(grids), grids))
        if not possible:
            continue
        best = min(possible, key=lambda p: (p[1], p[0]) if fewest else (p[0], p[1]))
        seconds, blocks, pixels, chosen = best
        at_once = min(workers, blocks)
        # More regions than calls, so that some are read and written while the network computes others; fewer if they do not fit.
        waiting = [at_once + n * costs.cores for n in WAITING_PER_CORE] if costs.remote else []
        counts = (*waiting, at_once + (costs.regions_beside_device or at_once), 2 * at_once, at_once + 1)
        in_flight = next((n for n in counts if costs.memory(chosen, at_once, n) <= budget), at_once)
        larger = min((p[0] for p in possible if p[2] > pixels), default=None)
        if len(possible) == 1 and not any(len(c) > 1 for c in candidates.values()):
            reason = "the model and the options leave no choice"
        elif blocks == 1 or (blocks == prod(g.count for n, g in settled.items())):
            reason = "no axis has to be cut"
        elif larger is None:
            reason = f"larger blocks do not fit the memory budget with {at_once} at once"
        else:
            reason = f"the next larger blocks would take {100 * (larger / seconds - 1):.0f} % longer"
        return BlockChoice(
            grids=chosen,
            workers=at_once,
            in_flight=in_flight,
            estimated_memory=costs.memory(chosen, at_once, in_flight),
            estimated_seconds=seconds,
            floor=0,
            reason=reason,
            warnings=(),
        )
    return None


def _candidates(sized: SizedGroup, constraints: GroupConstraints, axes: int) -> Iterator[AxisGrid]:
    """Yield grids of a group: a single block, then more and more blocks of nearly equal size."""
    group, size = sized.group, sized.image_size
    whole = whole_axis(group, size, constraints.begin, constraints.end)
    yield whole
    length, grain = whole.extent - constraints.begin, group.granularity
    limit = max(4, int(CANDIDATES ** (1 / max(1, axes))))
    seen = {whole.stride}
    count = 2.0
    # Every count at first, then increasing steps down to the smallest block: the difference between 40 and 41 blocks is small.
    step = max(1.15, (length / grain / count) ** (1 / limit))
    for _ in range(limit + 1):
        stride = max(grain, ceil(length / count / grain) * grain)
        if constraints.chunks:
            fitting = next(
                strides(group, largest_block=_block_of(group, stride, constraints), chunks=constraints.chunks, begin=constraints.begin),
                None,
            )
            stride = fitting if fitting is not None else stride
        if stride not in seen and all(stride % c == 0 or c % stride == 0 for c in constraints.chunks):
            seen.add(stride)
            grid = AxisGrid(group=group, image_size=size, stride=stride, begin=constraints.begin, end=constraints.end)
            if grid.block_size(0) < whole.block_size(0):
                yield grid
        if stride == grain:
            break
        count = max(count + 1, count * step)


def _block_of(group: AxisGroup, stride: int, constraints: GroupConstraints) -> int:
    return group.size.smallest(stride + group.left + group.right + constraints.begin % group.granularity) or stride


def _fixed(sized: SizedGroup, constraints: GroupConstraints, warnings: list[str]) -> AxisGrid:
    group = with_room_for_a_core(sized.group, constraints.begin)
    assert isinstance(group.size, FixedSize)
    size = (sized.image_size if constraints.end is None else constraints.end) - constraints.begin
    if constraints.begin % group.granularity + size + group.left + group.right <= group.size.value:
        return whole_axis(group, sized.image_size, constraints.begin, constraints.end)
    if group.granularity < sized.group.granularity:
        warnings.append(
            f"axis {group.name!r}: the halo leaves too little of the fixed size {group.size.value}, so blocks start at multiples of "
            f"{group.granularity} instead of {sized.group.granularity}: results may vary with the position of blocks"
        )
    stride = _first_stride(group, group.size.value, constraints)
    return AxisGrid(group=group, image_size=sized.image_size, stride=stride, begin=constraints.begin, end=constraints.end)


def _of_block_size(sized: SizedGroup, block: int, constraints: GroupConstraints) -> AxisGrid:
    """Return the grid for a requested block size."""
    group = sized.group
    whole = whole_axis(group, sized.image_size, constraints.begin, constraints.end)
    if whole.block_size(0) <= block:
        return whole
    stride = _first_stride(group, block, constraints)
    return AxisGrid(group=group, image_size=sized.image_size, stride=stride, begin=constraints.begin, end=constraints.end)


def _first_stride(group: AxisGroup, block: int, constraints: GroupConstraints) -> int:
    chunks = constraints.chunks
    stride = next(strides(group, largest_block=block, chunks=chunks, begin=constraints.begin), None)
    if stride is not None:
        return stride
    if chunks and next(strides(group, largest_block=block, begin=constraints.begin), None) is not None:
        possible = list(strides(group, largest_block=block, begin=constraints.begin))[:5]
        raise BlockError(
            f"no block of axis {group.name!r} fits output chunks of {', '.join(map(str, chunks))} input pixels: "
            f"expected chunks that divide or are divided by one of {', '.join(map(str, possible))}, ..."
        )
    lead = constraints.begin % group.granularity
    least = group.size.smallest(group.granularity + group.left + group.right + lead)
    raise BlockError(
        f"a block of {block} pixels along axis {group.name!r} is too small: "
        f"{group.left + lead} pixels before and {group.right} after the core are overlap; valid sizes are {group.size}: "
        f"give at least {least}"
    )
