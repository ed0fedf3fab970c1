"""What is sent to where tasks run: regions to predict, boxes to measure, boxes to process and write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeAlias

import attrs

from ...io import RunState
from ...io.writing.ome_output import OmeTarget
from ...registry import collect
from ...sources import Package
from ...statistics import DatasetPartial, DatasetStatistics, Partial, StreamingStatistics
from ..data.tensor_view import Boxes, TensorView
from ..model.loaded_model import LoadedModel
from ..model.network import Network, load_network
from ..output.encoder import OutputEncoder
from ..output.region_assembly import Placed
from .executors.threads import run_in_threads
from .passes.region_task import RegionTask, RegionWork, Target
from .stage_timer import StageTimer

__all__ = ["CompletionMarker", "LevelJob", "RegionJob", "RegionsDone", "ScanJob", "WriteJob"]

RegionsDone: TypeAlias = "tuple[int, list[dict[str, Placed]], dict[str, float]]"
"""How many regions a task had, the outputs that nobody wrote yet, and the seconds by stage."""


@attrs.frozen(kw_only=True)
class CompletionMarker:
    """Where tasks note that they are done."""

    folder: RunState
    stage: str

    def mark(self, task: int) -> None:
        """Note it, after all that the task wrote is whole."""
        self.folder.mark(self.stage, task)


@attrs.define(kw_only=True, eq=False)
class RegionJob:
    """Regions of a plan."""

    prefers_locality: ClassVar[bool] = True  # blocks overlap, and chunks span several of them
    work: Any
    """The `RegionWork`; None until statistics are known."""

    descr: Any
    """The description of the model."""

    package: Package
    """Its files, which every worker can read."""

    trust: bool
    turns: Mapping[str, int] = attrs.field(factory=dict)
    """The number of each worker among those on its machine, by address: they share the devices of the plan."""

    marking: CompletionMarker | None = None
    network: Network | None = None
    """The network where it is loaded already, in this process; each other process loads its own, by the plugins of that process."""

    _own: Network | None = attrs.field(default=None, init=False)

    def open(self, worker: str) -> Callable[[int], RegionsDone]:
        """Load the network."""
        network = self.network
        if network is None:
            model = LoadedModel.of(self.descr, self.package, collect())
            plan = self.work.plan
            calls = max(1, plan.workers // max((turn + 1 for turn in self.turns.values()), default=1))
            device = plan.weights.devices[self.turns.get(worker, len(self.turns)) % len(plan.weights.devices)]
            network = self._own = load_network(
                model, plan.weights, plan.run_mode, devices=(device,), threads=plan.threads, calls=calls, trust=self.trust
            )
        return _Regions(self.work, network, self.marking)

    def close(self) -> None:
        """Unload the network if it was loaded here."""
        if self._own is not None:
            self._own.close()
            self._own = None
            self.package.close()


class _Regions:
    """Carries out tasks of regions."""

    def __init__(self, work: RegionWork, network: Network, marking: CompletionMarker | None) -> None:
        self._work, self._network, self._marking = work, network, marking
        self._spent = StageTimer()

    def __call__(self, task: int) -> RegionsDone:
        clock = StageTimer()
        compute = RegionTask(work=self._work, network=self._network, clock=clock)
        regions = self._work.plan.regions_of(task)
        if len(regions) > 1 and self._network_takes_longest():
            # While the network works on one region of a task, the next is read.
            placed = [p for _, p in run_in_threads(compute, regions, workers=2)]
        else:
            placed = [compute(r) for r in regions]
        self._spent.add_all(clock.seconds)
        if self._marking is not None:
            self._marking.mark(task)
        return len(regions), [p for p in placed if p], clock.seconds

    def _network_takes_longest(self) -> bool:
        """Return whether it did so far; Python runs one thread at a time, so two of them slow down what is mostly reading and writing."""
        spent = self._spent.seconds
        return spent.get("predict", 0.0) >= spent.get("read", 0.0) + spent.get("write", 0.0)


@attrs.frozen(kw_only=True, eq=False)
class ScanJob:
    """One pass over samples that measures them; a task is a run of boxes."""

    statistics: StreamingStatistics | DatasetStatistics
    samples: tuple[TensorView, ...]
    boxes: tuple[Boxes, ...]
    """Of each sample."""

    boxes_per_task: int

    @property
    def prefers_locality(self) -> bool:
        """Whether who measures a part of an image keeps it, and should be who predicts it: neighbours, as those of regions.

        What is measured last then waits for what comes before, of half of the image or more; images that are kept are small.
        """
        return any(s.kept for s in self.samples)

    @property
    def box_count(self) -> int:
        """Boxes of all samples."""
        return sum(b.count for b in self.boxes)

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return -(-self.box_count // self.boxes_per_task)

    def open(self, worker: str) -> Callable[[int], tuple[Partial | DatasetPartial, int]]:
        """Return what measures."""
        return self.scan

    def close(self) -> None:
        """Nothing was taken."""

    def scan(self, task: int) -> tuple[Partial | DatasetPartial, int]:
        """Return what is seen in the boxes of a task, in order, so that sums are the same whoever adds them, and the number of boxes."""
        partial = self.statistics.partial()
        numbers = range(task * self.boxes_per_task, min((task + 1) * self.boxes_per_task, self.box_count))
        for number in numbers:
            sample, start, stop = self._box(number)
            partial.update(sample.read(start, stop), start)
        return partial, len(numbers)

    def _box(self, number: int) -> tuple[TensorView, tuple[int, ...], tuple[int, ...]]:
        for sample, boxes in zip(self.samples, self.boxes, strict=True):
            if number < boxes.count:
                return sample, *boxes.box(number)
            number -= boxes.count
        raise IndexError(number)


@attrs.frozen(kw_only=True, eq=False)
class WriteJob:
    """Boxes of a sample that are processed and written."""

    prefers_locality: ClassVar[bool] = False  # boxes are whole chunks
    name: str
    sample: TensorView
    boxes: Boxes
    target: Target
    finishing: OutputEncoder
    marking: CompletionMarker | None = None

    def open(self, worker: str) -> Callable[[int], None]:
        """Return what writes."""
        return self.write

    def close(self) -> None:
        """Nothing was taken."""

    def write(self, task: int) -> None:
        """Process and write a box."""
        start, stop = self.boxes.box(task)
        self.target.write(self.name, start, self.finishing(start, self.sample.read(start, stop)))
        if self.marking is not None:
            self.marking.mark(task)


@attrs.frozen(kw_only=True, eq=False)
class LevelJob:
    """A coarser level of an image, made box by box of the level before."""

    prefers_locality: ClassVar[bool] = False  # boxes are whole chunks
    target: OmeTarget
    level: int
    boxes: Boxes
    marking: CompletionMarker

    def open(self, worker: str) -> Callable[[int], None]:
        """Return what writes."""
        return self.write

    def close(self) -> None:
        """Nothing was taken."""

    def write(self, task: int) -> None:
        """Write a box."""
        start, stop = self.boxes.box(task)
        self.target.store.write(self.target.image.place(self.level), start, self.target.read_level(self.level, start, stop))
        self.marking.mark(task)
