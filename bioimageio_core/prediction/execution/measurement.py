"""Measures whole tensors box by box, in as few sweeps as their statistics need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import attrs
import numpy as np

from ...registry import Measure
from ...statistics import DatasetPartial, DatasetStatistics, Partial, StreamingStatistics, partial_from_bytes, partial_to_bytes
from ..data.boxes import Boxes
from ..data.pooling import NO_POOLING, Pooling
from ..data.split_along_axis import split_along_axis
from ..data.tensor_view import AxisArray, TensorView
from ..planning.plan_passes import STATISTICS_ELEMENTS, boxes_per_task, pooled_measure
from .completion import CompletionMarker
from .executors.base import Function, Work
from .task_shares import units_of

__all__ = ["MeasureJob", "Measured", "Measurement", "ViewMeasurement", "load_task_measurement"]

TaskMeasurement: TypeAlias = "tuple[Partial | DatasetPartial, int]"
"""Partial statistics of the boxes of a task, and the number of boxes."""


@attrs.frozen(kw_only=True, eq=False)
class Measured:
    """Statistics of a tensor."""

    values: dict[Measure, AxisArray]
    nan_count: int


@attrs.frozen(kw_only=True, eq=False)
class MeasureJob:
    """One sweep over tensors that measures them; a task measures consecutive boxes."""

    statistics: StreamingStatistics | DatasetStatistics
    views: tuple[TensorView, ...]
    boxes: tuple[Boxes, ...]
    """Boxes of each view."""

    marker: CompletionMarker | None = None
    """Records partial statistics of tasks, for other processes that share the sweep; None if none do."""

    @property
    def units(self) -> int:
        """Number of boxes of all views."""
        return sum(b.count for b in self.boxes)

    @property
    def units_per_task(self) -> int:
        """Number of boxes per task."""
        return boxes_per_task(self.units)

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return -(-self.units // self.units_per_task)

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read all views."""
        return all(view.is_picklable for view in self.views)

    @property
    def prefers_locality(self) -> bool:
        """Whether the worker that measures boxes caches them, and should also predict them.

        With locality, results arrive far out of order and up to half of them wait to be merged; cached images are small.
        """
        return any(view.cached for view in self.views)

    def marked(self, marker: CompletionMarker) -> MeasureJob:
        """Return the job with tasks that record their partial statistics."""
        return attrs.evolve(self, marker=marker)

    def open(self, worker: str) -> Work:
        """Return the work that measures the boxes of tasks."""
        return Function(self._measure)

    def _measure(self, task: int) -> TaskMeasurement:
        """Measure the boxes of a task in order, so that sums do not depend on where it runs."""
        partial = self.statistics.partial()
        numbers = range(task * self.units_per_task, min((task + 1) * self.units_per_task, self.units))
        for number in numbers:
            view, start, stop = self._box(number)
            partial.update(view.read(start, stop), start)
        if self.marker is not None and isinstance(partial, Partial):
            self.marker.check_run()
            self.marker.mark(task, partial_to_bytes(partial))
        return partial, len(numbers)

    def _box(self, number: int) -> tuple[TensorView, tuple[int, ...], tuple[int, ...]]:
        for view, boxes in zip(self.views, self.boxes, strict=True):
            if number < boxes.count:
                return view, *boxes.box(number)
            number -= boxes.count
        raise IndexError(number)


class Measurement:
    """The sweeps that measure tensors, and their results so far.

    Args:
        parts: Statistics and their views, measured one after the other.

    """

    def __init__(self, parts: Iterable[tuple[StreamingStatistics | DatasetStatistics, tuple[TensorView, ...]]]) -> None:
        self._parts = parts
        self._merged: Any = None
        self._waiting: dict[int, Any] = {}
        self._next = 0
        self.finished: list[StreamingStatistics | DatasetStatistics] = []

    def sweeps(self) -> Iterator[MeasureJob]:
        """Yield a job for each sweep; the caller collects all results of a sweep before it takes the next job."""
        for statistics, views in self._parts:
            boxes = tuple(view.boxes(elements=STATISTICS_ELEMENTS) for view in views)
            while not statistics.done:
                self._merged, self._next = statistics.partial(), 0
                yield MeasureJob(statistics=statistics, views=views, boxes=boxes)
                statistics.end_pass(self._merged)
            self.finished.append(statistics)

    def collect(self, task: int, result: TaskMeasurement) -> int:
        """Collect the result of a task; return its number of boxes. Results are merged in the order of tasks, since sums are rounded."""
        self._waiting[task] = result[0]
        while self._next in self._waiting:
            self._merged.merge(self._waiting.pop(self._next))
            self._next += 1
        return result[1]

    @property
    def nan_count(self) -> int:
        """Number of elements that are NaN."""
        return sum(s.nan_count for s in self.finished)


class ViewMeasurement(Measurement):
    """Measures one tensor, slab by slab if it has more groups than fit in memory at once.

    Args:
        view: The tensor.
        measures: What to measure.
        pooling: Axes that statistics are pooled over.

    """

    def __init__(self, view: TensorView, measures: Iterable[Measure], pooling: Pooling = NO_POOLING) -> None:
        self._pooled = {m: pooled_measure(m, view.axes, view.extra, pooling) for m in measures}
        self._view, self._axis = view, 0
        super().__init__(self._slabs())

    def _slabs(self) -> Iterator[tuple[StreamingStatistics, tuple[TensorView, ...]]]:
        pooled, dtype = self._pooled.values(), self._view.dtype()
        for axis, slab in split_along_axis(self._view, pooled):
            self._axis = axis
            yield StreamingStatistics(pooled, axes=self._view.axes, shape=slab.shape, dtype=dtype), (slab,)

    def measured(self) -> Measured:
        """Return the statistics, after all sweeps are complete."""
        results = [s.results() for s in self.finished]
        values = {}
        for m, pooled in self._pooled.items():
            parts = [r[pooled] for r in results]
            values[m] = AxisArray(values=parts[0] if len(parts) == 1 else np.concatenate(parts, axis=self._axis), axes=self._view.axes)
        return Measured(values=values, nan_count=self.nan_count)


def load_task_measurement(job: MeasureJob, task: int, data: bytes) -> TaskMeasurement:
    """Return the result of a task from the content of its marker."""
    partial = job.statistics.partial()
    assert isinstance(partial, Partial)
    return partial_from_bytes(data, partial), units_of(job, range(task, task + 1))
