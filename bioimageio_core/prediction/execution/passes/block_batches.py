"""Blocks of a region: stacked into batches, halved if they do not fit into device memory, cropped to their cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....blocks import AxisGrid, FixedSize
from ....errors import ModelRunError
from ...output.region_assembly import Placed, placement
from ...planning.plan import Plan
from ...planning.planned_tensors import PlannedOutput
from .region_input import RegionInput

__all__ = ["Block", "batches", "core_of", "halved_grids", "stacked"]

Block: TypeAlias = tuple[int, ...]
"""The number of a block along each grid."""


def batches(blocks: list[Block], plan: Plan, grids: tuple[AxisGrid, ...]) -> Iterator[list[Block]]:
    """Yield batches: blocks of equal size, at most ``plan.batch_size``."""
    stackable = all("batch" in i.bound.tensor.axis_ids for i in plan.inputs) and all(
        "batch" in o.tensor.axis_ids for o in plan.outputs_of_regions
    )
    if plan.batch_size == 1 or not stackable:
        yield from ([b] for b in blocks)
        return
    by_size: dict[tuple[int, ...], list[Block]] = {}
    for block in blocks:
        by_size.setdefault(tuple(g.block_size(k) for g, k in zip(grids, block, strict=True)), []).append(block)
    for same in by_size.values():
        for start in range(0, len(same), plan.batch_size):
            yield same[start : start + plan.batch_size]


def stacked(region: RegionInput, batch: Sequence[Block]) -> NDArray[Any]:
    """Return one input of the network: blocks stacked along the batch axis."""
    parts = [region.block(block) for block in batch]
    if len(parts) == 1:
        return np.ascontiguousarray(parts[0])
    return np.concatenate(parts, axis=region.planned.bound.tensor.axis_ids.index("batch"))


def core_of(output: PlannedOutput, array: NDArray[Any], batch: Sequence[Block], number: int, grids: tuple[AxisGrid, ...]) -> Placed:
    """Return the core of one block of an output, and its start within the output.

    Args:
        output: The output.
        array: Output of the network for a batch, along the axes of the tensor.
        batch: The blocks.
        number: Position of the block in the batch.
        grids: The grids that blocks are numbered along.

    Raises:
        ModelRunError: The size of the array differs from the description.

    """
    block = batch[number]
    start, stop = placement(output, grids, [range(k, k + 1) for k in block])
    index: list[slice] = []
    for axis, size in enumerate(array.shape, start=output.extra):
        tie = output.ties[axis]
        if tie is None:
            expected = output.shape[axis]
            index.append(slice(0, size))
        elif output.axes[axis] == "batch":
            expected = len(batch)
            index.append(slice(number, number + 1))
        else:
            grid = grids[tie.grid]
            expected = tie.tied.size(grid.block_size(block[tie.grid]))
            crop = grid.crop(tie.tied) if output.blend is None else 0
            index.append(slice(crop, crop + stop[axis] - start[axis]))
        if expected not in (-1, size):
            raise ModelRunError(
                f"output {output.id!r} of the network has {size} pixels along axis {output.axes[axis]!r}: "
                f"expected {expected} by its description; correct its ratio, offset or size"
            )
    return start, array[tuple(index)]


def halved_grids(block: Block, grids: tuple[AxisGrid, ...]) -> tuple[AxisGrid, ...] | None:
    """Return grids that cut one block in two along its longest axis; None if no axis can be cut."""
    lengths = {}
    for n, (grid, k) in enumerate(zip(grids, block, strict=True)):
        start, stop = grid.core_of_image(k)
        grain = grid.group.granularity
        if grid.group.may_cut and not isinstance(grid.group.size, FixedSize) and stop - start > grain:
            lengths[n] = stop - start
    if not lengths:
        return None
    longest = max(lengths, key=lambda n: lengths[n])
    halved = []
    for n, (grid, k) in enumerate(zip(grids, block, strict=True)):
        grain = grid.group.granularity
        stride = -(-lengths[n] // (2 * grain)) * grain if n == longest else grid.stride
        halved.append(grid.within(k, stride))
    return tuple(halved)
