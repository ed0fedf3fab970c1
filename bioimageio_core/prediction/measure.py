"""Statistics of whole samples by streaming passes, before the ops that want them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, TypeAlias

import attrs
import numpy as np

from ..errors import InputError
from ..registry import Measure, Registry
from ..statistics import StreamingStatistics
from ..typing import AxisId, FrozenMapping
from .execute import for_each
from .options import Progress
from .sample import AxisArray, ReadyStep, Sample
from .steps import Step

__all__ = ["References", "Scanner", "references_wanted"]

SCAN_ELEMENTS = 2**21
"""Elements that one task of a pass reads: 8 MiB of float32."""

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
    pool_over: tuple[AxisId, ...] = ()
    """Extra axes that statistics are pooled over."""

    progress: Progress | None = None
    nan_counts: dict[str, int] = attrs.field(factory=dict)
    supplied: Mapping[str, Any] = FrozenMapping()
    """Statistics of a dataset by `Step.key`, used as they are where an op wants them of the dataset."""

    report: Callable[[str, AxisArray], None] = lambda key, value: None
    """Told of every statistic: its `Step.key` and value."""

    def measure(self, sample: Sample, measures: Iterable[Measure], *, name: str) -> dict[Measure, AxisArray]:
        """Return statistics of a sample, in as few passes over it as they take."""
        wanted = {m: self._pooled(m, sample) for m in measures}
        boxes = sample.boxes(elements=SCAN_ELEMENTS)
        dtype = sample.read(*sample.boxes(elements=1).box(0)).dtype
        statistics = StreamingStatistics(wanted.values(), axes=sample.axes, shape=sample.shape, dtype=dtype)
        lock = Lock()
        while not statistics.done:
            merged = statistics.partial()

            def scan(number: int, merged: object = merged) -> None:
                start, stop = boxes.box(number)
                partial = statistics.partial()
                partial.update(sample.read(start, stop), start)
                with lock:
                    merged.merge(partial)  # type: ignore[attr-defined]

            for_each(boxes.count, scan, workers=self.workers, stage=f"statistics of {name}", progress=self.progress)
            statistics.end_pass(merged)
        if statistics.nan_count:
            self.nan_counts[name] = statistics.nan_count
        results = statistics.results()
        return {m: AxisArray(values=results[pooled], axes=sample.axes) for m, pooled in wanted.items()}

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


def _supplied(key: str, value: Any, measure: Measure, sample: Sample) -> AxisArray:
    """Return a supplied statistic along the axes of a sample; it is the same for all positions of extra axes."""
    shape = [
        1 if n < sample.extra or a in measure.axes else size for n, (a, size) in enumerate(zip(sample.axes, sample.shape, strict=True))
    ]
    values = np.asarray(value, np.float64)
    if values.size != np.prod(shape):
        raise InputError(f"statistics {key!r} hold {values.size} values: expected {np.prod(shape)}")
    return AxisArray(values=values.reshape(shape), axes=sample.axes)
