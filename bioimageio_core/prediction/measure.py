"""Statistics of whole samples by streaming passes, before the ops that want them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs
import numpy as np

from ..errors import InputError
from ..io import RunFolder
from ..registry import Measure, Registry
from ..statistics import StreamingStatistics
from ..typing import AxisId, FrozenMapping
from .execute import Reporter, in_order
from .executors import Executor, Threads
from .jobs import ScanJob
from .options import Progress
from .sample import AxisArray, ReadyStep, Sample
from .steps import Step, measure_text

__all__ = ["References", "Scanner", "references_wanted"]

SCAN_ELEMENTS = 2**21
"""Elements that are read and measured at once: 8 MiB of float32."""

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

    registry: Registry
    workers: int
    executor: Executor = Threads()
    """Where passes run."""

    pool_over: tuple[AxisId, ...] = ()
    """Extra axes that statistics are pooled over."""

    progress: Progress | None = None
    nan_counts: dict[str, int] = attrs.field(factory=dict)
    supplied: Mapping[str, Any] = FrozenMapping()
    """Statistics of a dataset by `Step.key`, used as they are where an op wants them of the dataset."""

    report: Callable[[str, AxisArray], None] = lambda key, value: None
    """Told of every statistic: its `Step.key` and value."""

    notes: RunFolder | None = None
    """Where measured statistics are kept for when the run is continued, and for other processes that share it."""

    def measure(self, sample: Sample, measures: Iterable[Measure], *, name: str) -> dict[Measure, AxisArray]:
        """Return statistics of a sample, in as few passes over it as they take."""
        wanted = {m: self._pooled(m, sample) for m in measures}
        dtype = sample.read(*sample.boxes(elements=1).box(0)).dtype
        statistics = StreamingStatistics(wanted.values(), axes=sample.axes, shape=sample.shape, dtype=dtype)
        noted = self._noted(sample, statistics, name)
        if noted is not None:
            results, nan_count = noted
        else:
            self._pass_over(sample, statistics, name)
            results, nan_count = statistics.results(), statistics.nan_count
            self._note(sample, statistics, name)
        if nan_count:
            self.nan_counts[name] = nan_count
        return {m: AxisArray(values=results[pooled], axes=sample.axes) for m, pooled in wanted.items()}

    def _pass_over(self, sample: Sample, statistics: StreamingStatistics, name: str) -> None:
        """Make all passes over a sample."""
        boxes = sample.boxes(elements=SCAN_ELEMENTS)
        tasks = -(-boxes.count // BOXES_PER_TASK)
        while not statistics.done:
            merged = statistics.partial()
            report = Reporter(f"statistics of {name}", boxes.count, self.progress)
            job = ScanJob(statistics=statistics, sample=sample, boxes=boxes, boxes_per_task=BOXES_PER_TASK)
            executor = self.executor if sample.can_travel or self.executor.shares_memory else Threads()
            for partial in in_order(executor.run(job, range(tasks), at_once=self.workers)):
                merged.merge(partial)
                report.more(min(BOXES_PER_TASK, boxes.count))
            statistics.end_pass(merged)

    def _note(self, sample: Sample, statistics: StreamingStatistics, name: str) -> None:
        if self.notes is not None:
            found = [{"shape": list(v.shape), "values": v.ravel().tolist()} for v in statistics.results().values()]
            self.notes.note(_note_name(sample, statistics, name), {"nan_count": statistics.nan_count, "results": found})

    def _noted(self, sample: Sample, statistics: StreamingStatistics, name: str) -> tuple[dict[Measure, Any], int] | None:
        noted = None if self.notes is None else self.notes.noted(_note_name(sample, statistics, name))
        if noted is None:
            return None
        values = [np.asarray(r["values"], np.float64).reshape(r["shape"]) for r in noted["results"]]
        return dict(zip(statistics.measures, values, strict=True)), int(noted["nan_count"])

    def ready(self, step: Step, sample: Sample, references: References, *, name: str) -> ReadyStep:
        """Return a step with its implementation and its statistics: supplied, measured on ``sample``, or looked up.

        Raises:
            InputError: A supplied statistic has the wrong number of values.

        """
        wanted = step.needs.measures
        keys = {m: step.key(name, m) for m in wanted}
        measured = {
            m: _supplied(keys[m], self.supplied[keys[m]], m, sample) for m in wanted if "batch" in m.axes and keys[m] in self.supplied
        }
        own = [m for m in wanted if m.tensor is None and m not in measured]
        measured |= self.measure(sample, own, name=name) if own else {}
        for m in wanted:
            if m not in measured:
                what = f"the {m.kind} of {m.tensor!r} that op {step.name!r} of {name!r} wants"
                measured[m] = references[m].aligned(sample.axes, sample.shape, what=what)
            self.report(keys[m], measured[m])
        return ReadyStep(op=step.make(self.registry), measured=measured, whole_axes=step.needs.whole_axes, halo=step.needs.halo)

    def _pooled(self, measure: Measure, sample: Sample) -> Measure:
        over = tuple(a for a in self.pool_over if a in sample.axes[: sample.extra])
        axes = {*measure.axes, *over}
        return attrs.evolve(measure, axes=tuple(a for a in sample.axes if a in axes), tensor=None)


def _note_name(sample: Sample, statistics: StreamingStatistics, name: str) -> str:
    """Return a name that tells measurements of a run apart: of which tensor, after how many of its steps, of what."""
    what = [name, sample.stage, len(sample.steps), [measure_text(m) for m in statistics.measures]]
    return f"statistics-{hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]}"


def _supplied(key: str, value: Any, measure: Measure, sample: Sample) -> AxisArray:
    """Return a supplied statistic along the axes of a sample; it is the same for all positions of extra axes."""
    shape = [
        1 if n < sample.extra or a in measure.axes else size for n, (a, size) in enumerate(zip(sample.axes, sample.shape, strict=True))
    ]
    values = np.asarray(value, np.float64)
    if values.size != np.prod(shape):
        raise InputError(f"statistics {key!r} hold {values.size} values: expected {np.prod(shape)}")
    return AxisArray(values=values.reshape(shape), axes=sample.axes)
