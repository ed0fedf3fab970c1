"""The choice of block sizes: as little overlap as the memory budget allows."""

from __future__ import annotations

from math import ceil, prod

import attrs

from ..blocks import AxisGrid, AxisGroup, FixedSize, strides, whole_axis, with_room_for_a_core
from ..errors import BlockError
from ..typing import AxisId
from .axis_groups import SizedGroup
from .options import PredictOptions

__all__ = ["BlockChoice", "choose_blocks"]

BYTES_PER_PIXEL = 512
"""Host memory that a network takes per input pixel of a block.

A U-Net with 32 features at full resolution holds about four float32 maps of that many features at its peak: 4 * 32 * 4 bytes.
"""

BASE_MEMORY = 200 * 2**20
"""Host memory of the interpreter, the framework and the weights."""


@attrs.frozen(kw_only=True)
class BlockChoice:
    """A grid for every axis group."""

    grids: tuple[AxisGrid, ...]
    pixels_per_block: int
    """Of the largest block, channels not counted."""

    warnings: tuple[str, ...]


def choose_blocks(
    groups: tuple[SizedGroup, ...], chunks: tuple[tuple[int, ...], ...], options: PredictOptions, *, workers: int
) -> BlockChoice:
    """Choose a stride for every group.

    Axes that the network takes in one size only give their block; the others share the pixels that the budget leaves,
    small axes whole, large ones in nearly equal parts.

    Args:
        groups: All axis groups.
        chunks: For each group: chunk sizes asked for, in pixels of its base axis.
        options: `block` and `memory` are used.
        workers: Blocks in flight at once.

    Raises:
        BlockError: No grid of blocks fits halo, chunks and sizes.

    """
    notes: list[str] = []
    budget = max(1, (options.memory_bytes - BASE_MEMORY) // (workers * BYTES_PER_PIXEL))
    grids: dict[int, AxisGrid] = {}
    for n, sized in enumerate(groups):
        if sized.cutting == "item":
            grids[n] = AxisGrid(group=sized.group, image_size=sized.image_size, stride=1)
        elif sized.cutting == "whole":
            grids[n] = whole_axis(sized.group, sized.image_size)
        elif sized.cutting == "fixed":
            grids[n] = _fixed(sized, chunks[n], notes)
        elif sized.group.name in options.block:
            grids[n] = _asked(sized, options.block[sized.group.name], chunks[n], notes)
    left = max(1, budget // max(1, prod(_pixels(g) for n, g in grids.items() if groups[n].cutting != "whole")))
    free = {n: g for n, g in enumerate(groups) if n not in grids and g.cutting == "free"}
    reluctant = {n: g for n, g in enumerate(groups) if n not in grids and g.cutting == "reluctant"}
    least = prod(_smallest_block(g) for g in free.values())
    whole = {n: whole_axis(g.group, g.image_size) for n, g in reluctant.items()}
    if least * prod(_pixels(g) for g in whole.values()) <= left:
        grids |= whole
        grids |= _share(free, chunks, max(1, left // prod(_pixels(g) for g in whole.values())))
    else:
        shared = _share({**free, **reluctant}, chunks, left)
        notes.extend(_reluctance(shared[n]) for n in reluctant if shared[n].count > 1)
        grids |= shared
    ordered = tuple(grids[n] for n in range(len(groups)))
    pixels = prod(_pixels(g) for g, sized in zip(ordered, groups, strict=True) if sized.cutting != "whole")
    return BlockChoice(grids=ordered, pixels_per_block=pixels, warnings=tuple(notes))


def _pixels(grid: AxisGrid) -> int:
    """Pixels of the largest block."""
    return grid.block_size(0)


def _smallest_block(sized: SizedGroup) -> int:
    """Pixels of the smallest block that is not mostly halo, or of the whole axis where that is less."""
    group = sized.group
    wanted = group.size.smallest(group.granularity + 2 * (group.left + group.right)) or 0
    return min(wanted, _pixels(whole_axis(group, sized.image_size)))


def _fixed(sized: SizedGroup, chunks: tuple[int, ...], notes: list[str]) -> AxisGrid:
    group = with_room_for_a_core(sized.group)
    assert isinstance(group.size, FixedSize)
    if sized.image_size + group.left + group.right <= group.size.value:
        return whole_axis(group, sized.image_size)
    if group.granularity < sized.group.granularity:
        notes.append(
            f"axis {group.name!r}: the halo leaves so little of the fixed size {group.size.value} that blocks start at multiples of "
            f"{group.granularity}, not {sized.group.granularity}; results may vary with the position of blocks"
        )
    if not group.concatenable and not any(o.halo for o in group.outputs):
        notes.append(_no_halo(group.name))
    return AxisGrid(group=group, image_size=sized.image_size, stride=_first_stride(group, group.size.value, chunks))


def _asked(sized: SizedGroup, block: int, chunks: tuple[int, ...], notes: list[str]) -> AxisGrid:
    """Return the grid for a block size that the user wants."""
    group = sized.group
    whole = whole_axis(group, sized.image_size)
    if _pixels(whole) <= block:
        return whole
    stride = _first_stride(group, block, chunks)
    if sized.cutting == "reluctant":
        notes.append(_no_halo(group.name))
    return AxisGrid(group=group, image_size=sized.image_size, stride=stride)


def _first_stride(group: AxisGroup, block: int, chunks: tuple[int, ...]) -> int:
    stride = next(strides(group, largest_block=block, chunks=chunks), None)
    if stride is not None:
        return stride
    if chunks and next(strides(group, largest_block=block), None) is not None:
        possible = list(strides(group, largest_block=block))[:5]
        raise BlockError(
            f"no block of axis {group.name!r} goes with output chunks of {', '.join(map(str, chunks))} input pixels: "
            f"expected chunks that divide or are divided by one of {', '.join(map(str, possible))}, ..."
        )
    least = group.size.smallest(group.granularity + group.left + group.right)
    raise BlockError(
        f"a block of {block} pixels along axis {group.name!r} is too small: {group.left} pixels before and {group.right} behind the core "
        f"are overlap, and sizes are {group.size}: give at least {least}"
    )


def _share(groups: dict[int, SizedGroup], chunks: tuple[tuple[int, ...], ...], pixels: int) -> dict[int, AxisGrid]:
    """Divide the pixels of a block among axes; an axis that is smaller than its part leaves the rest to the others."""
    grids: dict[int, AxisGrid] = {}
    order = sorted(groups, key=lambda n: groups[n].image_size)
    for position, n in enumerate(order):
        part = max(1, int(pixels ** (1 / (len(order) - position)) + 1e-9))
        grids[n] = _within(groups[n], part, chunks[n])
        pixels = max(1, pixels // _pixels(grids[n]))
    return grids


def _within(sized: SizedGroup, part: int, chunks: tuple[int, ...]) -> AxisGrid:
    """Return the grid with blocks of at most ``part`` pixels, or the smallest possible ones."""
    group, size = sized.group, sized.image_size
    whole = whole_axis(group, size)
    if _pixels(whole) <= part:
        return whole
    floor = group.size.smallest(group.granularity + group.left + group.right)
    stride = _first_stride(group, max(part, floor or 0, *(c + group.left + group.right + group.granularity for c in chunks)), chunks)
    count = ceil(size / stride)
    equal = ceil(size / count / group.granularity) * group.granularity
    if not chunks and equal < stride:
        stride = equal
    grid = AxisGrid(group=group, image_size=size, stride=stride)
    return grid if _pixels(grid) < _pixels(whole) else whole


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
