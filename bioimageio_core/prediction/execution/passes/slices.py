"""The pass that joins objects of neighbouring slices, which the op labelled slice by slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import attrs

from ....objects import SliceJoining, SliceOverlaps, slice_overlaps
from ...data.tensor_view import TensorView
from ...planning.passes import SlicesPass
from ..executors.base import Function, Job, Work
from ..run import Run
from .boxes import BoxRunner, BoxTasks
from .joined_labels import joined_view

__all__ = ["SlicesJob", "SlicesRunner"]


@attrs.frozen(kw_only=True, eq=False)
class SlicesJob(BoxTasks):
    """Compares the objects of each box with those of the next slice at the same place."""

    prefers_locality: ClassVar[bool] = True  # each box is read with the one before it, too
    view: TensorView
    """The labels, numbered slice by slice."""

    axis: int
    """Position of the axis of slices among those of the labels; boxes have size 1 along it."""

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read the labels."""
        return self.view.is_picklable

    def open(self, worker: str) -> Work:
        """Return the work that compares slices."""
        return Function(self._compare)

    def _compare(self, task: int) -> SliceOverlaps:
        start, stop = self.boxes.box(task)
        labels = self.view.read(start, stop)
        if stop[self.axis] == self.boxes.shape[self.axis]:
            return slice_overlaps(labels, None)
        step = [int(n == self.axis) for n in range(len(start))]
        low, high = ([a + s for a, s in zip(place, step, strict=True)] for place in (start, stop))
        return slice_overlaps(labels, self.view.read(low, high))


class SlicesRunner(BoxRunner):
    """Joins objects of neighbouring slices, and numbers all objects again; a resumed run compares all slices again."""

    def __init__(self, run: Run, pass_: SlicesPass) -> None:
        super().__init__(run, pass_)
        self._boxes, self._axis, self._overlap = pass_.windows.boxes, pass_.axis, pass_.overlap
        self._joining = SliceJoining(run.object_numbers[pass_.subject].count)

    def jobs(self) -> Iterator[Job]:
        """Yield the job that compares all slices."""
        output = self._run.outputs[self._pass.subject]
        axis = output.planned.axes.index(self._axis)
        yield SlicesJob(boxes=self._boxes, marker=None, view=joined_view(self._run, output), axis=axis)

    def collect(self, task: int, result: SliceOverlaps) -> int:
        """Add what was found in a box."""
        self._joining.add(result)
        return 1

    def finish(self) -> None:
        """Give each joined object its number."""
        numbers = self._run.object_numbers[self._pass.subject]
        self._run.object_numbers[self._pass.subject] = numbers.renumbered(self._joining.ids(self._overlap))
