"""Passes that write an array box by box: postprocessing of outputs, and coarser levels of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar

import attrs
from numpy.typing import NDArray

from ....io.writing.ome_output import OmeSink
from ...data.boxes import Boxes
from ...data.tensor_view import TensorView
from ...output.encoder import OutputEncoder
from ...output.sinks import Sink
from ...planning.passes import LevelPass, Pass, PostprocessPass
from ...planning.plan_passes import LATE_ELEMENTS
from ..completion import CompletionMarker
from ..executors.base import Function, Job, Work
from ..run import Run
from ..task_shares import OwnTasks, SharedTasks, TaskShare
from .joined_labels import labelled_view

__all__ = ["BoxRunner", "BoxTasks", "LevelJob", "LevelRunner", "PostprocessJob", "PostprocessRunner"]


@attrs.frozen(kw_only=True, eq=False)
class BoxTasks:
    """Boxes of complete chunks, with a task for each."""

    units_per_task: ClassVar[int] = 1
    prefers_locality: ClassVar[bool] = False  # boxes share no chunks
    boxes: Boxes
    marker: CompletionMarker | None
    """Marks boxes that are done; None if nothing is kept of them."""

    @property
    def task_count(self) -> int:
        """Number of boxes."""
        return self.boxes.count

    @property
    def units(self) -> int:
        """Number of boxes."""
        return self.boxes.count


@attrs.frozen(kw_only=True, eq=False)
class _BoxJob(BoxTasks, ABC):
    """Boxes that are written."""

    def open(self, worker: str) -> Work:
        """Return the work that writes boxes."""
        return Function(self._carry_out)

    def _carry_out(self, task: int) -> None:
        start, stop = self.boxes.box(task)
        region = self.compute(start, stop)
        if self.marker is not None:
            self.marker.check_run()  # after reading and before writing
        self.write(start, region)
        if self.marker is not None:
            self.marker.mark(task)

    @abstractmethod
    def compute(self, start: tuple[int, ...], stop: tuple[int, ...]) -> NDArray[Any]:
        """Return the box ``[start, stop)``."""

    @abstractmethod
    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a box."""


@attrs.frozen(kw_only=True, eq=False)
class PostprocessJob(_BoxJob):
    """Reads, postprocesses and writes an output."""

    view: TensorView
    sink: Sink
    encoder: OutputEncoder

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can read and write the output."""
        return self.view.is_picklable and self.sink.is_picklable

    def compute(self, start: tuple[int, ...], stop: tuple[int, ...]) -> NDArray[Any]:
        """Return the postprocessed box ``[start, stop)``."""
        return self.encoder(start, self.view.read(start, stop))

    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a box."""
        self.sink.write(start, region)


@attrs.frozen(kw_only=True, eq=False)
class LevelJob(_BoxJob):
    """Computes a coarser level of an image from the next finer level."""

    is_picklable: ClassVar[bool] = True
    sink: OmeSink
    level: int

    def compute(self, start: tuple[int, ...], stop: tuple[int, ...]) -> NDArray[Any]:
        """Return the box ``[start, stop)`` of the level."""
        return self.sink.read_level(self.level, start, stop)

    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a box."""
        self.sink.store.write(self.sink.image.place(self.level), start, region)


class BoxRunner:
    """Carries out a pass of one sweep over boxes; shards share it if its job marks boxes."""

    def __init__(self, run: Run, pass_: Pass) -> None:
        self._run, self._pass = run, pass_

    def load_recorded(self) -> bool:
        """Return False: every task has its own marker, or is repeated."""
        return False

    def share(self, job: Job, sweep: int) -> TaskShare:
        """Return the tasks of boxes that are not done yet."""
        marker = job.marker
        if self._run.claims is None or marker is None:
            return OwnTasks(job, range(job.task_count), marker)
        return SharedTasks(job, first=self._run.first_task(job.task_count), marker=marker, claims=self._run.claims)

    def concurrent_tasks(self) -> int:
        """Return the number of concurrent tasks per process."""
        return self._run.plan.concurrent_io

    def collect(self, task: int, result: Any) -> int:
        """Count a box."""
        return 1

    def finish(self) -> None:
        """Do nothing: the boxes are written."""


class PostprocessRunner(BoxRunner):
    """Blends and postprocesses an output."""

    def jobs(self) -> Iterator[Job]:
        """Yield the job that writes all boxes of the output."""
        output = self._run.outputs[self._pass.subject]
        assert isinstance(self._pass, PostprocessPass)
        labelled = output.planned.labelling is not None
        view = labelled_view(self._run, output) if labelled else output.late.view_after_all()
        yield PostprocessJob(
            boxes=self._pass.boxes if labelled else view.boxes(elements=LATE_ELEMENTS),
            marker=self._run.marker(self._pass.name),
            view=view,
            sink=output.sinks.sink,
            encoder=output.encoder,
        )


class LevelRunner(BoxRunner):
    """Makes a coarser level of an OME-Zarr image."""

    def jobs(self) -> Iterator[Job]:
        """Yield the job that writes all boxes of the level; none if outputs stay in memory."""
        sink = self._run.outputs[self._pass.subject].sinks.sink
        assert isinstance(self._pass, LevelPass)
        if isinstance(sink, OmeSink):
            yield LevelJob(boxes=self._pass.boxes, marker=self._run.marker(self._pass.name), sink=sink, level=self._pass.level)
