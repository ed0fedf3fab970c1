"""Shape, chunks and steps of the outputs of a plan."""

from __future__ import annotations

from math import prod

import attrs

from ....blocks import AxisGrid, AxisTie, FixedSize, RegionGrid, tie_axes
from ....errors import BlockError, InputError
from ....registry import Registry
from ....typing import AxisId
from ...model.processing_steps import check_sizes, plan_steps
from ...model.tensor_spec import DataDependentSize, TensorIO
from ...options import PlanOptions
from ..planned_tensors import PlannedOutput
from .storage_dtype import plan_storage_dtype

__all__ = ["check_assembles", "output_chunk", "output_units", "plan_output", "with_chunks_of_regions"]

LARGEST_CHUNK = 2**20
"""Pixels of an output chunk along axes that are not cut."""


def plan_output(
    tensor: TensorIO, extra: tuple[AxisId, ...], grids: tuple[AxisGrid, ...], options: PlanOptions, registry: Registry
) -> PlannedOutput:
    """Plan one output.

    Args:
        tensor: The output.
        extra: Axes of the image that the model lacks.
        grids: All grids.
        options: `chunks`, `shards`, `codec`, `overlap` and `dtype` are used.
        registry: The installed plugins.

    Raises:
        InputError: An op needs a larger tensor.

    """
    axes = extra + tensor.axis_ids
    ties = tie_axes(tensor.id, axes, grids, inputs=False)
    shape = []
    for axis_id, tie in zip(axes, ties, strict=True):
        axis = None if axis_id in extra else tensor.axis(axis_id)
        if tie is not None:
            shape.append(grids[tie.grid].output_size(tie.tied))
        elif axis is not None and isinstance(axis.size, FixedSize):
            shape.append(axis.size.value)
        elif axis is not None and isinstance(axis.size, DataDependentSize):
            shape.append(-1)
        else:
            shape.append(1)
    cut = {a for a, tie in zip(axes, ties, strict=True) if tie is not None and grids[tie.grid].count > 1}
    steps = plan_steps(tensor, registry)
    check_sizes(tensor.id, steps, dict(zip(axes, shape, strict=True)))
    inner = cut - set(extra) - {"batch"}
    barrier = next(
        (n for n, s in enumerate(steps) if s.own_measures or s.changes or s.sees_whole(inner) or s.needs_halo(inner)), len(steps)
    )
    overlapping = any(tie is not None and grids[tie.grid].group.may_cut and grids[tie.grid].count > 1 for tie in ties[len(extra) :])
    blend = options.overlap if options.overlap != "crop" and overlapping and -1 not in shape else None
    if blend is not None:
        barrier = 0  # the output of the network is blended first, and postprocessed after
    units = output_units(axes, tuple(shape), ties, grids, options)
    chunks = tuple(output_chunk(axis, unit, options) for axis, unit in zip(axes, units, strict=True))
    return PlannedOutput(
        tensor=tensor,
        axes=axes,
        shape=tuple(shape),
        chunks=chunks,
        shards=units if options.shards else None,
        storage_dtype=plan_storage_dtype(tensor, options),
        codec=options.codec,
        blend=blend,
        ties=ties,
        origin=tuple(0 if tie is None else grids[tie.grid].origin(tie.tied) for tie in ties),
        steps=steps[:barrier],
        late_steps=steps[barrier:],
    )


def output_units(
    axes: tuple[AxisId, ...],
    shape: tuple[int, ...],
    ties: tuple[AxisTie | None, ...],
    grids: tuple[AxisGrid, ...],
    options: PlanOptions,
) -> tuple[int, ...]:
    """Return the shape that is written at once, chunk or shard: as requested, else cores along cut axes, else a moderate size."""
    requested = {**options.chunks, **options.shards}
    units: dict[int, int] = {}
    for n, (axis, size, tie) in enumerate(zip(axes, shape, ties, strict=True)):
        if axis in requested:
            units[n] = requested[axis] if options.shards or size < 0 else min(requested[axis], max(1, size))
        elif tie is not None and grids[tie.grid].count > 1:
            units[n] = tie.tied.at(grids[tie.grid].stride)
    sizes = [LARGEST_CHUNK if n < 0 else n for n in shape]
    free = sorted((n for n in range(len(axes)) if n not in units), key=lambda n: sizes[n])
    pixels = max(1, LARGEST_CHUNK // prod(units.values()))
    for position, n in enumerate(free):
        part = max(1, int(pixels ** (1 / (len(free) - position)) + 1e-9))
        units[n] = max(1, min(sizes[n], part))
        pixels = max(1, pixels // units[n])
    return tuple(units[n] for n in range(len(axes)))


def with_chunks_of_regions(output: PlannedOutput, regions: RegionGrid, options: PlanOptions) -> PlannedOutput:
    """Return the output with the largest chunks that fill its regions, along axes without requested chunks.

    Small blocks would make small files, which are slow on every file system and object store.
    """
    if options.shards or output.blend is not None or output.data_dependent:
        return output
    chunks = list(output.chunks)
    spans = {}
    for n, (axis, tie) in enumerate(zip(output.axes, output.ties, strict=True)):
        if tie is not None and regions.grids[tie.grid].count > 1 and axis not in options.chunks:
            spans[n] = min(regions.blocks_per_region[tie.grid], regions.grids[tie.grid].count)
            chunks[n] *= spans[n]
    while prod(chunks) > LARGEST_CHUNK and any(s > 1 for s in spans.values()):
        n = max((n for n in spans if spans[n] > 1), key=lambda n: chunks[n])
        parts = next(k for k in range(2, spans[n] + 1) if spans[n] % k == 0)
        spans[n] //= parts
        chunks[n] //= parts
    return attrs.evolve(output, chunks=tuple(chunks))


def output_chunk(axis: AxisId, unit: int, options: PlanOptions) -> int:
    """Return the size of a chunk within a shard."""
    if not options.shards or axis not in options.chunks:
        return unit
    chunk = options.chunks[axis]
    if unit % chunk:
        raise InputError(f"shards of {unit} pixels along axis {axis!r} are not a multiple of chunks of {chunk}: give a multiple")
    return chunk


def check_assembles(output: PlannedOutput, grids: tuple[AxisGrid, ...]) -> None:
    """Raise BlockError where several blocks would write the same part of an output."""
    tied = {tie.grid for tie in output.ties if tie is not None}
    for n, grid in enumerate(grids):
        if grid.count > 1 and (n not in tied or output.data_dependent):
            reason = "has a size that the network determines" if output.data_dependent else f"does not follow axis {grid.group.name!r}"
            name = grid.group.name
            part = f"predict each position by itself, with roi={{'{name}': (0, 1)}} (--roi {name}=0:1)"
            remedy = part if grid.stride == 1 else "give an image that fits into one block, or more memory= (--memory)"
            raise BlockError(
                f"output {output.id!r} {reason}, so it cannot be assembled from {grid.count} blocks along axis {name!r}, "
                f"along which the image has {grid.image_size} pixels: {remedy}"
            )
