"""The task of a region: read, preprocess, run the network, postprocess, write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Protocol, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ....blocks import AxisGrid, FixedSize
from ....errors import DeviceMemoryError, ModelRunError
from ...data.tensor_view import BoundStep, as_windows
from ...model.network import Network, run_network
from ...output.encoder import OutputEncoder
from ...output.region_assembly import Assembly, Placed, placement
from ...planning.mask import Mask
from ...planning.plan import Plan, PlannedOutput
from ..stage_timer import StageTimer
from .region_input import PaddedSource, RegionInput, read_region

__all__ = ["RegionTask", "RegionWork", "Target"]

Block: TypeAlias = tuple[int, ...]
"""The number of the block along each grid."""


class Target(Protocol):
    """Where outputs are written; called from several threads, never twice for a chunk."""

    def write(self, name: str, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write whole chunks."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class RegionWork:
    """What regions are computed from, beside the network; it can be pickled where the images can."""

    plan: Plan
    input_steps: Mapping[str, tuple[BoundStep, ...]]
    """Steps by input; a prepared sample takes the place of the image where some of them needed the whole."""

    sources: Mapping[str, PaddedSource]
    """What is read for each input: its `BoundInput`, or a prepared sample."""

    output_steps: Mapping[str, tuple[BoundStep, ...]]
    targets: Mapping[str, Target]
    """Where outputs are written, by id; those that are not named are returned."""

    mask: Mask | None = None
    finishing: Mapping[str, OutputEncoder] = attrs.field(factory=dict)
    """What is done to outputs last, by id; outputs that are not named wait for another pass."""


@attrs.frozen(kw_only=True, eq=False)
class RegionTask:
    """Computes regions of a plan; a region depends on nothing but the plan and its number."""

    work: RegionWork
    network: Network
    clock: StageTimer

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.work.plan

    def __call__(self, region: int) -> dict[str, Placed]:
        """Compute a region; write the outputs that have a target, and return the others."""
        return self._written(self._computed(region))

    def _computed(self, region: int) -> list[Assembly]:
        """Return the outputs of a region; what was read for them is let go before they are written."""
        grids, ranges = self.plan.grids, self.plan.regions.block_ranges(region)
        blocks = [b for b in product(*ranges) if self.work.mask is None or self.work.mask.covers(b)]
        assemblies = [Assembly(o, grids, ranges) for o in self.plan.outputs]
        if blocks:
            inputs = self._read(grids, ranges)
            if self.plan.skip_empty:
                blocks = [b for b in blocks if not all(i.is_empty(b) for i in inputs)]
            for batch in _batches(blocks, self.plan, grids):
                for cores in self._cores(batch, grids, inputs):
                    for output, assembly, (start, core) in zip(self.plan.outputs, assemblies, cores, strict=True):
                        assembly.put(start, self._postprocessed(output, start, core))
        return assemblies

    def _read(self, grids: tuple[AxisGrid, ...], ranges: tuple[range, ...]) -> list[RegionInput]:
        work = self.work
        ids = [i.bound.tensor.id for i in self.plan.inputs]
        return [
            read_region(planned, grids, ranges, work.sources[name], work.input_steps[name], self.clock.timed, keep_raw=self.plan.skip_empty)
            for name, planned in zip(ids, self.plan.inputs, strict=True)
        ]

    def _cores(self, batch: Sequence[Block], grids: tuple[AxisGrid, ...], inputs: Sequence[RegionInput]) -> Iterator[list[Placed]]:
        """Yield what is kept of each block's outputs, as the network gives it; where a device is full, from fewer or smaller blocks."""
        smaller: tuple[AxisGrid, ...] | None = None
        try:
            outputs = self._run({i.planned.bound.tensor.id: _stacked(i, batch) for i in inputs})
        except DeviceMemoryError:
            if len(batch) == 1:
                smaller = None if any(o.blend for o in self.plan.outputs) else _halved(batch[0], grids)
                if smaller is None:
                    raise
            outputs = None
        # Outside of the handler, which would hold on to the arrays of the call that failed.
        if outputs is None and smaller is not None:
            starts = [placement(o, grids, [range(k, k + 1) for k in batch[0]])[0] for o in self.plan.outputs]
            yield list(zip(starts, self._in_parts(smaller), strict=True))
            return
        if outputs is None:
            yield from self._cores(batch[: len(batch) // 2], grids, inputs)
            yield from self._cores(batch[len(batch) // 2 :], grids, inputs)
            return
        for number, block in enumerate(batch):
            yield [_core(o, block, grids, a, number, len(batch)) for o, a in zip(self.plan.outputs, outputs, strict=True)]

    def _in_parts(self, grids: tuple[AxisGrid, ...]) -> list[NDArray[Any]]:
        """Return the cores of one block, put together from the smaller blocks of these grids."""
        ranges = tuple(range(g.count) for g in grids)
        parts = [Assembly(o, grids, ranges) for o in self.plan.outputs]
        for block in product(*ranges):
            inputs = self._read(grids, tuple(range(k, k + 1) for k in block))
            for cores in self._cores([block], grids, inputs):
                for part, (start, core) in zip(parts, cores, strict=True):
                    part.put(start, core)
        whole = []
        for output, part in zip(self.plan.outputs, parts, strict=True):
            placed = part.finished()
            assert placed is not None
            whole.append(placed[1].reshape(placed[1].shape[output.extra :]))
        return whole

    def _run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        with self.network.acquire() as adapter, self.clock.timed("predict"):
            return run_network(adapter, self.plan.model, inputs)

    def _postprocessed(self, output: PlannedOutput, start: tuple[int, ...], core: NDArray[Any]) -> NDArray[Any]:
        steps = self.work.output_steps[output.tensor.id]
        if not steps:
            return core
        windows = as_windows(start, [a + n for a, n in zip(start, (1,) * output.extra + core.shape, strict=True)])
        with self.clock.timed("postprocess"):
            for step in steps:
                core = step.apply(core, windows)
        return core

    def _written(self, assemblies: Sequence[Assembly]) -> dict[str, Placed]:
        """Write what is finished; return what has no target."""
        returned: dict[str, Placed] = {}
        for output, assembly in zip(self.plan.outputs, assemblies, strict=True):
            placed = assembly.finished()
            if placed is None or not placed[1].size:
                continue
            name, (start, array) = output.tensor.id, placed
            if name in self.work.finishing:
                with self.clock.timed("postprocess"):
                    array = self.work.finishing[name](start, array)
            if name in self.work.targets:
                with self.clock.timed("write"):
                    self.work.targets[name].write(name, start, array)
            else:
                returned[name] = (start, array)
        return returned


def _stacked(region: RegionInput, batch: Sequence[Block]) -> NDArray[Any]:
    """Return what the network gets of one input: blocks stacked along its batch axis."""
    parts = [region.block(block) for block in batch]
    if len(parts) == 1:
        return np.ascontiguousarray(parts[0])
    return np.concatenate(parts, axis=region.planned.bound.tensor.axis_ids.index("batch"))


def _core(output: PlannedOutput, block: Block, grids: tuple[AxisGrid, ...], array: NDArray[Any], number: int, batch: int) -> Placed:
    """Return the part of a block's output that is kept, along the axes of the tensor, and where it starts in the output."""
    index: list[slice] = []
    starts: list[int] = []
    for axis, (axis_id, tie) in enumerate(zip(output.axes, output.ties, strict=True)):
        start, stop = (0, 0) if tie is None else output.place(grids[tie[0]], block[tie[0]], tie[1])
        starts.append(start)
        if axis < output.extra:
            continue
        size = array.shape[axis - output.extra]
        if tie is None:
            expected = output.shape[axis]
            index.append(slice(0, size))
        elif axis_id == "batch":
            expected = batch
            index.append(slice(number, number + 1))
        else:
            grid = grids[tie[0]]
            expected = tie[1].size(grid.block_size(block[tie[0]]))
            crop = grid.crop(tie[1]) if output.blend is None else 0
            index.append(slice(crop, crop + stop - start))
        if expected not in (-1, size):
            raise ModelRunError(
                f"output {output.tensor.id!r} of the network has {size} pixels along axis {axis_id!r}: "
                f"expected {expected} by its description (ratio, offset or size is wrong)"
            )
    return tuple(starts), array[tuple(index)]


def _batches(blocks: list[Block], plan: Plan, grids: tuple[AxisGrid, ...]) -> Iterator[list[Block]]:
    """Yield blocks that the network takes in one call: of equal size, at most the batch size."""
    stackable = all("batch" in i.bound.tensor.axis_ids for i in plan.inputs) and all("batch" in o.tensor.axis_ids for o in plan.outputs)
    if plan.batch_size == 1 or not stackable:
        yield from ([b] for b in blocks)
        return
    by_size: dict[tuple[int, ...], list[Block]] = {}
    for block in blocks:
        by_size.setdefault(tuple(g.block_size(k) for g, k in zip(grids, block, strict=True)), []).append(block)
    for same in by_size.values():
        for start in range(0, len(same), plan.batch_size):
            yield same[start : start + plan.batch_size]


def _halved(block: Block, grids: tuple[AxisGrid, ...]) -> tuple[AxisGrid, ...] | None:
    """Return grids that cut one block in two along its longest axis; None where no axis can be cut."""
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
