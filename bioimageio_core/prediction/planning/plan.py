"""The plan of a prediction: every decision, made before anything is computed."""

from __future__ import annotations

from bisect import bisect_left
from math import prod
from typing import Any

import attrs

from ...blocks import AxisGrid, RegionGrid
from ...io.writing.ome_output import OmeImage
from ...typing import AxisId, FrozenMapping
from ..model.planned_run_mode import PlannedRunMode
from ..model.tensor_spec import ModelIO
from ..model.weights_selection import WeightsChoice
from .blocks.axis_groups import SizedGroup
from .cache_policy import CachePolicy
from .mask import Mask
from .passes import Pass
from .planned_tensors import PlannedInput, PlannedOutput
from .profiling.profile import Profile
from .run_choices import RunChoices

__all__ = ["Plan"]


@attrs.frozen(kw_only=True)
class Plan:
    """What will be computed, and how. Planning runs no model."""

    model: ModelIO
    weights: WeightsChoice
    run_mode: PlannedRunMode | None
    inputs: tuple[PlannedInput, ...]
    outputs: tuple[PlannedOutput, ...]
    groups: tuple[SizedGroup, ...]
    regions: RegionGrid
    regions_per_task: int
    """Regions that one task computes, one after the other."""

    batch_size: int
    workers: int
    """Calls of the network at once."""

    in_flight: int
    """Regions at once: some are read and written while the network computes others."""

    cache: tuple[CachePolicy, ...]
    """What is kept of each input, since blocks share chunks."""

    mask: Mask | None
    skip_empty: bool
    """Whether blocks are skipped of which all pixels are 0."""

    threads: int
    """Threads of one call of the network."""

    pool_over: tuple[AxisId, ...]
    """Extra axes that statistics are pooled over."""

    supplied: FrozenMapping[str, Any]
    """Statistics of a dataset that are used as they are, by `Step.key`."""

    known: FrozenMapping[str, Any]
    """Statistics of these very images that were measured before, by `Step.key`."""

    ome: FrozenMapping[str, OmeImage]
    """OME-Zarr images to write, by output; empty for plain zarr arrays."""

    passes: tuple[Pass, ...]
    """What a run does, in order."""

    memory: int
    """The budget in bytes."""

    estimated_memory: int
    """Host memory in bytes that the run is expected to need."""

    floor: int
    """The smallest budget in bytes that is enough."""

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
        """Number of tasks of the pass over regions."""
        return -(-self.regions.count // self.regions_per_task)

    @property
    def concurrent_io(self) -> int:
        """Threads that measure or write at once while no network runs: those of its calls, or, beside a device, those of regions."""
        return self.workers if self.weights.on_cpu else self.in_flight

    @property
    def computed_per_kept(self) -> float:
        """Pixels given to the network per pixel of the image."""
        return prod(g.computed_per_kept for g in self.grids)

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

    def regions_of(self, task: int) -> range:
        """Return the regions of a task."""
        first = task * self.regions_per_task
        return range(first, min(first + self.regions_per_task, self.regions.count))

    def tasks_of_shard(self, number: int, count: int) -> range:
        """Return the tasks of a shard, counted from 1: neighbours, with about as many blocks as those of the other shards."""

        def middle(task: int) -> float:
            regions = self.regions_of(task)
            return (self.regions.blocks_before(regions.start) + self.regions.blocks_before(regions.stop)) / 2

        tasks, blocks = range(self.task_count), self.regions.block_count
        return range(*(bisect_left(tasks, blocks * n / count, key=middle) for n in (number - 1, number)))
