"""Passes that write an array box by box: postprocessing of outputs, and coarser levels of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import attrs

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
from ..sweeps import OwnTasks, SharedTasks, Sweep

__all__ = ["LevelJob", "LevelWork", "PostprocessJob", "PostprocessWork"]


@attrs.frozen(kw_only=True, eq=False)
class _BoxJob(ABC):
    """Boxes of complete chunks, each written by one task."""

    units_per_task: ClassVar[int] = 1
    prefers_locality: ClassVar[bool] = False  # boxes share no chunks
    boxes: Boxes
    marker: CompletionMarker | None

    @property
    def task_count(self) -> int:
        """Number of boxes."""
        return self.boxes.count

    @property
    def units(self) -> int:
        """Number of boxes."""
        return self.boxes.count

    def open(self, worker: str) -> Work:
        """Return the work that writes boxes."""
        return Function(self._carry_out)

    def _carry_out(self, task: int) -> None:
        self.write(*self.boxes.box(task))
        if self.marker is not None:
            self.marker.mark(task)

    @abstractmethod
    def write(self, start: tuple[int, ...], stop: tuple[int, ...]) -> None:
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

    def write(self, start: tuple[int, ...], stop: tuple[int, ...]) -> None:
        """Process and write a box."""
        self.sink.write(start, self.encoder(start, self.view.read(start, stop)))


@attrs.frozen(kw_only=True, eq=False)
class LevelJob(_BoxJob):
    """Computes a coarser level of an image from the next finer level."""

    is_picklable: ClassVar[bool] = True
    sink: OmeSink
    level: int

    def write(self, start: tuple[int, ...], stop: tuple[int, ...]) -> None:
        """Compute and write a box."""
        image = self.sink.image
        self.sink.store.write(image.place(self.level), start, self.sink.read_level(self.level, start, stop))


class _BoxWork:
    """Carries out a pass of one sweep over boxes, which shards share."""

    def __init__(self, run: Run, step: Pass) -> None:
        self._run, self._pass = run, step

    def recall(self) -> bool:
        """Return False: every task has its own marker."""
        return False

    def tasks(self, job: Job, sweep: int) -> Sweep:
        """Return the tasks of boxes that are not written yet."""
        marker = self._run.marker(self._pass.name)
        if self._run.claims is None or marker is None:
            return OwnTasks(job, range(job.task_count), marker)
        return SharedTasks(job, first=self._run.first_task(job.task_count), marker=marker, claims=self._run.claims)

    def at_once(self) -> int:
        """Return the number of concurrent tasks per process."""
        return self._run.plan.concurrent_io

    def collect(self, task: int, result: None) -> int:
        """Count a box."""
        return 1

    def finish(self) -> None:
        """Do nothing: the boxes are written."""


class PostprocessWork(_BoxWork):
    """Blends and postprocesses an output."""

    def sweeps(self) -> Iterator[Job]:
        """Yield the job that writes all boxes of the output."""
        output = self._run.outputs[self._pass.subject]
        assert isinstance(self._pass, PostprocessPass)
        assert output.late is not None
        view = output.late.all()
        yield PostprocessJob(
            boxes=view.boxes(elements=LATE_ELEMENTS),
            marker=self._run.marker(self._pass.name),
            view=view,
            sink=output.sinks.sink,
            encoder=output.encoder,
        )


class LevelWork(_BoxWork):
    """Makes a coarser level of an OME-Zarr image."""

    def sweeps(self) -> Iterator[Job]:
        """Yield the job that writes all boxes of the level; none if outputs stay in memory."""
        sink = self._run.outputs[self._pass.subject].sinks.sink
        assert isinstance(self._pass, LevelPass)
        if isinstance(sink, OmeSink):
            yield LevelJob(boxes=self._pass.boxes, marker=self._run.marker(self._pass.name), sink=sink, level=self._pass.level)
