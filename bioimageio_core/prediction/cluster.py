"""Regions on a dask cluster: every worker process loads the network once, and writes its own regions.

This module imports `distributed`, so it is imported where there is a client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count, islice
from threading import Lock
from typing import Any
from uuid import uuid4

import attrs
from distributed import Client, WorkerPlugin, as_completed, get_worker

from ..registry import collect
from ..sources import Package
from .execute import Clock
from .loaded import LoadedModel
from .network import Network, load_network
from .options import Progress
from .task import Placed, RegionTask, RegionWork

__all__ = ["RemoteRun", "run_on_cluster", "threads_of_fullest_host", "turns_on_hosts"]

PER_THREAD = 2
"""Regions that are submitted for each thread: one that runs and one that waits, so that no thread does."""


@attrs.frozen(kw_only=True, eq=False)
class RemoteRun:
    """All that a worker has to be told."""

    work: RegionWork
    descr: Any
    """The description of the model."""

    package: Package
    """Its files, which every worker can read."""

    trust: bool
    turns: Mapping[str, int]
    """The number of each worker among those on its machine, by address: they share the devices of the plan."""

    def load(self, worker: str) -> Network:
        """Return the network for a worker, loaded by the plugins of this process."""
        model = LoadedModel.of(self.descr, self.package, collect())
        plan = self.work.plan
        device = plan.weights.devices[self.turns.get(worker, len(self.turns)) % len(plan.weights.devices)]
        return load_network(model, plan.weights, plan.run_mode, devices=(device,), threads=plan.threads, trust=self.trust)


class _Workplace(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Keeps the network of one run in a worker process, from the first region to the end of the run."""

    def __init__(self, run: RemoteRun) -> None:
        self._run = run
        self._network: Network | None = None
        self._loading: Lock | None = None
        self._worker = ""

    def setup(self, worker: Any) -> None:
        self._worker = worker.address
        self._loading = Lock()  # made here, since a lock can not be sent

    def teardown(self, worker: Any) -> None:
        if self._network is not None:
            self._network.close()
        self._run.package.close()

    def compute(self, region: int) -> tuple[dict[str, Placed], dict[str, float]]:
        """Compute a region; return the outputs that nobody wrote yet, and the seconds by stage."""
        assert self._loading is not None
        with self._loading:
            if self._network is None:
                self._network = self._run.load(self._worker)
        clock = Clock()
        task = RegionTask(work=self._run.work, network=self._network, clock=clock)
        return task(region), clock.seconds


def _compute(name: str, region: int) -> tuple[dict[str, Placed], dict[str, float]]:
    workplace: _Workplace = get_worker().plugins[name]
    return workplace.compute(region)


def run_on_cluster(client: Client, run: RemoteRun, *, clock: Clock, progress: Progress | None) -> Iterator[dict[str, Placed]]:
    """Compute all regions of a plan; yield the outputs that workers do not write, region by region in any order.

    Raises:
        BioimageioError: What a worker raised; regions that wait are given up.

    """
    name = f"bioimageio_core-{uuid4().hex}"
    total = run.work.plan.regions.count
    client.register_plugin(_Workplace(run), name=name)
    try:
        submitted = (client.submit(_compute, name, region, key=f"{name}-{region}", pure=False) for region in range(total))
        window = PER_THREAD * max(1, sum(client.nthreads().values()))
        running = as_completed(islice(submitted, window), loop=client.loop, with_results=True)
        done = count(1)
        if progress is not None:
            progress("predict", 0, total)
        for future, (outputs, seconds) in running:
            future.release()
            for stage, spent in seconds.items():
                clock.add(stage, spent)
            if progress is not None:
                progress("predict", next(done), total)
            following = next(submitted, None)
            if following is not None:
                running.add(following)
            yield outputs
    finally:
        client.unregister_worker_plugin(name)


def turns_on_hosts(client: Client) -> dict[str, int]:
    """Return the number of each worker among those on its machine, by address."""
    turns: dict[str, int] = {}
    by_host: dict[str, int] = {}
    for address in sorted(client.nthreads()):
        host = address.rpartition(":")[0]
        turns[address] = by_host.get(host, 0)
        by_host[host] = turns[address] + 1
    return turns


def threads_of_fullest_host(client: Client) -> int:
    """Return the greatest number of threads that workers have on one machine: what shares its memory."""
    by_host: dict[str, int] = {}
    for address, threads in client.nthreads().items():
        host = address.rpartition(":")[0]
        by_host[host] = by_host.get(host, 0) + threads
    return max(by_host.values(), default=1)
