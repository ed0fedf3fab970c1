"""The task of a region: read, preprocess, run the network, postprocess, write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import attrs
from numpy.typing import NDArray

from ....blocks import AxisGrid
from ....errors import DeviceMemoryError
from ...data.tensor_view import BoundStep, as_windows
from ...data.whole_tensors import PaddedSource
from ...model.network import Network, run_network
from ...output.encoder import OutputEncoder
from ...output.region_assembly import Assembly, Placed, placement
from ...output.sinks import Sink
from ...planning.plan import Plan
from ...planning.planned_tensors import PlannedInput, PlannedOutput
from ..stage_timer import StageTimer
from .block_batches import Block, batches, core_of, halved_grids, stacked
from .listed_objects import objects_of_image
from .region_input import RegionInput, read_region

__all__ = ["ComputedRegion", "InputReader", "OutputWriter", "RegionComputer", "RegionPipeline"]


@attrs.frozen(kw_only=True, eq=False)
class InputReader:
    """The source of an input, and the steps of preprocessing."""

    planned: PlannedInput
    source: PaddedSource
    steps: tuple[BoundStep, ...]


@attrs.frozen(kw_only=True, eq=False)
class OutputWriter:
    """The steps of postprocessing, the encoder and the sink of an output."""

    planned: PlannedOutput
    steps: tuple[BoundStep, ...]
    sink: Sink | None
    """The sink of regions; None if the task returns them."""

    encoder: OutputEncoder | None
    """The last step before regions are written; None if a later pass completes the output."""


@attrs.frozen(kw_only=True, eq=False)
class ComputedRegion:
    """The result of a region."""

    placed: dict[str, Placed]
    """Outputs that have no sink, by id."""

    nan_counts: dict[str, int]
    """Number of NaN in the region of each input; inputs without NaN are left out."""

    notes: tuple[str, ...] = ()
    """Sentences about objects that the network lists; see `Prediction.notes`."""


@attrs.frozen(kw_only=True, eq=False)
class RegionPipeline:
    """Everything that regions are computed from, except the network; picklable if the images are."""

    plan: Plan
    inputs: tuple[InputReader, ...]
    outputs: tuple[OutputWriter, ...]


@attrs.frozen(kw_only=True, eq=False)
class RegionComputer:
    """Computes regions of a plan; a region depends only on the plan and its number."""

    work: RegionPipeline
    network: Network
    timer: StageTimer

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.work.plan

    def __call__(self, region: int) -> ComputedRegion:
        """Compute a region; write outputs that have a sink."""
        assemblies, nan_counts, notes = self._computed(region)
        return ComputedRegion(placed=self._written(assemblies), nan_counts=nan_counts, notes=notes)

    def _computed(self, region: int) -> tuple[list[Assembly], dict[str, int], tuple[str, ...]]:
        """Return outputs, number of NaN by input, and notes of a region; the memory of inputs is released before outputs are written."""
        grids, ranges = self.plan.grids, self.plan.regions.block_ranges(region)
        blocks = [b for b in product(*ranges) if self.plan.mask is None or self.plan.mask.covers(b)]
        assemblies = [Assembly(o.planned, grids, ranges) for o in self.work.outputs]
        nan_counts: dict[str, int] = {}
        notes: tuple[str, ...] = ()
        if blocks:
            inputs = self._read(grids, ranges)
            nan_counts = {i.planned.id: i.nan_count for i in inputs if i.nan_count}
            if self.plan.skip_empty:
                blocks = [b for b in blocks if not all(i.is_empty(b) for i in inputs)]
            for batch in batches(blocks, self.plan, grids):
                for cores in self._cores(batch, grids, inputs):
                    if self.plan.objects:  # in a single block
                        arrays, notes = objects_of_image(self.plan.objects, self.plan.outputs_of_regions, [core for _, core in cores])
                        cores = [(start, array) for (start, _), array in zip(cores, arrays, strict=True)]
                    for output, assembly, (start, core) in zip(self.work.outputs, assemblies, cores, strict=True):
                        assembly.put(start, self._postprocessed(output, start, core))
        return assemblies, nan_counts, notes

    def _read(self, grids: tuple[AxisGrid, ...], ranges: tuple[range, ...]) -> list[RegionInput]:
        return [
            read_region(i.planned, grids, ranges, i.source, i.steps, self.timer.timed, keep_raw=self.plan.skip_empty)
            for i in self.work.inputs
        ]

    def _cores(self, batch: Sequence[Block], grids: tuple[AxisGrid, ...], inputs: Sequence[RegionInput]) -> Iterator[list[Placed]]:
        """Yield the cores of each block; if device memory is full, compute smaller batches, then smaller blocks."""
        smaller: tuple[AxisGrid, ...] | None = None
        try:
            outputs = self._run({i.planned.id: stacked(i, batch) for i in inputs})
        except DeviceMemoryError:
            if len(batch) == 1:
                uncut = any(o.blend or o.data_dependent for o in self.plan.outputs_of_regions)
                smaller = None if uncut else halved_grids(batch[0], grids)
                if smaller is None:
                    raise
            outputs = None
        # Outside of the handler, which would keep the arrays of the failed call alive.
        if outputs is None and smaller is not None:
            starts = [placement(o, grids, [range(k, k + 1) for k in batch[0]])[0] for o in self.plan.outputs_of_regions]
            yield list(zip(starts, self._in_parts(smaller), strict=True))
            return
        if outputs is None:
            yield from self._cores(batch[: len(batch) // 2], grids, inputs)
            yield from self._cores(batch[len(batch) // 2 :], grids, inputs)
            return
        for number in range(len(batch)):
            yield [core_of(o, array, batch, number, grids) for o, array in zip(self.plan.outputs_of_regions, outputs, strict=True)]

    def _in_parts(self, grids: tuple[AxisGrid, ...]) -> list[NDArray[Any]]:
        """Return the cores of one block, assembled from the smaller blocks of these grids."""
        ranges = tuple(range(g.count) for g in grids)
        parts = [Assembly(o, grids, ranges) for o in self.plan.outputs_of_regions]
        for block in product(*ranges):
            inputs = self._read(grids, tuple(range(k, k + 1) for k in block))
            for cores in self._cores([block], grids, inputs):
                for part, (start, core) in zip(parts, cores, strict=True):
                    part.put(start, core)
        whole = []
        for output, part in zip(self.plan.outputs_of_regions, parts, strict=True):
            placed = part.finished()
            assert placed is not None
            whole.append(placed[1].reshape(placed[1].shape[output.extra :]))
        return whole

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        with self.network.acquire() as adapter, self.timer.timed("predict"):
            return run_network(adapter, self.plan.model, inputs)

    def _postprocessed(self, output: OutputWriter, start: tuple[int, ...], core: NDArray[Any]) -> NDArray[Any]:
        if not output.steps:
            return core
        windows = as_windows(start, [a + n for a, n in zip(start, (1,) * output.planned.extra + core.shape, strict=True)])
        with self.timer.timed("postprocess"):
            for step in output.steps:
                core = step.apply(core, windows)
        return core

    def _written(self, assemblies: Sequence[Assembly]) -> dict[str, Placed]:
        """Write outputs that have a sink; return the other outputs by id."""
        returned: dict[str, Placed] = {}
        for output, assembly in zip(self.work.outputs, assemblies, strict=True):
            placed = assembly.finished()
            if placed is None or not (placed[1].size or output.planned.data_dependent):
                continue
            start, array = placed
            if output.encoder is not None:
                with self.timer.timed("postprocess"):
                    array = output.encoder(start, array)
            if output.sink is not None:
                with self.timer.timed("write"):
                    output.sink.write(start, array)
            else:
                returned[output.planned.id] = (start, array)
        return returned
