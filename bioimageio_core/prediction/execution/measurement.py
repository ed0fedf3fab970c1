"""Whole tensors measured box by box, in as few sweeps as their statistics take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import attrs
import numpy as np

from ...registry import Measure
from ...statistics import DatasetPartial, DatasetStatistics, Partial, StreamingStatistics, partial_from_bytes, partial_to_bytes
from ...typing import AxisId
from ..data.boxes import Boxes
from ..data.split_along_axis import split_along_axis
from ..data.tensor_view import AxisArray, TensorView
from ..planning.plan_passes import SCAN_ELEMENTS, boxes_per_task, pooled_measure
from .completion import CompletionMarker
from .executors.base import Function, Work
from .sweeps import units_of

__all__ = ["MeasureJob", "Measured", "Measurement", "ViewMeasurement", "load_scanned"]

Scanned: TypeAlias = "tuple[Partial | DatasetPartial, int]"
"""What a task saw, and the number of its boxes."""


@attrs.frozen(kw_only=True, eq=False)
class Measured:
    """Statistics of a tensor."""

    values: dict[Measure, AxisArray]
    nan_count: int


@attrs.frozen(kw_only=True, eq=False)
class MeasureJob:
    """One sweep over tensors that measures them; a task measures a run of boxes."""

    statistics: StreamingStatistics | DatasetStatistics
    views: tuple[TensorView, ...]
    boxes: tuple[Boxes, ...]
    """Of each view."""

    marker: CompletionMarker | None = None
    """Where tasks record what they saw, for other processes that share the sweep."""

    @property
    def units(self) -> int:
        """Boxes of all views."""
        return sum(b.count for b in self.boxes)

    @property
    def units_per_task(self) -> int:
        """Boxes that one task measures."""
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
        """Whether the worker that measures a part caches it, and should also predict it.

        The last results then wait for those of up to half the image before them; cached images are small.
        """
        return any(view.cached for view in self.views)

    def marked(self, marker: CompletionMarker) -> MeasureJob:
        """Return the job with tasks that record what they saw."""
        return attrs.evolve(self, marker=marker)

    def open(self, worker: str) -> Work:
        """Return what measures the boxes of a task."""
        return Function(self._scan)

    def _scan(self, task: int) -> Scanned:
        """Measure the boxes of a task in order, so that sums are the same wherever it runs."""
        partial = self.statistics.partial()
        numbers = range(task * self.units_per_task, min((task + 1) * self.units_per_task, self.units))
        for number in numbers:
            view, start, stop = self._box(number)
            partial.update(view.read(start, stop), start)
        if self.marker is not None and isinstance(partial, Partial):
            self.marker.mark(task, partial_to_bytes(partial))
        return partial, len(numbers)

    def _box(self, number: int) -> tuple[TensorView, tuple[int, ...], tuple[int, ...]]:
        for view, boxes in zip(self.views, self.boxes, strict=True):
            if number < boxes.count:
                return view, *boxes.box(number)
            number -= boxes.count
        raise IndexError(number)


class Measurement:
    """The sweeps that measure tensors, and what they have seen so far.

    Args:
        parts: What is measured one after the other: statistics, and the views that they are of.

    """

    def __init__(self, parts: Iterable[tuple[StreamingStatistics | DatasetStatistics, tuple[TensorView, ...]]]) -> None:
        self._parts = parts
        self._merged: Any = None
        self._waiting: dict[int, Any] = {}
        self._next = 0
        self.finished: list[StreamingStatistics | DatasetStatistics] = []

    def sweeps(self) -> Iterator[MeasureJob]:
        """Yield a job for each sweep; the next is asked for when all results of the one before were collected."""
        for statistics, views in self._parts:
            boxes = tuple(view.boxes(elements=SCAN_ELEMENTS) for view in views)
            while not statistics.done:
                self._merged, self._next = statistics.partial(), 0
                yield MeasureJob(statistics=statistics, views=views, boxes=boxes)
                statistics.end_pass(self._merged)
            self.finished.append(statistics)

    def collect(self, task: int, result: Scanned) -> int:
        """Take the result of a task; return the number of its boxes. Results are merged in the order of tasks, since sums are rounded."""
        self._waiting[task] = result[0]
        while self._next in self._waiting:
            self._merged.merge(self._waiting.pop(self._next))
            self._next += 1
        return result[1]

    @property
    def nan_count(self) -> int:
        """Elements that are NaN."""
        return sum(s.nan_count for s in self.finished)


class ViewMeasurement(Measurement):
    """Statistics of one tensor, slab by slab where it has more groups than memory can hold at once.

    Args:
        view: The tensor.
        measures: What to measure.
        pool_over: Extra axes that statistics are pooled over.

    """

    def __init__(self, view: TensorView, measures: Iterable[Measure], pool_over: tuple[AxisId, ...] = ()) -> None:
        self._wanted = {m: pooled_measure(m, view.axes, view.extra, pool_over) for m in measures}
        self._view, self._axis = view, 0
        super().__init__(self._slabs())

    def _slabs(self) -> Iterator[tuple[StreamingStatistics, tuple[TensorView, ...]]]:
        pooled, dtype = self._wanted.values(), self._view.dtype()
        for axis, slab in split_along_axis(self._view, pooled):
            self._axis = axis
            yield StreamingStatistics(pooled, axes=self._view.axes, shape=slab.shape, dtype=dtype), (slab,)

    def measured(self) -> Measured:
        """Return the statistics, once all sweeps are complete."""
        results = [s.results() for s in self.finished]
        values = {}
        for m, pooled in self._wanted.items():
            parts = [r[pooled] for r in results]
            values[m] = AxisArray(values=parts[0] if len(parts) == 1 else np.concatenate(parts, axis=self._axis), axes=self._view.axes)
        return Measured(values=values, nan_count=self.nan_count)


def load_scanned(job: MeasureJob, task: int, data: bytes) -> Scanned:
    """Return the result of a task from what its marker holds."""
    partial = job.statistics.partial()
    assert isinstance(partial, Partial)
    return partial_from_bytes(data, partial), units_of(job, range(task, task + 1))
