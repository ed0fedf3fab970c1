"""The pass over regions: each task reads, predicts and writes consecutive regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, TypeAlias

import attrs

from ....io.lazy import Lazy
from ....registry import collect
from ....sources import Package
from ...data.bind_inputs import BoundInput
from ...data.whole_tensors import ProcessedSource
from ...model.loaded_model import LoadedModel
from ...model.network import Network, load_network
from ...planning.passes import RegionsPass
from ...planning.plan import Plan
from ..bound_steps import StepChain
from ..cached_inputs import cached
from ..completion import CompletionMarker
from ..executors.base import Job, Work, device_of
from ..executors.threads import run_in_threads
from ..run import InputRun, OutputRun, Run
from ..stage_timer import StageTimer
from ..task_shares import OwnTasks, TaskShare
from .region_computer import ComputedRegion, InputReader, OutputWriter, RegionComputer, RegionPipeline

__all__ = ["RegionJob", "RegionsDone", "RegionsRunner", "lazy_network", "region_pipeline"]

RegionsDone: TypeAlias = "tuple[list[ComputedRegion], dict[str, float]]"
"""The regions of a task, and the seconds by stage."""


@attrs.frozen(kw_only=True, eq=False)
class RegionJob:
    """Computes the regions of a plan."""

    prefers_locality: ClassVar[bool] = True  # blocks overlap, and chunks span several of them
    is_picklable: ClassVar[bool] = True

    work: RegionPipeline
    descr: Any
    """The description of the model."""

    package: Package
    """The files of the model; every worker must be able to read them."""

    trust: bool
    rank_on_host: Mapping[str, int]
    """Rank of each worker among the workers of its machine, by address; they share the devices of the plan."""

    marker: CompletionMarker | None
    network: Network | None
    """The network, if this process loaded it; each worker process loads its own, with its own plugins."""

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        return self.work.plan.task_count

    @property
    def units(self) -> int:
        """Number of regions."""
        return self.work.plan.regions.count

    @property
    def units_per_task(self) -> int:
        """Number of regions per task."""
        return self.work.plan.regions_per_task

    def open(self, worker: str) -> Work:
        """Load the network, unless this process did, and return the work that computes regions."""
        network, own = self.network, self.network is None
        if network is None:
            model = LoadedModel.of(self.descr, self.package, collect())
            plan = self.work.plan
            calls = max(1, plan.workers // max((rank + 1 for rank in self.rank_on_host.values()), default=1))
            device = device_of(worker, self.rank_on_host, plan.weights.devices)
            network = load_network(
                model, plan.weights, plan.run_mode, devices=(device,), threads=plan.threads, calls=calls, trust=self.trust
            )
        return _Regions(self.work, network, self.marker, to_close=(network, self.package) if own else ())


class _Regions:
    """Computes the regions of tasks."""

    def __init__(
        self, work: RegionPipeline, network: Network, marker: CompletionMarker | None, to_close: tuple[Network | Package, ...]
    ) -> None:
        self._work, self._network, self._marker, self._to_close = work, network, marker, to_close
        self._spent = StageTimer()

    def __call__(self, task: int) -> RegionsDone:
        timer = StageTimer()
        if self._marker is not None:
            self._marker.check_run()
        compute = RegionComputer(work=self._work, network=self._network, timer=timer)
        regions = self._work.plan.regions_of(task)
        if len(regions) > 1 and self._network_takes_longest():
            # While the network computes one region of a task, the next region is read.
            computed = [c for _, c in run_in_threads(compute, regions, workers=2)]
        else:
            computed = [compute(r) for r in regions]
        self._spent.add_all(timer.seconds)
        if self._marker is not None:
            self._marker.check_run()
            self._marker.mark(task)
        return computed, timer.seconds

    def close(self) -> None:
        """Unload a network that this job loaded."""
        for held in self._to_close:
            held.close()

    def _network_takes_longest(self) -> bool:
        """Return whether the network took longest so far: Python runs one thread at a time, so two threads slow tasks that mostly read."""
        spent = self._spent.seconds
        return spent.get("predict", 0.0) >= spent.get("read", 0.0) + spent.get("write", 0.0)


class RegionsRunner:
    """Carries out the pass over all regions, or over those of a shard."""

    def __init__(self, run: Run, pass_: RegionsPass) -> None:
        self._run, self._pass = run, pass_

    def load_recorded(self) -> bool:
        """Return False: every task has its own marker."""
        return False

    def jobs(self) -> Iterator[Job]:
        """Yield the job that computes all regions."""
        run = self._run
        yield RegionJob(
            work=region_pipeline(run),
            descr=run.model.descr,
            package=run.model.package,
            trust=run.options.trust,
            rank_on_host=run.rank_on_host,
            # An output whose shape the network determines is kept in memory, and is lost if the run is interrupted.
            marker=run.marker(self._pass.name) if self._pass.resumable else None,
            network=run.network,
        )

    def share(self, job: Job, sweep: int) -> TaskShare:
        """Return the tasks of this shard: neighbouring tasks, so that each shard reads its own part of the image."""
        assert isinstance(job, RegionJob)
        shard, plan = self._run.options.shard, self._run.plan
        return OwnTasks(job, plan.tasks if shard is None else plan.tasks_of_shard(*shard), job.marker, of_all=plan.tasks)

    def concurrent_tasks(self) -> int:
        """Return the number of concurrent tasks per process."""
        return self._run.plan.in_flight

    def collect(self, task: int, result: RegionsDone) -> int:
        """Write the outputs that the task returned, and add its times and its counts of NaN."""
        regions, seconds = result
        self._run.timer.add_all(seconds)
        for region in regions:
            self._run.statistics.add_nan_counts(region.nan_counts)
            self._run.notes.extend(region.notes)
            for name, (start, array) in region.placed.items():
                self._run.outputs[name].sinks.region_sink.write(start, array)
        return len(regions)

    def finish(self) -> None:
        """Do nothing: the regions are written."""


def region_pipeline(run: Run, *, sinks: bool = True) -> RegionPipeline:
    """Return what the regions of a run are computed from, after its statistics are measured.

    Args:
        run: The run.
        sinks: Whether regions write to the sinks of the run; otherwise they return their outputs.

    """
    limits = {i.id: policy.limit for i, policy in zip(run.plan.inputs, run.plan.cache, strict=True)}
    outputs = tuple(_writer(o, run) for o in run.outputs.values())
    return RegionPipeline(
        plan=run.plan,
        inputs=tuple(_reader(i, limits[name]) for name, i in run.inputs.items()),
        outputs=outputs if sinks else tuple(attrs.evolve(o, sink=None) for o in outputs),
    )


def _reader(run: InputRun, limit: int) -> InputReader:
    """Return the reader of an input, with a cache of chunks that blocks share."""
    view = run.steps.view_after_all()
    source = view.source
    assert isinstance(source, BoundInput | ProcessedSource)
    return InputReader(planned=run.planned, source=cached(source, limit) if isinstance(source, BoundInput) else source, steps=view.steps)


def _writer(output: OutputRun, run: Run) -> OutputWriter:
    """Return the writer of an output."""
    planned, sink = output.planned, output.sinks.region_sink
    blocks = StepChain(planned.id, output.sinks.of_blocks(run.plan), planned.steps, cut=(), binder=run.binder)
    return OutputWriter(
        planned=planned.of_regions,
        steps=blocks.view_after_all().steps,
        sink=sink if run.executor.shares_memory or sink.is_picklable else None,
        encoder=None if planned.has_late_pass else output.encoder,
    )


def lazy_network(plan: Plan, descr: Any, package: Package, *, trust: bool, loaded: Network | None = None) -> Lazy[Network]:
    """Return the network of a plan, which each process loads at its first use.

    Args:
        plan: The plan.
        descr: The description of the model.
        package: The files of the model.
        trust: Whether code that comes with the model may run.
        loaded: The network, if this process has loaded it already.

    """
    arguments = (descr, package, plan, trust)
    return Lazy(_load, *arguments) if loaded is None else Lazy.holding(loaded, _load, *arguments)


def _load(descr: Any, package: Package, plan: Plan, trust: bool) -> Network:
    return load_network(
        LoadedModel.of(descr, package, collect()),
        plan.weights,
        plan.run_mode,
        devices=plan.weights.devices,
        threads=plan.threads,
        calls=plan.workers,
        trust=trust,
    )
