"""Statistics of whole samples by streaming passes, before the ops that want them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import prod
from typing import Any, TypeAlias

import attrs
import numpy as np

from ....errors import InputError
from ....io import RunState
from ....registry import Measure, Registry
from ....statistics import DatasetStatistics, StreamingStatistics
from ....typing import AxisId, FrozenMapping
from ...data.split_along_axis import split_along_axis
from ...data.tensor_view import AxisArray, BoundStep, TensorView
from ...model.processing_steps import Step, measure_text
from ...options import Progress
from ..executors.base import Executor
from ..executors.threads import Threads, in_order
from ..jobs import ScanJob
from ..progress import Reporter

__all__ = ["References", "Scanner", "bind_step", "references_wanted"]

SCAN_ELEMENTS = 2**20
"""Elements that are read and measured at once: 4 MiB of float32, since larger arrays are new memory each time."""

BOXES_PER_TASK = 8
"""Boxes that one task measures. A number of its own, and not of workers: sums of floats depend on how they are grouped."""

References: TypeAlias = "Mapping[Measure, AxisArray]"
"""Statistics of model inputs as they were given, by a measure whose ``tensor`` names the input."""


def references_wanted(steps: Iterable[Step]) -> tuple[Measure, ...]:
    """Return the measures of model inputs that steps want."""
    return tuple(dict.fromkeys(m for s in steps for m in s.needs.measures if m.tensor is not None))


@attrs.frozen(kw_only=True, eq=False)
class Scanner:
    """Makes passes over samples."""

    workers: int
    registry: Registry | None = None
    """Brings the ops of steps that are made ready."""

    executor: Executor = Threads()
    """Where passes run."""

    pool_over: tuple[AxisId, ...] = ()
    """Extra axes that statistics are pooled over."""

    progress: Progress | None = None
    nan_counts: dict[str, int] = attrs.field(factory=dict)
    supplied: Mapping[str, Any] = FrozenMapping()
    """Statistics of a dataset by `Step.key`, used as they are where an op wants them of the dataset."""

    known: Mapping[str, Any] = FrozenMapping()
    """Statistics of the very images by `Step.key`, measured before."""

    report: Callable[[str, AxisArray], None] = lambda key, value: None
    """Told of every statistic: its `Step.key` and value."""

    notes: RunState | None = None
    """Where measured statistics are kept for when the run is continued, and for other processes that share it."""

    def measure(self, sample: TensorView, measures: Iterable[Measure], *, name: str) -> dict[Measure, AxisArray]:
        """Return statistics of a sample, in as few passes over it as they take."""
        wanted = {m: self._pooled(m, sample) for m in measures}
        noted = self._noted(sample, wanted, name)
        if noted is None:
            noted = self._measured(sample, wanted, name)
            self._note(sample, wanted, name, noted)
        results, nan_count = noted
        if nan_count:
            self.nan_counts[name] = nan_count
        return {m: AxisArray(values=results[pooled], axes=sample.axes) for m, pooled in wanted.items()}

    def _measured(self, sample: TensorView, wanted: Mapping[Measure, Measure], name: str) -> tuple[dict[Measure, Any], int]:
        """Return statistics and the number of NaN, slab by slab where there are too many groups to hold at once."""
        dtype = sample.read(*sample.boxes(elements=1).box(0)).dtype
        found: list[dict[Measure, Any]] = []
        nan_count, axis = 0, 0
        for along, slab in split_along_axis(sample, wanted.values()):
            axis = along
            statistics = StreamingStatistics(wanted.values(), axes=sample.axes, shape=slab.shape, dtype=dtype)
            self._pass_over([slab], statistics, name)
            found.append(statistics.results())
            nan_count += statistics.nan_count
        if len(found) == 1:
            return found[0], nan_count
        return {m: np.concatenate([f[m] for f in found], axis=axis) for m in found[0]}, nan_count

    def measure_dataset(self, samples: Sequence[TensorView], measures: Iterable[Measure], *, name: str) -> dict[Measure, AxisArray]:
        """Return statistics of several samples together; axes that the model lacks are reduced over.

        Raises:
            InputError: Samples differ in size along an axis that is not reduced over.

        """
        first = samples[0]
        extra = first.axes[: first.extra]
        wanted = {m: attrs.evolve(m, axes=tuple(a for a in first.axes if a in (*m.axes, *extra)), tensor=None) for m in measures}
        dtype = np.result_type(*(s.read(*s.boxes(elements=1).box(0)).dtype for s in samples))
        try:
            statistics = DatasetStatistics(wanted.values(), axes=first.axes, shapes=[s.shape for s in samples], dtype=dtype)
        except ValueError as error:
            raise InputError(f"statistics of {name!r} over several images: {error}") from None
        self._pass_over(samples, statistics, name)
        if statistics.nan_count:
            self.nan_counts[name] = statistics.nan_count
        results = statistics.results()
        return {m: AxisArray(values=results[inner], axes=first.axes) for m, inner in wanted.items()}

    def _pass_over(self, samples: Sequence[TensorView], statistics: StreamingStatistics | DatasetStatistics, name: str) -> None:
        """Make all passes over samples."""
        boxes = tuple(s.boxes(elements=SCAN_ELEMENTS) for s in samples)
        executor = self.executor if all(s.is_picklable for s in samples) or self.executor.shares_memory else Threads()
        while not statistics.done:
            merged: Any = statistics.partial()
            job = ScanJob(statistics=statistics, samples=tuple(samples), boxes=boxes, boxes_per_task=BOXES_PER_TASK)
            report = Reporter(f"statistics of {name}", job.box_count, self.progress)
            for partial, count in in_order(executor.run(job, range(job.task_count), at_once=self.workers)):
                merged.merge(partial)
                report.more(count)
            statistics.end_pass(merged)

    def _note(self, sample: TensorView, wanted: Mapping[Measure, Measure], name: str, noted: tuple[dict[Measure, Any], int]) -> None:
        if self.notes is not None:
            found = [{"shape": list(noted[0][m].shape), "values": noted[0][m].ravel().tolist()} for m in _distinct(wanted)]
            self.notes.record(_note_name(sample, wanted, name), {"nan_count": noted[1], "results": found})

    def _noted(self, sample: TensorView, wanted: Mapping[Measure, Measure], name: str) -> tuple[dict[Measure, Any], int] | None:
        noted = None if self.notes is None else self.notes.recorded(_note_name(sample, wanted, name))
        if noted is None:
            return None
        values = [np.asarray(r["values"], np.float64).reshape(r["shape"]) for r in noted["results"]]
        return dict(zip(_distinct(wanted), values, strict=True)), int(noted["nan_count"])

    def ready(self, step: Step, sample: TensorView, references: References, *, name: str) -> BoundStep:
        """Return a step with its implementation and its statistics: supplied, measured on ``sample``, or looked up.

        Raises:
            InputError: A supplied statistic has the wrong number of values.

        """
        wanted = step.needs.measures
        keys = {m: step.key(name, m) for m in wanted}
        given = {**self.known, **{k: v for m, k in keys.items() if "batch" in m.axes and (v := self.supplied.get(k)) is not None}}
        measured = {m: _supplied(keys[m], given[keys[m]], m, sample, self.pool_over) for m in wanted if keys[m] in given}
        own = [m for m in wanted if m.tensor is None and m not in measured]
        measured |= self.measure(sample, own, name=name) if own else {}
        for m in wanted:
            if m not in measured:
                what = f"the {m.kind} of {m.tensor!r} that op {step.name!r} of {name!r} wants"
                measured[m] = references[m].aligned(sample.axes, sample.shape, what=what)
            self.report(keys[m], measured[m])
        assert self.registry is not None
        return bind_step(step, self.registry, measured)

    def _pooled(self, measure: Measure, sample: TensorView) -> Measure:
        over = tuple(a for a in self.pool_over if a in sample.axes[: sample.extra])
        axes = {*measure.axes, *over}
        return attrs.evolve(measure, axes=tuple(a for a in sample.axes if a in axes), tensor=None)


def bind_step(step: Step, registry: Registry, measured: Mapping[Measure, AxisArray]) -> BoundStep:
    """Return a step with its implementation and its statistics."""
    return BoundStep(op=step.make(registry), measured=measured, whole_axes=step.needs.whole_axes, halo=step.needs.halo)


def _distinct(wanted: Mapping[Measure, Measure]) -> tuple[Measure, ...]:
    return tuple(dict.fromkeys(wanted.values()))


def _note_name(sample: TensorView, wanted: Mapping[Measure, Measure], name: str) -> str:
    """Return a name that tells measurements of a run apart: of which tensor, after how many of its steps, of what."""
    what = [name, sample.stage, len(sample.steps), [[measure_text(m), m.method] for m in _distinct(wanted)]]
    return f"statistics-{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]}"


def _supplied(key: str, value: Any, measure: Measure, sample: TensorView, pool_over: tuple[AxisId, ...]) -> AxisArray:
    """Return a supplied statistic along the axes of a sample; one without extra axes is the same for all of their positions."""
    sizes = [1 if a in measure.axes else size for a, size in zip(sample.axes, sample.shape, strict=True)]
    own = [1 if a in pool_over else size for a, size in zip(sample.axes[: sample.extra], sizes[: sample.extra], strict=True)]
    values = np.asarray(value, np.float64)
    for extra in ([1] * sample.extra, own):
        shape = [*extra, *sizes[sample.extra :]]
        if values.size == prod(shape):
            return AxisArray(values=values.reshape(shape), axes=sample.axes)
    raise InputError(f"statistics {key!r} hold {values.size} values: expected {prod(sizes[sample.extra :])}")
