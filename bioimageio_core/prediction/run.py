"""A plan carried out: statistics, regions, and what has to wait for the whole output."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

import numpy as np

from ..io import ArraySpec, OutputStore, create_output, create_temporary
from ..typing import FrozenMapping
from .execute import Clock, for_each
from .loaded import LoadedModel
from .measure import Scanner
from .options import PredictOptions, Progress
from .plan import Plan, PlannedOutput
from .prepare import prepare_inputs, raw_sample, ready_steps, reference_statistics
from .result import LabelledArray, Prediction
from .sample import AxisArray, Sample
from .targets import MemoryTarget, ScratchTarget
from .task import RegionWork, Target

__all__ = ["run_plan"]

LATE_ELEMENTS = 2**21
"""Elements that one task of a pass over an output processes."""

MANY = 64
"""Statistics with more values than this are not reported value by value."""


class Regions(Protocol):
    """Computes all regions, here or elsewhere."""

    def __call__(self, work: RegionWork, clock: Clock, progress: Progress | None) -> None:
        """Compute and write."""
        ...


def run_plan(plan: Plan, model: LoadedModel, options: PredictOptions, regions: Regions, *, output: str | None = None) -> Prediction:
    """Compute all regions of a plan.

    Args:
        plan: What to compute.
        model: The model that the plan was made for.
        options: `overwrite` and `progress` are used.
        regions: Computes them.
        output: Path or URL of a zarr group to write; None keeps the outputs in memory.

    Raises:
        OutputError: The output exists, or cannot be written.
        ModelRunError: The network failed.

    """
    begin = time.perf_counter()
    clock = Clock()
    told: dict[str, Any] = {}
    scanner = Scanner(
        registry=model.registry,
        workers=plan.workers,
        pool_over=plan.pool_over,
        progress=options.progress,
        supplied=options.statistics,
        report=lambda key, value: told.update({key: _plain(value)}),
    )
    with ExitStack() as stack:
        place = _Place(plan, output, options, stack)
        with _timed(clock, "statistics"):
            raw = {i.bound.tensor.id: raw_sample(i.bound) for i in plan.inputs}
            steps = [s for i in plan.inputs for s in i.steps] + [s for o in plan.outputs for s in (*o.steps, *o.late_steps)]
            references = reference_statistics(raw, steps, scanner)
            inputs = prepare_inputs(plan, scanner, references)
        early = {
            o.tensor.id: ready_steps(place.sample(o), o.steps, scanner, references, name=o.tensor.id, cut=()).steps for o in plan.outputs
        }
        work = RegionWork(
            plan=plan,
            input_steps={name: i.steps for name, i in inputs.items()},
            sources={name: i.source for name, i in inputs.items()},
            output_steps=early,
            targets=place.first,
        )
        regions(work, clock, options.progress)
        with _timed(clock, "whole output"):
            for planned in plan.outputs:
                if planned.late_steps:
                    sample = ready_steps(
                        place.sample(planned), planned.late_steps, scanner, references, name=planned.tensor.id, cut=_spatial(planned)
                    )
                    _write_late(planned, sample, place.last[planned.tensor.id], plan, options)
        seconds = {**clock.seconds, "total": time.perf_counter() - begin}
        outputs = place.finish({"plan": plan.as_dict(), "statistics": told, "seconds": seconds})
    return Prediction(outputs, plan=plan, statistics=told, times=seconds, nan_counts=scanner.nan_counts)


class _Place:
    """The targets of all outputs: where blocks are written first, and where the result ends up."""

    def __init__(self, plan: Plan, path: str | None, options: PredictOptions, stack: ExitStack) -> None:
        self._plan = plan
        self._store: OutputStore | None = None
        if path is not None:
            known = [o for o in plan.outputs if not o.data_dependent]
            self._store = create_output(path, [_spec(o) for o in known], overwrite=options.overwrite)
        scratch = None
        self.first: dict[str, Any] = {}
        self.last: dict[str, Any] = {}
        for o in plan.outputs:
            to_store = self._store is not None and not o.data_dependent
            self.last[o.tensor.id] = self._store if to_store else MemoryTarget(o.shape)
            if not o.late_steps:
                self.first[o.tensor.id] = self.last[o.tensor.id]
            elif to_store:
                assert path is not None
                scratch = scratch or stack.enter_context(create_temporary([], near=path))
                self.first[o.tensor.id] = ScratchTarget(scratch, name=o.tensor.id, shape=o.shape, chunks=o.chunks, axes=o.axes)
            else:
                self.first[o.tensor.id] = MemoryTarget(o.shape)

    def sample(self, output: PlannedOutput) -> Sample:
        """Return an output as the blocks leave it."""
        return Sample(source=self.first[output.tensor.id], axes=output.axes, shape=output.shape, chunks=output.chunks, extra=output.extra)

    def finish(self, attributes: dict[str, Any]) -> dict[str, LabelledArray]:
        """Declare the output complete, and return it."""
        found = {}
        for o in self._plan.outputs:
            name = o.tensor.id
            target = self.last[name]
            if self._store is not None and o.data_dependent:
                array = target.array
                self._store.create(_spec(o, array.shape))
                self._store.write(name, (0,) * array.ndim, array)
                target = self._store
            found[name] = target
        if self._store is not None:
            self._store.finish(FrozenMapping({"bioimageio_core": attributes}))
        return {
            o.tensor.id: LabelledArray(t.array if isinstance(t := found[o.tensor.id], MemoryTarget) else t.array(o.tensor.id), o.axes)
            for o in self._plan.outputs
        }


def _spec(output: PlannedOutput, shape: tuple[int, ...] | None = None) -> ArraySpec:
    names = {a.id: list(a.channel_names) for a in output.tensor.axes if a.channel_names}
    return ArraySpec(
        name=output.tensor.id,
        shape=shape or output.shape,
        dtype=output.tensor.dtype,
        axes=output.axes,
        chunks=output.chunks,
        attributes=FrozenMapping({"channel_names": names["channel"]} if "channel" in names else {}),
    )


def _write_late(planned: PlannedOutput, sample: Sample, target: Target, plan: Plan, options: PredictOptions) -> None:
    """Apply what is left to do to an output, box by box."""
    boxes = sample.boxes(elements=LATE_ELEMENTS)

    def write(number: int) -> None:
        start, stop = boxes.box(number)
        target.write(planned.tensor.id, start, sample.read(start, stop))

    for_each(boxes.count, write, workers=plan.workers, stage=f"postprocess {planned.tensor.id}", progress=options.progress)


def _spatial(planned: PlannedOutput) -> set[str]:
    """Return the axes that boxes of an output may cut."""
    return {a.id for a in planned.tensor.axes if a.kind not in ("batch",)}


def _plain(value: AxisArray) -> Any:
    values = np.squeeze(value.values)
    return f"{values.size} values" if values.size > MANY else values.tolist()


@contextmanager
def _timed(clock: Clock, stage: str) -> Iterator[None]:
    begin = time.perf_counter()
    try:
        yield
    finally:
        clock.add(stage, time.perf_counter() - begin)
