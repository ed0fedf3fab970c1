"""Outputs as dask arrays, computed in the graph and by the scheduler of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..io.lazy import Lazy
from ..registry import Measure, collect
from ..sources import Package
from ..statistics import StreamingStatistics, pass_count
from .data.bind_inputs import BoundInput, pad_windows
from .data.pooling import Pooling
from .data.tensor_view import AxisArray, BoundStep, as_windows
from .execution.bound_steps import bind_step, step_statistics
from .execution.cached_inputs import input_view
from .execution.passes.region_computer import InputReader, OutputWriter, RegionComputer, RegionPipeline
from .execution.passes.region_input import region_windows
from .execution.passes.regions import lazy_network
from .execution.stage_timer import StageTimer
from .model.loaded_model import LoadedModel
from .model.network import Network
from .model.processing_steps import Step
from .output.encoder import OutputEncoder
from .output.region_assembly import placement
from .planning.plan import Plan
from .planning.plan_passes import pooled_measure
from .planning.planned_tensors import PlannedInput, PlannedOutput

if TYPE_CHECKING:
    import dask.array as da

__all__ = ["lazy_outputs"]


def lazy_outputs(plan: Plan, model: LoadedModel, *, trust: bool) -> dict[str, da.Array]:
    """Return each output as a dask array along its axes, extra axes first.

    Chunks are regions of the plan. Statistics of the input, and chunks of inputs that are dask arrays, are tasks of the same graph.
    Each process that computes loads the network once.

    Args:
        plan: The plan.
        model: The model.
        trust: Whether code that comes with the model may run.

    Raises:
        InputError: Postprocessing or blending needs the whole output, or an op needs more of the input than a block.

    """
    import dask

    _check_possible(plan)
    arrays = {i.id: _as_dask(i.bound) for i in plan.inputs}
    source = dask.delayed(_Source(model.descr, model.package, trust), pure=True)
    steps = {i.id: _lazy_steps(i, arrays[i.id], source, plan) for i in plan.inputs}
    network = dask.delayed(_network, pure=True)(source, plan)
    bound_steps = dask.delayed(_all_steps)(steps, plan, source)
    compute = dask.delayed(_region, nout=1)
    parts: dict[str, NDArray[Any]] = {o.id: np.empty(plan.regions.shape, dtype=object) for o in plan.outputs}
    for region in range(plan.regions.count):
        at = plan.regions.position(region)
        pieces = [_region_of_input(i, arrays[i.id], plan, region) for i in plan.inputs]
        outputs = compute(plan, bound_steps, network, region, pieces)
        for output in plan.outputs:
            parts[output.id][at] = _chunk(output, plan, region, outputs)
    return {o.id: _concatenated(o, parts[o.id]) for o in plan.outputs}


def _check_possible(plan: Plan) -> None:
    for output in plan.outputs:
        if output.has_late_pass or output.data_dependent:
            what = "has a size that the network determines" if output.data_dependent else "needs a pass over all blocks"
            raise InputError(f"output {output.id!r} {what}, so it cannot be lazy: predict to a store (output=), and open it")
    for planned in plan.inputs:
        cut = planned.cut_axes(plan.grids)
        for step in planned.steps:
            if step.sees_whole(cut) or step.needs_halo(cut) or any(m.tensor is not None for m in step.needs.measures):
                raise InputError(
                    f"op {step.name!r} of input {planned.id!r} needs more than a block, so the prediction cannot be lazy: "
                    "predict to a store (output=), and open it"
                )


def _as_dask(bound: BoundInput) -> da.Array:
    """Return an input as a dask array along its axes; chunks span one position of each extra axis."""
    import dask.array as da

    source: Any = getattr(bound.image.reader, "array", None)
    if hasattr(source, "dask") and not bound.image.start and bound.image.picked is None:
        present = [n for n in bound.source_axes if n is not None]
        dropped = [n for n in range(source.ndim) if n not in present]
        array = source[tuple(0 if n in dropped else slice(None) for n in range(source.ndim))]
        order = [sum(m not in dropped for m in range(n)) for n in present]
        array = array.transpose(order)[tuple(None if n is None else slice(None) for n in bound.source_axes)]
    else:
        sizes = [min(n, max(1, c)) for n, c in zip(bound.shape, bound.chunks, strict=True)]
        if bound.image.chunks is None:
            sizes = [min(n, 512) for n in bound.shape]
        array = da.from_array(
            _SliceableInput(bound), chunks=tuple(sizes), name=False, asarray=False, meta=np.empty((0,) * len(sizes), bound.image.dtype)
        )
    extra = len(bound.extra_axes)
    return array.rechunk(dict.fromkeys(range(extra), 1)) if extra else array


class _SliceableInput:
    """An input that dask can slice."""

    def __init__(self, bound: BoundInput) -> None:
        self._bound = bound
        self.shape, self.dtype, self.ndim = bound.shape, bound.image.dtype, len(bound.shape)

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        spans = [i.indices(n)[:2] for i, n in zip(index, self.shape, strict=True)]
        return self._bound.read([a for a, _ in spans], [b for _, b in spans])


@attrs.frozen
class _Source:
    """What a process loads the model from, with its own plugins."""

    descr: Any
    package: Package
    trust: bool

    def model(self) -> LoadedModel:
        """Load the model."""
        return LoadedModel.of(self.descr, self.package, collect())


def _lazy_steps(planned: PlannedInput, array: da.Array, source: Any, plan: Plan) -> list[Any]:
    """Return the bound steps of an input, each as a task; ``source`` is a task that returns a `_Source`."""
    import dask

    supplied, view = {**plan.known, **plan.supplied}, input_view(planned.bound)
    bound_steps: list[Any] = []
    for number, step in enumerate(planned.steps):
        keys = {m: step.key(planned.id, m) for m in step.needs.measures}
        given = {m: step_statistics(k, supplied[k], m, view, plan.pooling) for m, k in keys.items() if k in supplied}
        measured = dask.delayed(given)
        unknown = tuple(m for m in keys if m not in given)
        if unknown:
            found = _measured(array, planned.steps[:number], list(bound_steps), unknown, planned.bound, plan.pooling)
            measured = dask.delayed(_both)(given, found)
        bound_steps.append(dask.delayed(_bind_step)(step, measured, source))
    return bound_steps


def _both(given: Mapping[Measure, AxisArray], measured: Mapping[Measure, AxisArray]) -> dict[Measure, AxisArray]:
    return {**given, **measured}


def _measured(
    array: da.Array, before: Sequence[Step], bound_steps: list[Any], measures: Sequence[Measure], bound: BoundInput, pooling: Pooling
) -> Any:
    """Return a task that measures an input after some steps, which are given as planned, and bound as tasks."""
    import dask

    whole = [n for n, a in enumerate(bound.axes) if any(a in s.needs.whole_axes for s in before)]
    array = array.rechunk(dict.fromkeys(whole, -1)) if whole else array
    extra = len(bound.extra_axes)
    begin, update = dask.delayed(_begin), dask.delayed(_update)
    merge, end = dask.delayed(_merge), dask.delayed(_end)
    blocks = [(at, array.blocks[at].to_delayed().ravel()[0]) for at in np.ndindex(*array.numblocks)]
    starts = [np.cumsum([0, *c]) for c in array.chunks]
    dtype = array.dtype if not before else np.dtype(before[-1].needs.expected_dtype("float32"))
    pooled = {m: pooled_measure(m, bound.axes, extra, pooling) for m in measures}
    state = begin(tuple(pooled.values()), bound.axes, array.shape, dtype)
    passes = pass_count(measures, dtype)
    for _ in range(passes):
        partials = [
            update(state, bound_steps, block, tuple(int(s[i]) for s, i in zip(starts, at, strict=True)), extra) for at, block in blocks
        ]
        while len(partials) > 1:  # a tree in the order of blocks, so that sums do not depend on the scheduler
            partials = [merge(partials[n : n + 8]) for n in range(0, len(partials), 8)]
        state = end(state, partials[0])
    return dask.delayed(_results)(state, pooled, bound.axes)


def _begin(measures: tuple[Measure, ...], axes: tuple[str, ...], shape: tuple[int, ...], dtype: Any) -> StreamingStatistics:
    return StreamingStatistics(measures, axes=axes, shape=shape, dtype=dtype)


def _update(state: StreamingStatistics, steps: list[BoundStep], block: NDArray[Any], start: tuple[int, ...], extra: int) -> Any:
    partial = state.partial()
    for at in product(*(range(n) for n in block.shape[:extra])):
        item = block[at]
        low = [a + i for a, i in zip(start[:extra], at, strict=True)] + list(start[extra:])
        windows = as_windows(low, [a + n for a, n in zip(low, (*([1] * extra), *item.shape), strict=True)])
        for step in steps:
            item = step.apply(item, windows)
        partial.update(item.reshape((*([1] * extra), *item.shape)), tuple(low))
    return partial


def _merge(partials: list[Any]) -> Any:
    first, *rest = partials
    whole = _copied(first)
    for partial in rest:
        whole.merge(partial)
    return whole


def _copied(partial: Any) -> Any:
    """Return a deep copy, since results of tasks must not be changed."""
    import copy

    return copy.deepcopy(partial)


def _end(state: StreamingStatistics, merged: Any) -> StreamingStatistics:
    following: StreamingStatistics = _copied(state)
    following.end_pass(merged)
    return following


def _results(state: StreamingStatistics, pooled: Mapping[Measure, Measure], axes: tuple[str, ...]) -> dict[Measure, AxisArray]:
    results = state.results()
    return {m: AxisArray(values=results[measured], axes=axes) for m, measured in pooled.items()}


def _bind_step(step: Step, measured: Mapping[Measure, AxisArray], source: _Source) -> BoundStep:
    return _bound(step, measured, source.model(), source.trust)


def _bound(step: Step, measured: Mapping[Measure, AxisArray], model: LoadedModel, trust: bool) -> BoundStep:
    return bind_step(step, step.make(model, trust=trust), model.registry, measured)


def _all_steps(steps: dict[str, list[BoundStep]], plan: Plan, source: _Source) -> dict[str, tuple[BoundStep, ...]]:
    """Return the bound steps of all tensors by id; steps of outputs are bound with the plugins of this process."""
    found, model = {name: tuple(own) for name, own in steps.items()}, source.model()
    return found | {o.id: tuple(_bound(s, {}, model, source.trust) for s in o.steps) for o in plan.outputs}


def _network(source: _Source, plan: Plan) -> Lazy[Network]:
    """Return the network, loaded at its first use in each process."""
    return lazy_network(plan, source.descr, source.package, trust=source.trust)


def _region_of_input(planned: PlannedInput, array: da.Array, plan: Plan, region: int) -> Any:
    """Return a task for the unpadded part of an input that a region reads."""
    windows = region_windows(planned, plan.grids, plan.regions.block_ranges(region))
    part = array[tuple(slice(w.start, w.stop) for w in windows)].rechunk(-1)
    return part.to_delayed().ravel()[0]


class _ReadRegion:
    """A source of a region task that holds the unpadded region."""

    def __init__(self, region: NDArray[Any], pad_value: float) -> None:
        self._region, self._pad_value = region, pad_value

    def read_padded(self, windows: Sequence[Any]) -> NDArray[Any]:
        """Return the region, padded."""
        return pad_windows(self._region, windows, self._pad_value)


def _region(plan: Plan, steps: Mapping[str, tuple[BoundStep, ...]], network: Lazy[Network], region: int, pieces: list[NDArray[Any]]) -> Any:
    """Compute a region; return the outputs by id."""
    work = RegionPipeline(
        plan=plan,
        inputs=tuple(
            InputReader(planned=i, source=_ReadRegion(piece, i.bound.tensor.pad_value), steps=steps[i.id])
            for i, piece in zip(plan.inputs, pieces, strict=True)
        ),
        outputs=tuple(
            OutputWriter(planned=o, steps=steps[o.id], sink=None, encoder=OutputEncoder(output=o, mask=plan.mask)) for o in plan.outputs
        ),
    )
    computed = RegionComputer(work=work, network=network(), timer=StageTimer())(region)
    return {name: array for name, (_, array) in computed.placed.items()}


def _chunk(output: PlannedOutput, plan: Plan, region: int, outputs: Any) -> da.Array:
    """Return the part of an output that a region computes, as a dask array."""
    import dask
    import dask.array as da

    start, stop = placement(output, plan.grids, plan.regions.block_ranges(region))
    shape = tuple(b - a for a, b in zip(start, stop, strict=True))
    part = dask.delayed(_output_or_zeros)(outputs, output.id, shape, output.storage_dtype.dtype)
    return da.from_delayed(part, shape=shape, dtype=np.dtype(output.storage_dtype.dtype))


def _output_or_zeros(outputs: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Return one of the outputs of a region; zeros if all of its blocks were skipped."""
    return outputs[name] if name in outputs else np.zeros(shape, dtype)


def _concatenated(output: PlannedOutput, parts: NDArray[Any]) -> da.Array:
    """Concatenate regions along the axes of their grids."""
    import dask.array as da

    axes = {tie.grid: n for n, tie in enumerate(output.ties) if tie is not None}
    nested: Any = parts
    for number in reversed(range(parts.ndim)):
        joined = np.empty(nested.shape[:-1], dtype=object)
        for at in np.ndindex(*nested.shape[:-1]):
            row = list(nested[at])
            joined[at] = da.concatenate(row, axis=axes[number]) if len(row) > 1 else row[0]
        nested = joined
    return nested[()]
