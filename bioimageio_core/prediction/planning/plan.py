"""The plan of a prediction: everything that is decided before anything is computed."""

from __future__ import annotations

from bisect import bisect_left
from math import prod
from typing import Any

import attrs

from ...blocks import AxisGrid, RegionGrid, TiedAxis
from ...structuring.freezing import thaw
from ...typing import AxisId
from ..data.bind_inputs import BoundInput
from ..data.blending import Blending, tile, tile_count
from ..model.planned_run_mode import PlannedRunMode
from ..model.processing_steps import Step, measure_text
from ..model.tensor_spec import ModelIO, TensorIO
from ..model.weights_selection import WeightsChoice
from .blocks.axis_groups import SizedGroup
from .mask import Mask
from .profiling.profile import Profile
from .storage_dtype import StoredAs

__all__ = ["CachePolicy", "Plan", "PlannedInput", "PlannedOutput", "tie_axes"]

PLAN_FORMAT = "2"


@attrs.frozen(kw_only=True)
class PlannedInput:
    """An input, where its axes are cut, and what is done to it."""

    bound: BoundInput
    ties: tuple[tuple[int, TiedAxis] | None, ...]
    """For each axis of ``bound.axes``: the number of its group and the tie; None where another input has it and this one does not."""

    steps: tuple[Step, ...]


@attrs.frozen
class CachePolicy:
    """What is kept of an input while a run goes on."""

    limit: int = 0
    """Bytes of decoded chunks in each process: 0 where blocks share no chunks, or those that they share do not fit."""

    whole: bool = False
    """Whether the processes keep all of the image, each its part, from its statistics on."""


@attrs.frozen(kw_only=True)
class PlannedOutput:
    """An output: its shape, its chunks, where its axes are cut, and what is done to it."""

    tensor: TensorIO
    axes: tuple[AxisId, ...]
    """Extra axes of the image, then those of the tensor."""

    shape: tuple[int, ...]
    """-1 where the network decides."""

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    """Multiples of `chunks` that are written as one file; None where each chunk is one."""

    stored: StoredAs
    blend: Blending | None
    """How overlapping blocks are blended; None where they are cut off."""

    ties: tuple[tuple[int, TiedAxis] | None, ...]
    """For each of `axes`: the number of its group and the tie; None where its size is its own."""

    origin: tuple[int, ...]
    """Where it begins in the output of the whole image; 0 but for a region of interest."""

    steps: tuple[Step, ...]
    """Ops that run on every block."""

    late_steps: tuple[Step, ...]
    """Ops that run after all blocks are done, since one of them wants statistics of the output, all of it, or pixels of other blocks."""

    @property
    def waits(self) -> bool:
        """Whether something is left to do when all blocks are there."""
        return bool(self.late_steps) or self.blend is not None

    @property
    def extra(self) -> int:
        """Number of extra axes."""
        return len(self.axes) - len(self.tensor.axes)

    def place(self, grid: AxisGrid, block: int, tied: TiedAxis) -> tuple[int, int]:
        """Return ``(start, stop)`` of what is kept of a block where blocks are written first: its core, or all of it to be blended."""
        return grid.core(block, tied) if self.blend is None else tile(grid, block, tied)

    def first_shape(self, grids: tuple[AxisGrid, ...]) -> tuple[int, ...]:
        """Return the shape of where blocks are written first."""
        if self.blend is None:
            return self.shape
        return tuple(n if tie is None else tile_count(grids[tie[0]], tie[1]) for n, tie in zip(self.shape, self.ties, strict=True))

    def first_chunks(self, grids: tuple[AxisGrid, ...]) -> tuple[int, ...]:
        """Return the chunks of where blocks are written first."""
        if self.blend is None:
            return self.shards or self.chunks
        return tuple(n if tie is None else tie[1].size(grids[tie[0]].block_size(0)) for n, tie in zip(self.chunks, self.ties, strict=True))

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
    regions_per_task: int
    """Regions that are computed one after the other, and noted as done together."""

    batch_size: int
    workers: int
    """Calls of the network at once."""

    in_flight: int
    """Regions at once: some are read and written while the network works on others."""

    cache: tuple[CachePolicy, ...]
    """What is kept of each input, since blocks share chunks."""

    mask: Mask | None
    skip_empty: bool
    """Whether blocks are left out of which all pixels are 0."""

    threads: int
    """Threads of one call of the network."""

    pool_over: tuple[AxisId, ...]
    memory: int
    """The budget in bytes."""

    estimated_memory: int
    """Host memory in bytes that the run is thought to need."""

    floor: int
    """The smallest budget in bytes that would do."""

    estimated_seconds: float
    """Of the regions; a guess where `profile` was not measured."""

    reason: str
    """Why blocks are of this size."""

    profile: Profile

    warnings: tuple[str, ...]

    @property
    def grids(self) -> tuple[AxisGrid, ...]:
        """The grid of each axis group."""
        return self.regions.grids

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return -(-self.regions.count // self.regions_per_task)

    @property
    def concurrent_io(self) -> int:
        """Threads that measure or write at once while no network runs: those of its calls, or, beside a device, those of regions."""
        return self.workers if self.weights.on_cpu else self.in_flight

    def regions_of(self, task: int) -> range:
        """Return the regions of a task."""
        first = task * self.regions_per_task
        return range(first, min(first + self.regions_per_task, self.regions.count))

    def tasks_of_shard(self, number: int, count: int) -> range:
        """Return the tasks of a shard, counted from 1: neighbours, and about as many blocks as the others have."""

        def middle(task: int) -> float:
            regions = self.regions_of(task)
            return (self.regions.blocks_before(regions.start) + self.regions.blocks_before(regions.stop)) / 2

        tasks, blocks = range(self.task_count), self.regions.block_count
        return range(*(bisect_left(tasks, blocks * n / count, key=middle) for n in (number - 1, number)))

    @property
    def choices(self) -> dict[str, list[int]]:
        """What was chosen and a continued run has to keep to: strides, blocks per region, their order, regions per task, batch size."""
        return {
            "strides": [g.stride for g in self.grids],
            "blocks_per_region": list(self.regions.blocks_per_region),
            "brick": list(self.regions.brick),
            "regions_per_task": [self.regions_per_task],
            "batch_size": [self.batch_size],
        }

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
                    "stored_as": o.stored.as_dict(),
                    "overlap": o.blend or "crop",
                    "origin": list(o.origin),
                    "chunks": list(o.chunks),
                    "shards": None if o.shards is None else list(o.shards),
                    "postprocessing": [s.name for s in o.steps],
                    "postprocessing_of_the_whole": [s.name for s in o.late_steps],
                }
                for o in self.outputs
            },
            "axes": [_axis(g, s) for g, s in zip(self.grids, self.groups, strict=True)],
            "blocks": self.regions.block_count,
            "regions": self.regions.count,
            "regions_per_brick": list(self.regions.brick),
            "tasks": self.task_count,
            "skip_empty": self.skip_empty,
            "mask": None if self.mask is None else self.mask.image.name,
            "computed_per_kept": round(self.computed_per_kept, 4),
            "statistics_pooled_over": list(self.pool_over),
            "memory": self.memory,
            "estimated_memory": self.estimated_memory,
            "floor": self.floor,
            "reason": self.reason,
            "estimated_seconds": round(self.estimated_seconds, 3),
            "measured": self.profile.measured,
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


def tie_axes(
    tensor: str, axes: tuple[AxisId, ...], grids: tuple[AxisGrid, ...], *, inputs: bool
) -> tuple[tuple[int, TiedAxis] | None, ...]:
    """Return, for each axis of an input or output, the number of its grid and how it is tied to it; None where it is in none."""
    found: dict[AxisId, tuple[int, TiedAxis]] = {}
    for n, grid in enumerate(grids):
        for tied in grid.group.inputs if inputs else grid.group.outputs:
            if tied.tensor == tensor:
                found[tied.axis] = (n, tied)
    return tuple(found.get(a) for a in axes)
