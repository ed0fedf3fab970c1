"""The plan of a prediction: everything that is decided before anything is computed."""

from __future__ import annotations

from math import lcm, prod
from typing import Any

import attrs

from ..blocks import AxisGrid, FixedSize, RegionGrid, TiedAxis
from ..errors import BlockError, InputError
from ..registry import Registry
from ..spec.freezing import thaw
from ..typing import AxisId
from .axis_groups import SizedGroup, axis_groups
from .choose_blocks import BASE_MEMORY, BYTES_PER_PIXEL, choose_blocks
from .choose_weights import WeightsChoice
from .inputs import BoundInput, bind_inputs
from .model_io import DataDependentSize, ModelIO, TensorIO
from .options import PredictOptions
from .run_mode import PlannedRunMode, plan_run_mode
from .steps import Step, measure_text, plan_steps

__all__ = ["Plan", "PlannedInput", "PlannedOutput", "make_plan"]

PLAN_FORMAT = "1"
LARGEST_CHUNK = 2**20
"""Pixels of an output chunk along axes that are not cut."""


@attrs.frozen(kw_only=True)
class PlannedInput:
    """An input, where its axes are cut, and what is done to it."""

    bound: BoundInput
    ties: tuple[tuple[int, TiedAxis] | None, ...]
    """For each axis of ``bound.axes``: the number of its group and the tie; None where another input has it and this one does not."""

    steps: tuple[Step, ...]


@attrs.frozen(kw_only=True)
class PlannedOutput:
    """An output: its shape, its chunks, where its axes are cut, and what is done to it."""

    tensor: TensorIO
    axes: tuple[AxisId, ...]
    """Extra axes of the image, then those of the tensor."""

    shape: tuple[int, ...]
    """-1 where the network decides."""

    chunks: tuple[int, ...]
    ties: tuple[tuple[int, TiedAxis] | None, ...]
    """For each of `axes`: the number of its group and the tie; None where its size is its own."""

    steps: tuple[Step, ...]
    """Ops that run on every block."""

    late_steps: tuple[Step, ...]
    """Ops that run after all blocks are done, since one of them wants statistics of the output, all of it, or pixels of other blocks."""

    @property
    def extra(self) -> int:
        """Number of extra axes."""
        return len(self.axes) - len(self.tensor.axes)

    @property
    def data_dependent(self) -> bool:
        """Whether the network decides on the shape."""
        return -1 in self.shape


@attrs.frozen(kw_only=True)
class Plan:
    """What will be computed, and how. Making it runs no model."""

    model: ModelIO
    weights: WeightsChoice
    run_mode: PlannedRunMode | None
    inputs: tuple[PlannedInput, ...]
    outputs: tuple[PlannedOutput, ...]
    groups: tuple[SizedGroup, ...]
    regions: RegionGrid
    batch_size: int
    workers: int
    """Regions in flight at once."""

    threads: int
    """Threads of one call of the network."""

    pool_over: tuple[AxisId, ...]
    memory: int
    """The budget in bytes."""

    estimated_memory: int
    """Host memory in bytes that the run is thought to need."""

    warnings: tuple[str, ...]

    @property
    def grids(self) -> tuple[AxisGrid, ...]:
        """The grid of each axis group."""
        return self.regions.grids

    @property
    def computed_per_kept(self) -> float:
        """Pixels given to the network per pixel of the image."""
        return prod(g.computed_per_kept for g in self.grids)

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as plain data for JSON."""
        return {
            "plan_format": PLAN_FORMAT,
            "model": self.model.name,
            "format_version": self.model.format,
            "weights_format": self.weights.weights_format,
            "adapter": self.weights.adapter,
            "devices": list(self.weights.devices),
            "precision": self.weights.precision,
            "compile": self.weights.compile,
            "run_mode": None if self.run_mode is None else {"name": self.run_mode.name, "kwargs": thaw(self.run_mode.kwargs)},
            "workers": self.workers,
            "threads_per_call": self.threads,
            "batch_size": self.batch_size,
            "inputs": {
                i.bound.tensor.id: {
                    "image": i.bound.image.name,
                    "axes": list(i.bound.axes),
                    "axes_guessed": i.bound.axes_guessed,
                    "shape": list(i.bound.shape),
                    "dtype": str(i.bound.image.dtype),
                    "padding": i.bound.tensor.pad_mode,
                    "preprocessing": [s.name for s in i.steps],
                    "statistics": [measure_text(m) for s in i.steps for m in s.needs.measures],
                }
                for i in self.inputs
            },
            "outputs": {
                o.tensor.id: {
                    "axes": list(o.axes),
                    "shape": [None if n < 0 else n for n in o.shape],
                    "dtype": o.tensor.dtype,
                    "chunks": list(o.chunks),
                    "postprocessing": [s.name for s in o.steps],
                    "postprocessing_of_the_whole": [s.name for s in o.late_steps],
                }
                for o in self.outputs
            },
            "axes": [_axis(g, s) for g, s in zip(self.grids, self.groups, strict=True)],
            "blocks": self.regions.block_count,
            "regions": self.regions.count,
            "computed_per_kept": round(self.computed_per_kept, 4),
            "statistics_pooled_over": list(self.pool_over),
            "memory": self.memory,
            "estimated_memory": self.estimated_memory,
            "warnings": list(self.warnings),
        }


def _axis(grid: AxisGrid, sized: SizedGroup) -> dict[str, Any]:
    last = grid.count - 1
    return {
        "axis": grid.group.name,
        "size": grid.image_size,
        "cut": sized.cutting,
        "blocks": grid.count,
        "block": grid.block_size(0),
        "last_block": grid.block_size(last),
        "stride": grid.stride,
        "granularity": grid.group.granularity,
        "overlap": [grid.group.left, grid.group.right],
        "tied": [f"{t.tensor}.{t.axis}" for t in (*grid.group.inputs, *grid.group.outputs)],
    }


def make_plan(model: ModelIO, inputs: Any, options: PredictOptions, *, registry: Registry, weights: WeightsChoice, cores: int) -> Plan:
    """Plan a prediction.

    Raises:
        InputError: The images or options do not fit the model.
        BlockError: No grid of blocks fits.
        PluginError: A plugin cannot say what it needs.

    """
    bound = bind_inputs(model, inputs, options)
    run_mode = plan_run_mode(model, options, registry)
    if run_mode is not None:
        options = run_mode.apply(options, model)
    groups = axis_groups(model, bound, options, run_mode.pipeline.whole_axes if run_mode is not None else ())
    extra = tuple(dict.fromkeys(a for b in bound for a in b.extra_axes))
    for axis in options.stats_over:
        if axis not in extra:
            raise InputError(
                f"stats_over names the axis {axis!r}: expected one that the model lacks and the image has ({', '.join(extra) or 'none'})"
            )
    _check_supplied(model, options, registry)
    workers = options.workers or cores
    choice = choose_blocks(groups, tuple(_chunks_in_base(g, options) for g in groups), options, workers=workers)
    planned = tuple(
        PlannedInput(bound=b, ties=_ties(b.tensor.id, b.axes, choice.grids, inputs=True), steps=plan_steps(b.tensor, registry))
        for b in bound
    )
    outputs = tuple(_plan_output(t, extra, choice.grids, options, registry) for t in model.outputs)
    for output in outputs:
        _check_assembles(output, choice.grids)
    per_region = _blocks_per_region(outputs, choice.grids, options.batch_size)
    regions = RegionGrid(grids=choice.grids, blocks_per_region=per_region)
    workers = max(1, min(workers, regions.count))
    estimated = BASE_MEMORY + workers * choice.pixels_per_block * options.batch_size * BYTES_PER_PIXEL
    warnings = choice.warnings + (run_mode.pipeline.warnings if run_mode is not None else ())
    if estimated > options.memory_bytes:
        warnings += (
            f"the run is thought to need {estimated / 2**20:.0f} MiB, the budget is {options.memory_bytes / 2**20:.0f} MiB: "
            "blocks cannot be smaller; fewer workers (--workers 1) need less",
        )
    return Plan(
        model=model,
        weights=weights,
        run_mode=run_mode,
        inputs=planned,
        outputs=outputs,
        groups=tuple(attrs.evolve(s, group=g.group) for s, g in zip(groups, choice.grids, strict=True)),
        regions=regions,
        batch_size=options.batch_size,
        workers=workers,
        threads=max(1, cores // workers),
        pool_over=options.stats_over,
        memory=options.memory_bytes,
        estimated_memory=estimated,
        warnings=warnings,
    )


def _check_supplied(model: ModelIO, options: PredictOptions, registry: Registry) -> None:
    """Raise InputError for supplied statistics that no op of the model wants."""
    if options.statistics:
        wanted = [s.key(t.id, m) for t in (*model.inputs, *model.outputs) for s in plan_steps(t, registry) for m in s.needs.measures]
        unknown = [name for name in options.statistics if name not in wanted]
        if unknown:
            raise InputError(
                f"statistics hold {unknown[0]!r}, which no op of the model wants: expected some of {'; '.join(wanted) or 'none'}"
            )


def _ties(tensor: str, axes: tuple[AxisId, ...], grids: tuple[AxisGrid, ...], *, inputs: bool) -> tuple[tuple[int, TiedAxis] | None, ...]:
    found: dict[AxisId, tuple[int, TiedAxis]] = {}
    for n, grid in enumerate(grids):
        for tied in grid.group.inputs if inputs else grid.group.outputs:
            if tied.tensor == tensor:
                found[tied.axis] = (n, tied)
    return tuple(found.get(a) for a in axes)


def _chunks_in_base(sized: SizedGroup, options: PredictOptions) -> tuple[int, ...]:
    """Return the chunk sizes asked for along the outputs of a group, in pixels of its base axis."""
    found = []
    for tied in sized.group.outputs:
        if tied.axis in options.chunks:
            asked = options.chunks[tied.axis]
            chunk = asked / tied.ratio
            if chunk.denominator != 1 or chunk % sized.group.denominator:
                raise BlockError(
                    f"chunks of {asked} pixels along axis {tied.axis!r} of output {tied.tensor!r} do not start at whole "
                    f"input pixels (ratio {tied.ratio}): give a multiple of {tied.ratio * sized.group.denominator}"
                )
            found.append(int(chunk))
    return tuple(dict.fromkeys(found))


def _plan_output(
    tensor: TensorIO, extra: tuple[AxisId, ...], grids: tuple[AxisGrid, ...], options: PredictOptions, registry: Registry
) -> PlannedOutput:
    axes = extra + tensor.axis_ids
    ties = _ties(tensor.id, axes, grids, inputs=False)
    shape = []
    for axis_id, tie in zip(axes, ties, strict=True):
        axis = None if axis_id in extra else tensor.axis(axis_id)
        if tie is not None:
            shape.append(grids[tie[0]].output_size(tie[1]))
        elif axis is not None and isinstance(axis.size, FixedSize):
            shape.append(axis.size.value)
        elif axis is not None and isinstance(axis.size, DataDependentSize):
            shape.append(-1)
        else:
            shape.append(1)
    cut = {a for a, tie in zip(axes, ties, strict=True) if tie is not None and grids[tie[0]].count > 1}
    steps = plan_steps(tensor, registry)
    inner = cut - set(extra) - {"batch"}
    barrier = next((n for n, s in enumerate(steps) if s.own_measures or s.sees_whole(inner) or s.looks_aside(inner)), len(steps))
    return PlannedOutput(
        tensor=tensor,
        axes=axes,
        shape=tuple(shape),
        chunks=_chunks(axes, tuple(shape), ties, grids, options),
        ties=ties,
        steps=steps[:barrier],
        late_steps=steps[barrier:],
    )


def _chunks(
    axes: tuple[AxisId, ...],
    shape: tuple[int, ...],
    ties: tuple[tuple[int, TiedAxis] | None, ...],
    grids: tuple[AxisGrid, ...],
    options: PredictOptions,
) -> tuple[int, ...]:
    """Return the chunks of an output: cores of blocks along cut axes, the wish of the user, else chunks of a moderate size."""
    chunks: dict[int, int] = {}
    for n, (axis, size, tie) in enumerate(zip(axes, shape, ties, strict=True)):
        if axis in options.chunks:
            chunks[n] = min(options.chunks[axis], max(1, size))
        elif tie is not None and grids[tie[0]].count > 1:
            chunks[n] = tie[1].at(grids[tie[0]].stride)
    free = sorted((n for n in range(len(axes)) if n not in chunks), key=lambda n: shape[n])
    pixels = max(1, LARGEST_CHUNK // prod(chunks.values()))
    for position, n in enumerate(free):
        part = max(1, int(pixels ** (1 / (len(free) - position)) + 1e-9))
        chunks[n] = max(1, shape[n] if shape[n] <= part else part)
        pixels = max(1, pixels // chunks[n])
    return tuple(chunks[n] for n in range(len(axes)))


def _check_assembles(output: PlannedOutput, grids: tuple[AxisGrid, ...]) -> None:
    """Raise BlockError where blocks of a cut axis would all land on the same place of an output."""
    tied = {tie[0] for tie in output.ties if tie is not None}
    for n, grid in enumerate(grids):
        if grid.count > 1 and (n not in tied or output.data_dependent):
            reason = "has a size that the network decides" if output.data_dependent else f"does not follow axis {grid.group.name!r}"
            raise BlockError(
                f"output {output.tensor.id!r} {reason}, so it cannot be put together from {grid.count} blocks along that axis: "
                f"the image has {grid.image_size} pixels there, give one that fits a single block, or more memory"
            )


def _blocks_per_region(outputs: tuple[PlannedOutput, ...], grids: tuple[AxisGrid, ...], batch_size: int) -> tuple[int, ...]:
    """Return how many blocks a region spans along each grid: as many as fill whole chunks of every output, and batches."""
    spans = [1] * len(grids)
    for output in outputs:
        for chunk, tie in zip(output.chunks, output.ties, strict=True):
            if tie is not None and grids[tie[0]].count > 1:
                stride = tie[1].at(grids[tie[0]].stride)
                spans[tie[0]] = lcm(spans[tie[0]], lcm(chunk, stride) // stride)
    for n in reversed(range(len(grids))):
        missing = -(-batch_size // prod(spans))
        if missing > 1 and grids[n].count > 1:
            spans[n] *= min(missing, -(-grids[n].count // spans[n]))
    return tuple(spans)
