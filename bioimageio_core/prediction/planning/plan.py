"""The plan of a prediction: all decisions, made before anything is computed."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property
from math import prod
from typing import Any

import attrs

from ...blocks import AxisGrid, RegionGrid
from ...errors import PredictionWarning
from ...io.writing.ome_output import OmeImage
from ...shown import Shown
from ...typing import AxisId, FrozenMapping
from ..data.pooling import Pooling
from ..model.planned_run_mode import PlannedRunMode
from ..model.processing_steps import Step
from ..model.tensor_spec import ModelIO
from ..model.weights_selection import WeightsChoice
from .blocks.axis_groups import SizedGroup
from .cache_policy import CachePolicy
from .masks.mask import Mask
from .outputs.object_positions import ObjectList
from .passes import Pass, SlicesPass
from .planned_tensors import PlannedInput, PlannedOutput, all_steps
from .profiling.profile import Profile
from .run_choices import RunChoices

__all__ = ["Plan"]


@attrs.frozen(kw_only=True, repr=False)
class Plan(Shown):
    """What a run computes, and how. Planning runs no model."""

    model: ModelIO
    weights: WeightsChoice
    run_mode: PlannedRunMode | None
    inputs: tuple[PlannedInput, ...]
    outputs: tuple[PlannedOutput, ...]
    groups: tuple[SizedGroup, ...]
    regions: RegionGrid
    regions_per_task: int
    """Number of regions per task."""

    batch_size: int
    workers: int
    """Concurrent calls of the network."""

    in_flight: int
    """Concurrent regions: some are read and written while the network computes others."""

    cache: tuple[CachePolicy, ...]
    """Cache policy of each input, since blocks share chunks."""

    mask: Mask | None
    skip_empty: bool
    """Whether to skip blocks whose pixels are all 0."""

    threads: int
    """Threads per call of the network."""

    pool_over: tuple[AxisId, ...]
    """Extra axes that statistics are pooled over."""

    supplied: FrozenMapping[str, Any]
    """Supplied statistics of a dataset, by `Step.key`."""

    known: FrozenMapping[str, Any]
    """Supplied statistics of these images, by `Step.key`."""

    statistics_file: str | None
    """The file that supplied statistics were read from; None where there is none."""

    ome: FrozenMapping[str, OmeImage]
    """OME-Zarr images to write, by output id; empty for plain zarr arrays."""

    table: str | None
    """Path of the table of objects to write; None where none is."""

    passes: tuple[Pass, ...]
    """The passes of a run, in order."""

    memory: int
    """The memory budget in bytes."""

    estimated_memory: int
    """Estimated host memory of the run in bytes."""

    floor: int
    """The smallest sufficient memory budget in bytes."""

    estimated_seconds: float
    """Estimated time of the regions; a rough guess if `profile` was not measured."""

    reason: str
    """The reason for the block sizes."""

    profile: Profile

    objects: tuple[ObjectList, ...]
    """Outputs that list objects, in number as the network determines."""

    warnings: tuple[str, ...]
    """What in the images, the blocks or the run mode may make the prediction differ from what is intended."""

    @property
    def pooling(self) -> Pooling:
        """Axes that statistics are pooled over: `pool_over`, and those that the run mode adds."""
        return Pooling(extra=self.pool_over, added=self.run_mode.added_axes if self.run_mode is not None else FrozenMapping())

    @property
    def outputs_of_regions(self) -> tuple[PlannedOutput, ...]:
        """The outputs as regions write them: before late steps change their shapes."""
        return tuple(o.of_regions for o in self.outputs)

    @property
    def grids(self) -> tuple[AxisGrid, ...]:
        """The grid of each axis group."""
        return self.regions.grids

    @property
    def task_count(self) -> int:
        """Number of tasks of the pass over regions."""
        return -(-self.regions.count // self.regions_per_task)

    @property
    def concurrent_io(self) -> int:
        """Concurrent tasks of passes that do not run the network: `workers` on a CPU, `in_flight` with a device."""
        return self.workers if self.weights.on_cpu else self.in_flight

    @property
    def computed_per_kept(self) -> float:
        """Pixels that the network computes per pixel of the image."""
        return prod(g.computed_per_kept for g in self.grids)

    @property
    def join_slices(self) -> FrozenMapping[AxisId, float]:
        """The axis along which objects of neighbouring slices are joined, with the least intersection over union; empty without one."""
        return FrozenMapping({p.axis: p.overlap for p in self.passes if isinstance(p, SlicesPass)})

    @property
    def choices(self) -> RunChoices:
        """Choices that a resumed run must keep."""
        return RunChoices(
            strides=tuple(g.stride for g in self.grids),
            blocks_per_region=self.regions.blocks_per_region,
            brick=self.regions.brick,
            regions_per_task=self.regions_per_task,
            batch_size=self.batch_size,
        )

    @property
    def all_steps(self) -> tuple[tuple[str, Step], ...]:
        """The steps of all tensors, each after the id of its tensor."""
        return all_steps(self.inputs, self.outputs)

    def __repr__(self) -> str:
        images = ", ".join(f"{i.id} {' x '.join(map(str, i.bound.shape))}" for i in self.inputs)
        count = self.regions.block_count
        return (
            f"<Plan {self.model.name!r}: {images} -> {', '.join(o.id for o in self.outputs)}; {count} block{'s' * (count != 1)}, "
            f"{self.weights.weights_format} on {', '.join(self.weights.devices)}>"
        )

    def regions_of(self, task: int) -> range:
        """Return the regions of a task."""
        first = task * self.regions_per_task
        return range(first, min(first + self.regions_per_task, self.regions.count))

    @property
    def cautions(self) -> tuple[str, ...]:
        """A line for each reason why the prediction may not be what is intended: how axes are guessed, then `warnings`."""
        return (*(line for i in self.inputs for line in i.bound.guess), *self.warnings)

    def warn(self) -> None:
        """Warn of all `cautions`.

        Warns:
            PredictionWarning: Once for each line.

        """
        for line in self.cautions:
            warnings.warn(line, PredictionWarning, stacklevel=4)

    @cached_property
    def tasks(self) -> Sequence[int]:
        """Numbers of the tasks of the pass over regions that run: all, or those that the mask covers."""
        if self.mask is None:
            return range(self.task_count)
        return tuple(n for n, covered in enumerate(self.mask.tasks) if covered)

    def tasks_of_shard(self, number: int, count: int) -> Sequence[int]:
        """Return the tasks of a shard, counted from 1: neighbours, with about equally many blocks per shard."""
        if self.mask is not None:  # which leaves gaps between tasks, so each counts alike
            return self.tasks[len(self.tasks) * (number - 1) // count : len(self.tasks) * number // count]

        def middle(task: int) -> float:
            regions = self.regions_of(task)
            return (self.regions.blocks_before(regions.start) + self.regions.blocks_before(regions.stop)) / 2

        tasks, blocks = range(self.task_count), self.regions.block_count
        return range(*(bisect_left(tasks, blocks * n / count, key=middle) for n in (number - 1, number)))
