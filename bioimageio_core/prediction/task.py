"""The task of a region: read, preprocess, run the network, postprocess, write."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ..blocks import Window, window
from ..errors import ModelRunError
from ..registry import WeightsAdapter
from .execute import Clock
from .model_io import ModelIO
from .network import Network
from .plan import Plan, PlannedInput, PlannedOutput
from .sample import ReadyStep, as_windows

__all__ = ["Placed", "RegionTask", "RegionWork", "Target", "run_network"]

Block = tuple[int, ...]
"""The number of the block along each grid."""

Placed: TypeAlias = "tuple[tuple[int, ...], NDArray[Any]]"
"""Where a region of an output starts, and what is in it."""


NO_AXIS = Window(0, 1, (), (0, 1), ())
"""The window of an axis that only other inputs have."""


class Target(Protocol):
    """Where outputs are written; called from several threads, never twice for a chunk."""

    def write(self, name: str, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write whole chunks."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class RegionWork:
    """What regions are computed from, beside the network; it can be pickled where the images can."""

    plan: Plan
    input_steps: Mapping[str, tuple[ReadyStep, ...]]
    """Steps by input; a prepared sample takes the place of the image where some of them needed the whole."""

    sources: Mapping[str, Any]
    """What is read for each input: its `BoundInput`, or a prepared sample with the same ``read_padded``."""

    output_steps: Mapping[str, tuple[ReadyStep, ...]]
    targets: Mapping[str, Target]
    """Where outputs are written, by id; those that are not named are returned."""


@attrs.frozen(kw_only=True, eq=False)
class RegionTask:
    """Computes regions of a plan; a region depends on nothing but the plan and its number."""

    work: RegionWork
    network: Network
    clock: Clock

    @property
    def plan(self) -> Plan:
        """The plan."""
        return self.work.plan

    def __call__(self, region: int) -> dict[str, Placed]:
        """Compute a region; write the outputs that have a target, and return the others."""
        blocks = list(self.plan.regions.blocks(region))
        assembled = {o.tensor.id: _Assembly(o, self.plan, region) for o in self.plan.outputs}
        for batch in _batches(blocks, self.plan):
            inputs = [self._input(i, batch) for i in self.plan.inputs]
            outputs = self._run(inputs)
            for output, array in zip(self.plan.outputs, outputs, strict=False):
                for number, block in enumerate(batch):
                    core = self._core(output, block, array, number, len(batch))
                    assembled[output.tensor.id].put(block, core)
        returned: dict[str, Placed] = {}
        with self._timed("write"):
            for name, assembly in assembled.items():
                start, array = assembly.finished()
                if name not in self.work.targets:
                    returned[name] = (start, array)
                elif array.size:
                    self.work.targets[name].write(name, start, array)
        return returned

    def _input(self, planned: PlannedInput, batch: Sequence[Block]) -> NDArray[Any]:
        """Return what the network gets of one input: blocks stacked along its batch axis."""
        tensor = planned.bound.tensor
        parts = []
        for block in batch:
            windows = [
                window(*self.plan.grids[tie[0]].input_window(block[tie[0]], tie[1]), size, tensor.pad_mode) if tie else NO_AXIS
                for tie, size in zip(planned.ties, planned.bound.shape, strict=True)
            ]
            with self._timed("read"):
                part = self.work.sources[tensor.id].read_padded(windows)
            extra = len(windows) - len(tensor.axes)
            part = part.reshape(part.shape[extra:])
            with self._timed("preprocess"):
                for step in self.work.input_steps[tensor.id]:
                    part = step.apply(part, windows)
            parts.append(part)
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0])
        return np.concatenate(parts, axis=tensor.axis_ids.index("batch"))

    def _run(self, inputs: list[NDArray[Any]]) -> list[NDArray[Any]]:
        by_id = {i.bound.tensor.id: array for i, array in zip(self.plan.inputs, inputs, strict=True)}
        with self.network.turn() as adapter, self._timed("predict"):
            return run_network(adapter, self.plan.model, by_id)

    def _core(self, output: PlannedOutput, block: Block, array: NDArray[Any], number: int, batch: int) -> NDArray[Any]:
        """Return the part of a block's output that is kept, postprocessed."""
        tensor = output.tensor
        index: list[slice] = []
        windows: list[Window] = []
        for axis, (axis_id, tie) in enumerate(zip(output.axes, output.ties, strict=True)):
            place = axis - output.extra
            if tie is None:
                size = array.shape[place]
                expected = output.shape[axis]
                if expected not in (-1, size):
                    raise _wrong_size(tensor.id, axis_id, size, expected)
                index.append(slice(0, size))
                windows.extend(as_windows([0], [size]))
                continue
            grid = self.plan.grids[tie[0]]
            start, stop = grid.core(block[tie[0]], tie[1])
            windows.extend(as_windows([start], [stop]))
            if place < 0:
                continue
            if axis_id == "batch":
                if array.shape[place] != batch:
                    raise _wrong_size(tensor.id, axis_id, array.shape[place], batch)
                index.append(slice(number, number + 1))
                continue
            expected = tie[1].size(grid.block_size(block[tie[0]]))
            if array.shape[place] != expected:
                raise _wrong_size(tensor.id, axis_id, array.shape[place], expected)
            crop = grid.crop(tie[1])
            index.append(slice(crop, crop + stop - start))
        core = array[tuple(index)]
        with self._timed("postprocess"):
            for step in self.work.output_steps[tensor.id]:
                core = step.apply(core, windows)
        return core

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.clock.add(stage, time.perf_counter() - begin)


class _Assembly:
    """Puts the cores of a region's blocks together, so that it is written in whole chunks."""

    def __init__(self, output: PlannedOutput, plan: Plan, region: int) -> None:
        self._output, self._plan = output, plan
        ranges = plan.regions.block_ranges(region)
        self._single = all(len(r) == 1 for r in ranges)
        start, stop = [], []
        for size, tie in zip(output.shape, output.ties, strict=True):
            if tie is None:
                start.append(0)
                stop.append(size)
            else:
                grid, span = plan.grids[tie[0]], ranges[tie[0]]
                start.append(grid.core(span[0], tie[1])[0])
                stop.append(grid.core(span[-1], tie[1])[1])
        self._start, self._stop = tuple(start), tuple(stop)
        self._array: NDArray[Any] | None = None

    def put(self, block: Block, core: NDArray[Any]) -> None:
        """Take the core of one block."""
        core = core.reshape((1,) * self._output.extra + core.shape)
        if self._single:
            self._array = core
            return
        if self._array is None:
            self._array = np.empty([b - a for a, b in zip(self._start, self._stop, strict=True)], core.dtype)
        index = []
        for n, tie in enumerate(self._output.ties):
            if tie is None:
                index.append(slice(None))
            else:
                begin, end = self._plan.grids[tie[0]].core(block[tie[0]], tie[1])
                index.append(slice(begin - self._start[n], end - self._start[n]))
        self._array[tuple(index)] = core

    def finished(self) -> tuple[tuple[int, ...], NDArray[Any]]:
        """Return where the region starts, and what is in it."""
        assert self._array is not None
        return self._start, self._array


def run_network(adapter: WeightsAdapter, model: ModelIO, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Call the network with inputs by id, in described order; check number and rank of what it returns.

    Raises:
        ModelRunError: The network failed, or its outputs are not those described.

    """
    outputs = list(adapter([inputs.get(t.id) for t in model.inputs]))
    if len(outputs) < len(model.outputs):
        raise ModelRunError(
            f"the network returned {len(outputs)} outputs: expected {len(model.outputs)} ({', '.join(t.id for t in model.outputs)})"
        )
    for tensor, array in zip(model.outputs, outputs, strict=False):
        if array.ndim != len(tensor.axes):
            raise ModelRunError(
                f"output {tensor.id!r} of the network has {array.ndim} axes (shape {array.shape}): "
                f"expected {len(tensor.axes)} ({', '.join(tensor.axis_ids)})"
            )
    return outputs[: len(model.outputs)]


def _batches(blocks: list[Block], plan: Plan) -> Iterator[list[Block]]:
    """Yield blocks that the network takes in one call: of equal size, at most the batch size."""
    stackable = all("batch" in i.bound.tensor.axis_ids for i in plan.inputs) and all("batch" in o.tensor.axis_ids for o in plan.outputs)
    if plan.batch_size == 1 or not stackable:
        yield from ([b] for b in blocks)
        return
    by_size: dict[tuple[int, ...], list[Block]] = {}
    for block in blocks:
        by_size.setdefault(tuple(g.block_size(k) for g, k in zip(plan.grids, block, strict=True)), []).append(block)
    for same in by_size.values():
        for start in range(0, len(same), plan.batch_size):
            yield same[start : start + plan.batch_size]


def _wrong_size(tensor: str, axis: str, found: int, expected: int) -> ModelRunError:
    return ModelRunError(
        f"output {tensor!r} of the network has {found} pixels along axis {axis!r}: "
        f"expected {expected} by its description (ratio, offset or size is wrong)"
    )
