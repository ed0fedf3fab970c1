"""Passes that label objects: in windows, each by itself; then objects of neighbouring windows are joined, and all are numbered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from ....errors import PluginError
from ....objects import BoxObjects, Numbering, number_objects, numbered, shared_labels, window_objects
from ....registry import Objects
from ....typing import AxisId
from ...data.tensor_view import TensorView
from ...output.encoder import OutputEncoder
from ...output.objects.label_store import StoredWindows
from ...planning.outputs.label_windows import LabelWindows
from ...planning.passes import JoinPass, LabelPass
from ..completion import CompletionMarker
from ..executors.base import Function, Job, Work
from ..run import Run
from .boxes import BoxRunner

__all__ = ["JoinRunner", "LabelRunner"]


@attrs.frozen(kw_only=True, eq=False)
class _WindowJob:
    """A task for each window."""

    units_per_task: ClassVar[int] = 1
    prefers_locality: ClassVar[bool] = True  # windows overlap
    stored: StoredWindows
    marker: CompletionMarker | None

    @property
    def task_count(self) -> int:
        """Number of windows."""
        return self.stored.windows.boxes.count

    @property
    def units(self) -> int:
        """Number of windows."""
        return self.task_count


@attrs.frozen(kw_only=True, eq=False)
class LabelJob(_WindowJob):
    """Labels the objects of each window."""

    view: TensorView
    """The output after the op that labels objects."""

    what: str
    """The op in words."""

    encoder: OutputEncoder
    """Leaves out what the mask does not cover."""

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read the output and write labels."""
        return self.view.is_picklable and self.stored.is_picklable

    def open(self, worker: str) -> Work:
        """Return the work that labels windows."""
        return Function(self._label)

    def _label(self, task: int) -> None:
        labels = self.view.read(*self.stored.windows.window(task))
        if labels.dtype.kind not in "biu" or (labels.dtype.kind == "i" and labels.size and labels.min() < 0):
            raise PluginError(f"{self.what} returns labels that are no integers from 0 ({labels.dtype}): expected a number for each object")
        start, _ = self.stored.windows.window(task)
        compact, _ = numbered(self.encoder.masked(start, labels))
        if self.marker is not None:
            self.marker.check_run()  # after reading and before writing
        self.stored.write(task, compact)
        if self.marker is not None:
            self.marker.mark(task)


@attrs.frozen(kw_only=True, eq=False)
class JoinJob(_WindowJob):
    """Finds which labels of a window and of earlier ones are the same object."""

    objects: Objects

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read the labels."""
        return self.stored.is_picklable

    def open(self, worker: str) -> Work:
        """Return the work that compares windows."""
        return Function(self._compare)

    def _compare(self, task: int) -> BoxObjects:
        windows = self.stored.windows
        labels, (start, stop) = self.stored.read(task), windows.window(task)
        rule = self.objects.join
        count = int(labels.max(initial=0))
        found = window_objects(labels, count=count, start=start, core=windows.boxes.box(task), shape=windows.boxes.shape, rule=rule)
        pairs: dict[int, NDArray[np.int64]] = {}
        if rule != "owner":
            overlap = self.objects.overlap if rule == "overlap" else None
            for other in windows.neighbours(task):
                if other > task:
                    break
                begin, end = windows.window(other)
                low = [max(a, b) for a, b in zip(start, begin, strict=True)]
                high = [min(a, b) for a, b in zip(stop, end, strict=True)]
                own = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
                theirs = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, begin, strict=True))
                pairs[other] = shared_labels(self.stored.read(other)[theirs], labels[own], overlap=overlap)
        return BoxObjects(objects=found, pairs=pairs)


class LabelRunner(BoxRunner):
    """Labels the objects of an output."""

    def jobs(self) -> Iterator[Job]:
        """Yield the job that labels all windows."""
        assert isinstance(self._pass, LabelPass)
        output = self._run.outputs[self._pass.subject]
        step = output.planned.labelling
        assert step is not None
        assert output.sinks.windows is not None
        yield LabelJob(
            stored=output.sinks.windows,
            marker=self._run.marker(self._pass.name),
            view=output.late.view_before(step.number + 1),
            encoder=output.encoder,
            what=self._run.model.registry.words_for("processing_ops", step.name),
        )


class JoinRunner(BoxRunner):
    """Joins the objects of an output, and numbers them; a resumed run compares all windows again."""

    def __init__(self, run: Run, pass_: JoinPass) -> None:
        super().__init__(run, pass_)
        self._windows = pass_.windows
        step = run.outputs[pass_.subject].planned.labelling
        assert step is not None
        assert step.needs.objects is not None
        self._objects = step.needs.objects
        self._found: dict[int, BoxObjects] = {}

    def jobs(self) -> Iterator[Job]:
        """Yield the job that compares all windows."""
        stored = self._run.outputs[self._pass.subject].sinks.windows
        assert stored is not None
        yield JoinJob(stored=stored, marker=None, objects=self._objects)

    def collect(self, task: int, result: BoxObjects) -> int:
        """Keep what a window knows."""
        self._found[task] = result
        return 1

    def finish(self) -> None:
        """Give each object its number."""
        found = (self._found.pop(box) for box in range(self._windows.boxes.count))
        numbers = number_objects(found, rule=self._objects.join, least_pixels=self._objects.least_pixels)
        self._run.object_numbers[self._pass.subject] = numbers
        what = "objects of single slices" if self._run.plan.join_slices else "objects"
        axes = self._run.outputs[self._pass.subject].planned.axes
        self._run.notes.extend(_notes(self._pass.subject, axes, self._windows, numbers, what))


def _notes(output: str, axes: Sequence[AxisId], windows: LabelWindows, numbers: Numbering, what: str) -> Iterator[str]:
    """Yield a sentence about objects that are larger than what their windows show."""
    if not numbers.doubtful:
        return
    cut = [n for n, size in enumerate(windows.boxes.shape) if windows.halo[n] or size > 1]
    starts = [windows.boxes.box(n)[0] for n in numbers.doubtful_boxes[:3].tolist()]
    at = "; ".join(", ".join(f"{axes[n]}={start[n]}" for n in cut) for start in starts)
    yield (
        f"{numbers.doubtful} of {numbers.count} {what} of {output!r} reach beyond the {max(windows.halo)} pixels "
        f"around their blocks, as around the block from {at}, and may be cut: "
        "give the size of the largest object, object_size= (--object-size)"
    )
