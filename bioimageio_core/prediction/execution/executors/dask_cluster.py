"""Tasks on a dask cluster: every worker process opens a job once, and is told numbers.

This module imports `distributed`, so it is imported where there is a client.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from threading import Lock
from typing import Any
from uuid import uuid4

import attrs
import cloudpickle
from distributed import Client, WorkerPlugin, as_completed, get_worker
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from ....errors import ModelRunError
from ....io.reading.chunk_cache import ChunkCache
from .base import Job, Work
from .task_queue import PER_THREAD, TaskQueue

__all__ = ["Cluster", "processes_of_fullest_host", "ranks_on_hosts", "threads_of_fullest_host"]

ANYBODY = ""
"""Stands for all workers, where it does not matter who does a task."""


def _new_name() -> str:
    """Return a name for a plugin of workers, which several runs may have at once."""
    return f"bioimageio_core-{uuid4().hex}"


@attrs.frozen
class Cluster:
    """The workers of a client; in a ``with`` block, they keep the chunks that one job has read for those that follow."""

    client: Client
    shelf: str = attrs.field(factory=_new_name, init=False)
    """Name of what they keep."""

    def __enter__(self) -> Cluster:
        self.client.register_plugin(_Shelf(), name=self.shelf)
        return self

    def __exit__(self, *exc: object) -> None:
        self._forget(self.shelf)

    def _forget(self, name: str) -> None:
        """Let workers be without a plugin."""
        if self.client.status == "running":
            self.client.unregister_worker_plugin(name)

    @property
    def shares_memory(self) -> bool:
        """They do not."""
        return False

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks, as many at once as workers have threads; see `Executor`.

        Raises:
            BioimageioError: What a worker raised; tasks that wait are given up.
            ModelRunError: Workers die of a task, or lack a package, or the scheduler is gone.

        """
        client, name = self.client, _new_name()
        client.register_plugin(_Workplace(_packed(job), self.shelf), name=name)
        try:
            threads: dict[str, int] = client.nthreads() or {ANYBODY: 1}
            if not job.prefers_locality:
                threads = {ANYBODY: sum(threads.values())}
            turns = TaskQueue(tasks, threads)
            running = as_completed(loop=client.loop, with_results=True)

            def submit(worker: str) -> None:
                following = turns.following(worker)
                if following:
                    wish = {} if worker == ANYBODY else {"workers": [worker], "allow_other_workers": True}
                    running.add(client.submit(_carry_out, name, following, key=f"{name}/{following[0]}/{worker}", pure=False, **wish))

            for _ in range(PER_THREAD):
                for worker, count in threads.items():
                    for _ in range(count):
                        submit(worker)
            for future, (results, seconds) in running:
                worker = future.key.split("/", 2)[2]
                future.release()
                turns.returned(worker, len(results), seconds)
                submit(worker)
                yield from results
        except KilledWorker as error:
            raise ModelRunError(
                f"workers of the cluster died of the same task again and again, of too little memory maybe: {error}"
            ) from error
        except FutureCancelledError as error:
            raise ModelRunError(
                f"the scheduler of the cluster is gone ({error}); what is done is kept, go on with resume=True (--resume)"
            ) from error
        finally:
            self._forget(name)


class _Shelf(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Keeps caches of chunks in a worker process from job to job."""

    def __init__(self) -> None:
        self.caches: dict[int, ChunkCache] = {}
        """By the id that each has in the process that packs: it lives there as long as the run."""


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Pickles a job; of its caches it says which ones they are, and how to make those that a process has not."""

    def persistent_id(self, value: object) -> Any:
        return (id(value), *value.__reduce__()) if isinstance(value, ChunkCache) else None


class _Unpacker(pickle.Unpickler):
    """Makes the job that was packed, with the caches of a shelf."""

    def __init__(self, packed: bytes, caches: dict[int, ChunkCache]) -> None:
        super().__init__(BytesIO(packed))
        self._caches = caches

    def persistent_load(self, cache: Any) -> ChunkCache:
        key, make, state = cache
        if key not in self._caches:
            self._caches[key] = make(*state)
        return self._caches[key]


def _packed(job: Job) -> bytes:
    file = BytesIO()
    _Packer(file).dump(job)
    return file.getvalue()


class _Workplace(WorkerPlugin):  # type: ignore[misc]
    """Keeps what one job needs in a worker process, from the first task to the end of the job."""

    def __init__(self, packed: bytes, shelf: str) -> None:
        self._packed, self._shelf = packed, shelf
        self._job: Job | None = None
        self._work: Work | None = None

    def setup(self, worker: Any) -> None:
        shelf = worker.plugins.get(self._shelf) or _Shelf()  # without one, a job keeps its caches for itself
        try:
            self._job = _Unpacker(self._packed, shelf.caches).load()
        except Exception as error:  # whatever unpickling raises; told by the first task, since nobody hears what is raised here
            self._missing = error
        self._opening = Lock()  # made here, since a lock can not be sent
        self._worker: str = worker.address

    def teardown(self, worker: Any) -> None:
        if self._work is not None:
            self._work.close()

    def carry_out(self, task: int) -> Any:
        if self._job is None:
            raise ModelRunError(
                f"worker {self._worker} lacks what this prediction needs ({self._missing}): install there what is installed here"
            )
        with self._opening:
            if self._work is None:
                self._work = self._job.open(self._worker)
        return self._work(task)


def _carry_out(name: str, tasks: Sequence[int]) -> tuple[list[tuple[int, Any]], float]:
    """Return what tasks return, and the seconds that they took."""
    workplace: _Workplace = get_worker().plugins[name]
    begin = time.perf_counter()
    return [(task, workplace.carry_out(task)) for task in tasks], time.perf_counter() - begin


def ranks_on_hosts(client: Client) -> dict[str, int]:
    """Return the number of each worker among those on its machine, by address."""
    turns: dict[str, int] = {}
    by_host: dict[str, int] = {}
    for address in sorted(client.nthreads()):
        host = address.rpartition(":")[0]
        turns[address] = by_host.get(host, 0)
        by_host[host] = turns[address] + 1
    return turns


def processes_of_fullest_host(client: Client) -> int:
    """Return the greatest number of workers on one machine."""
    return max((turn + 1 for turn in ranks_on_hosts(client).values()), default=1)


def threads_of_fullest_host(client: Client) -> int:
    """Return the greatest number of threads that workers have on one machine: what shares its memory."""
    by_host: dict[str, int] = {}
    for address, threads in client.nthreads().items():
        host = address.rpartition(":")[0]
        by_host[host] = by_host.get(host, 0) + threads
    return max(by_host.values(), default=1)
