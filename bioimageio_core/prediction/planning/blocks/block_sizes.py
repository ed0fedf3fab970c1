"""The choice of block sizes: the least time that the memory budget allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import ceil, prod

import attrs

from ....blocks import AxisGrid, AxisGroup, FixedSize, strides, whole_axis, with_room_for_a_core
from ....errors import BlockError
from ....typing import AxisId
from ...options import PlanOptions
from ..profiling.profile import Profile
from .axis_groups import SizedGroup
from .io_costs import IoCosts

__all__ = ["BlockChoice", "GroupConstraints", "choose_blocks"]

CANDIDATES = 4096
"""Combinations of block sizes that are compared, about."""

CALL_SECONDS = 1e-3
"""What a block costs beside the work of the network: slicing, a call, a task."""

ALLOCATED = 1.05
"""Memory that calls take after many of them, per byte of the first ones: allocators do not give everything back."""

READ_BYTES_PER_SECOND = 400e6
"""How fast one core reads and decompresses chunks."""


@attrs.frozen(kw_only=True)
class GroupConstraints:
    """What an axis group has to keep to beside the model."""

    chunks: tuple[int, ...] = ()
    """Sizes of output chunks asked for, in pixels of the base axis."""

    begin: int = 0
    end: int | None = None
    """The region of interest; see `AxisGrid`."""

    stride: int | None = None
    """The stride of the run that is continued."""


@attrs.frozen(kw_only=True)
class BlockChoice:
    """A grid for every axis group."""

    grids: tuple[AxisGrid, ...]
    pixels_per_block: int
    """Of the largest block, channels not counted."""

    workers: int
    """Calls of the network at once."""

    in_flight: int
    """Regions at once."""

    estimated_memory: int
    """In bytes."""

    estimated_seconds: float
    """Of all regions."""

    floor: int
    """The smallest budget in bytes that would do, with a single worker."""

    reason: str
    """Why blocks are of this size."""

    warnings: tuple[str, ...]


def choose_blocks(
    groups: tuple[SizedGroup, ...],
    wishes: tuple[GroupConstraints, ...],
    options: PlanOptions,
    *,
    profile: Profile,
    traffic: IoCosts,
    cores: int,
    calls: int,
    beside: int | None = None,
) -> BlockChoice:
    """Choose a stride for every group, and how many calls run at once.

    Axes that the network takes in one size only give their block; the others are cut so that the whole takes the least time:
    overlap is computed twice, small blocks cost more calls, and large ones are not always fast.
    Axes without a described halo are cut only where nothing else fits.

    Args:
        groups: All axis groups.
        wishes: What each of them has to keep to.
        options: `block`, `batch_size` and `memory` are used.
        profile: Time and memory of the network.
        traffic: What goes in and out beside the network.
        cores: Cores that there are.
        calls: Calls of the network at once, at most.
        beside: Regions that are read or written by cores while a device that is no CPU computes others, if they fit;
            None where cores do both: then as many as calls.

    Raises:
        BlockError: No grid of blocks fits halo, chunks, sizes and memory.

    """
    notes: list[str] = []
    settled: dict[int, AxisGrid] = {}
    for n, (sized, wish) in enumerate(zip(groups, wishes, strict=True)):
        grid = _settled(sized, wish, options, notes)
        if grid is not None:
            settled[n] = grid
    free = [n for n, g in enumerate(groups) if n not in settled and g.cutting == "free"]
    reluctant = [n for n, g in enumerate(groups) if n not in settled and g.cutting == "if_needed"]
    costs = _Costs(groups=groups, options=options, profile=profile, traffic=traffic, cores=cores, calls=calls, beside=beside)
    whole = {n: [whole_axis(groups[n].group, groups[n].image_size, wishes[n].begin, wishes[n].end)] for n in reluctant}
    open_axes = {n: list(_candidates(groups[n], wishes[n], len(free))) for n in free}
    best = _cheapest(settled, {**open_axes, **whole}, costs)
    if best is None and reluctant:
        cut = {n: list(_candidates(groups[n], wishes[n], len(free) + len(reluctant))) for n in reluctant}
        best = _cheapest(settled, {**open_axes, **cut}, costs, fewest=True)
        if best is not None:
            notes.extend(_reluctance(best.grids[n]) for n in reluctant if best.grids[n].count > 1)
        open_axes |= cut
    floor = costs.floor(settled, {**whole, **open_axes})
    if best is None:
        raise BlockError(
            f"the memory budget of {options.memory_bytes / 2**20:.0f} MiB is too small for the smallest blocks that the model allows, "
            f"which need {floor / 2**20:.0f} MiB{'' if profile.measured else ' by estimate'}: "
            f"give that much (--memory '{ceil(floor / 2**20)} MiB')"
        )
    return attrs.evolve(best, floor=floor, warnings=tuple(notes))


def _settled(sized: SizedGroup, wish: GroupConstraints, options: PlanOptions, notes: list[str]) -> AxisGrid | None:
    """Return the grid of a group that leaves no choice."""
    group, size = sized.group, sized.image_size
    if wish.stride is not None:
        group = with_room_for_a_core(group, wish.begin) if isinstance(group.size, FixedSize) and sized.cutting == "fixed" else group
        return AxisGrid(group=group, image_size=size, stride=wish.stride, begin=wish.begin, end=wish.end)
    if sized.cutting == "per_item":
        return AxisGrid(group=group, image_size=size, stride=1, begin=wish.begin, end=wish.end)
    if sized.cutting == "whole":
        return whole_axis(group, size)
    if sized.cutting == "fixed":
        return _fixed(sized, wish, notes)
    if group.name in options.block:
        return _asked(sized, options.block[group.name], wish, notes)
    return None


@attrs.frozen(kw_only=True)
class _Costs:
    """What a choice costs."""

    groups: tuple[SizedGroup, ...]
    options: PlanOptions
    profile: Profile
    traffic: IoCosts
    cores: int
    calls: int
    beside: int | None

    def pixels(self, grids: Sequence[AxisGrid]) -> int:
        """Return the pixels of the largest block."""
        return prod(g.block_size(0) for g, sized in zip(grids, self.groups, strict=True) if sized.cutting != "whole")

    def memory(self, grids: Sequence[AxisGrid], workers: int, in_flight: int) -> int:
        """Return the memory of a choice: calls, and what is read and written beside them."""
        calls = workers * self.profile.bytes(self.pixels(grids) * self.options.batch_size)
        # What goes into a call and comes out of it was measured with it, for the most part.
        beside = (max(0, in_flight - workers) + workers / 2) * self.traffic.bytes_in_flight(grids) * self.options.batch_size
        return self.profile.base + int(calls * ALLOCATED + beside) + in_flight * self.traffic.bytes_decoding

    def seconds(self, grids: Sequence[AxisGrid], workers: int) -> float:
        """Return the time of a choice."""
        blocks = prod(g.count for g in grids)
        computed = [(g.block_size(0) * (g.count - 1) + g.block_size(g.count - 1)) / g.count for g in grids]
        mean = prod(n for n, sized in zip(computed, self.groups, strict=True) if sized.cutting != "whole")
        call = self.profile.seconds(max(1, round(mean)))
        read = self.traffic.bytes_read(grids) / READ_BYTES_PER_SECOND
        if self.beside is not None:
            # The device computes while cores read and write, but for the first block, which it waits for, and the last.
            return max(blocks * (call / self.profile.calls + CALL_SECONDS), blocks * read / self.beside) + 2 * read
        call *= self.profile.threads
        at_once = min(workers, blocks)
        # As many rounds as it takes: the last of them may leave workers idle. A call alone has all cores.
        rounds = ceil(blocks / at_once) if blocks < 64 * at_once else blocks / at_once
        threads = max(1, self.cores // at_once)
        return rounds * (call / threads + CALL_SECONDS + read)

    def floor(self, settled: dict[int, AxisGrid], candidates: dict[int, list[AxisGrid]], workers: int = 1) -> int:
        """Return the memory of the smallest blocks, so many at a time."""
        least = {**settled, **{n: min(grids, key=lambda g: g.block_size(0)) for n, grids in candidates.items()}}
        grids = [least[n] for n in range(len(self.groups))]
        at_once = min(workers, prod(g.count for g in grids))
        return self.memory(grids, at_once, at_once)


def _cheapest(
    settled: dict[int, AxisGrid], candidates: dict[int, list[AxisGrid]], costs: _Costs, *, fewest: bool = False
) -> BlockChoice | None:
    """Return the choice that takes the least time within the budget, or has the fewest blocks; None where none is within it."""
    budget = costs.options.memory_bytes
    numbers = list(candidates)
    # Fewer calls at once only where more do not fit with any blocks, since they leave cores to threads, which use them less well.
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
        # More regions than calls, so that some are read and written while the network works on others; fewer if they do not fit.
        wanted = (at_once + (costs.beside or at_once), 2 * at_once, at_once + 1)
        in_flight = next((n for n in wanted if costs.memory(chosen, at_once, n) <= budget), at_once)
        larger = min((p[0] for p in possible if p[2] > pixels), default=None)
        if len(possible) == 1 and not any(len(c) > 1 for c in candidates.values()):
            reason = "as the model and the options leave it"
        elif blocks == 1 or (blocks == prod(g.count for n, g in settled.items())):
            reason = "nothing has to be cut"
        elif larger is None:
            reason = f"larger ones do not fit the budget with {at_once} at once"
        else:
            reason = f"the next larger ones would take {100 * (larger / seconds - 1):.0f} % longer"
        return BlockChoice(
            grids=chosen,
            pixels_per_block=pixels,
            workers=at_once,
            in_flight=in_flight,
            estimated_memory=costs.memory(chosen, at_once, in_flight),
            estimated_seconds=seconds,
            floor=0,
            reason=reason,
            warnings=(),
        )
    return None


def _candidates(sized: SizedGroup, wish: GroupConstraints, axes: int) -> Iterator[AxisGrid]:
    """Yield grids of a group from a single block downwards: nearly equal parts, ever more of them."""
    group, size = sized.group, sized.image_size
    whole = whole_axis(group, size, wish.begin, wish.end)
    yield whole
    length, grain = whole.extent - wish.begin, group.granularity
    limit = max(4, int(CANDIDATES ** (1 / max(1, axes))))
    seen = {whole.stride}
    count = 2.0
    # Every count at first, then ever larger steps, down to the smallest block: the difference between 40 and 41 parts is small.
    step = max(1.15, (length / grain / count) ** (1 / limit))
    for _ in range(limit + 1):
        stride = max(grain, ceil(length / count / grain) * grain)
        if wish.chunks:
            fitting = next(strides(group, largest_block=_block_of(group, stride, wish), chunks=wish.chunks, begin=wish.begin), None)
            stride = fitting if fitting is not None else stride
        if stride not in seen and all(stride % c == 0 or c % stride == 0 for c in wish.chunks):
            seen.add(stride)
            grid = AxisGrid(group=group, image_size=size, stride=stride, begin=wish.begin, end=wish.end)
            if grid.block_size(0) < whole.block_size(0):
                yield grid
        if stride == grain:
            break
        count = max(count + 1, count * step)


def _block_of(group: AxisGroup, stride: int, wish: GroupConstraints) -> int:
    return group.size.smallest(stride + group.left + group.right + wish.begin % group.granularity) or stride


def _fixed(sized: SizedGroup, wish: GroupConstraints, notes: list[str]) -> AxisGrid:
    group = with_room_for_a_core(sized.group, wish.begin)
    assert isinstance(group.size, FixedSize)
    size = (sized.image_size if wish.end is None else wish.end) - wish.begin
    if wish.begin % group.granularity + size + group.left + group.right <= group.size.value:
        return whole_axis(group, sized.image_size, wish.begin, wish.end)
    if group.granularity < sized.group.granularity:
        notes.append(
            f"axis {group.name!r}: the halo leaves so little of the fixed size {group.size.value} that blocks start at multiples of "
            f"{group.granularity}, not {sized.group.granularity}; results may vary with the position of blocks"
        )
    if not group.concatenable and not any(o.halo for o in group.outputs):
        notes.append(_no_halo(group.name))
    stride = _first_stride(group, group.size.value, wish)
    return AxisGrid(group=group, image_size=sized.image_size, stride=stride, begin=wish.begin, end=wish.end)


def _asked(sized: SizedGroup, block: int, wish: GroupConstraints, notes: list[str]) -> AxisGrid:
    """Return the grid for a block size that the user wants."""
    group = sized.group
    whole = whole_axis(group, sized.image_size, wish.begin, wish.end)
    if whole.block_size(0) <= block:
        return whole
    stride = _first_stride(group, block, wish)
    if sized.cutting == "if_needed":
        notes.append(_no_halo(group.name))
    return AxisGrid(group=group, image_size=sized.image_size, stride=stride, begin=wish.begin, end=wish.end)


def _first_stride(group: AxisGroup, block: int, wish: GroupConstraints) -> int:
    chunks = wish.chunks
    stride = next(strides(group, largest_block=block, chunks=chunks, begin=wish.begin), None)
    if stride is not None:
        return stride
    if chunks and next(strides(group, largest_block=block, begin=wish.begin), None) is not None:
        possible = list(strides(group, largest_block=block, begin=wish.begin))[:5]
        raise BlockError(
            f"no block of axis {group.name!r} goes with output chunks of {', '.join(map(str, chunks))} input pixels: "
            f"expected chunks that divide or are divided by one of {', '.join(map(str, possible))}, ..."
        )
    lead = wish.begin % group.granularity
    least = group.size.smallest(group.granularity + group.left + group.right + lead)
    raise BlockError(
        f"a block of {block} pixels along axis {group.name!r} is too small: "
        f"{group.left + lead} pixels before and {group.right} behind the core are overlap; sizes are {group.size}: give at least {least}"
    )


def _reluctance(grid: AxisGrid) -> str:
    return (
        f"axis {grid.group.name!r} is cut into {grid.count} blocks because the whole does not fit the memory budget, "
        "and no halo is described: there may be seams; "
        f"give halo= (--halo {grid.group.name}=N) or more memory= (--memory), and measure with verify"
    )


def _no_halo(axis: AxisId) -> str:
    return (
        f"axis {axis!r} is cut into blocks without a halo, since none is described: there may be seams; "
        f"give halo= (--halo {axis}=N), and measure with verify"
    )
