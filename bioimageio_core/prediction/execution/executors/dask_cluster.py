"""Runs tasks on a dask cluster: every worker process opens a job once, and receives task numbers.

This module imports `distributed`, so it is imported only if there is a client.
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

ANY_WORKER = ""
"""Stands for all workers, if any worker may run a task."""


def _new_name() -> str:
    """Return a unique name for a worker plugin, since several runs may share the workers."""
    return f"bioimageio_core-{uuid4().hex}"


@attrs.frozen
class Cluster:
    """The workers of a client; within a ``with`` block, they cache chunks across jobs."""

    client: Client
    caches_name: str = attrs.field(factory=_new_name, init=False)
    """Name of the worker plugin that holds the caches."""

    def __enter__(self) -> Cluster:
        self.client.register_plugin(_WorkerCaches(), name=self.caches_name)
        return self

    def __exit__(self, *exc: object) -> None:
        self._unregister(self.caches_name)

    def _unregister(self, name: str) -> None:
        """Unregister a worker plugin."""
        if self.client.status == "running":
            self.client.unregister_worker_plugin(name)

    @property
    def shares_memory(self) -> bool:
        """Always False: workers are other processes."""
        return False

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks, one per worker thread at a time; see `Executor`.

        Raises:
            BioimageioError: A task raised it; waiting tasks are dropped.
            ModelRunError: A task kills workers repeatedly, a worker lacks a package, or the scheduler is gone.

        """
        client, name = self.client, _new_name()
        client.register_plugin(_WorkerJob(_packed(job), self.caches_name), name=name)
        try:
            threads: dict[str, int] = client.nthreads() or {ANY_WORKER: 1}
            if not job.prefers_locality:
                threads = {ANY_WORKER: sum(threads.values())}
            queue = TaskQueue(tasks, threads)
            running = as_completed(loop=client.loop, with_results=True)

            def submit(worker: str) -> None:
                following = queue.following(worker)
                if following:
                    restriction = {} if worker == ANY_WORKER else {"workers": [worker], "allow_other_workers": True}
                    running.add(
                        client.submit(_carry_out, name, following, key=f"{name}/{following[0]}/{worker}", pure=False, **restriction)
                    )

            for _ in range(PER_THREAD):
                for worker, count in threads.items():
                    for _ in range(count):
                        submit(worker)
            for future, (results, seconds) in running:
                worker = future.key.split("/", 2)[2]
                future.release()
                queue.returned(worker, len(results), seconds)
                submit(worker)
                yield from results
        except KilledWorker as error:
            raise ModelRunError(f"workers of the cluster died repeatedly in the same task, maybe out of memory: {error}") from error
        except FutureCancelledError as error:
            raise ModelRunError(
                f"the scheduler of the cluster is gone ({error}); finished tasks are kept: continue with resume=True (--resume)"
            ) from error
        finally:
            self._unregister(name)


class _WorkerCaches(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Keeps caches of chunks in a worker process across jobs."""

    def __init__(self) -> None:
        self.by_id: dict[int, ChunkCache] = {}
        """Caches by their `id` in the process that pickles jobs, where they live as long as the run."""


class _Packer(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """Pickles a job; replaces caches by their identity, and by what recreates them in a process that lacks them."""

    def persistent_id(self, value: object) -> Any:
        return (id(value), *value.__reduce__()) if isinstance(value, ChunkCache) else None


class _Unpacker(pickle.Unpickler):
    """Unpickles a job with the caches of the worker."""

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


class _WorkerJob(WorkerPlugin):  # type: ignore[misc]
    """Holds an open job in a worker process, from its first task to its end."""

    def __init__(self, packed: bytes, caches_name: str) -> None:
        self._packed, self._caches_name = packed, caches_name
        self._job: Job | None = None
        self._work: Work | None = None

    def setup(self, worker: Any) -> None:
        caches = worker.plugins.get(self._caches_name) or _WorkerCaches()  # without shared caches, the job has its own
        try:
            self._job = _Unpacker(self._packed, caches.by_id).load()
        except Exception as error:  # whatever unpickling raises; raised again by the first task, since dask drops errors of setup
            self._unpickling_error = error
        self._opening = Lock()  # created here, since a lock cannot be pickled
        self._worker: str = worker.address

    def teardown(self, worker: Any) -> None:
        if self._work is not None:
            self._work.close()

    def carry_out(self, task: int) -> Any:
        if self._job is None:
            raise ModelRunError(
                f"worker {self._worker} cannot load the job ({self._unpickling_error}): install the same packages there as here"
            )
        with self._opening:
            if self._work is None:
                self._work = self._job.open(self._worker)
        return self._work(task)


def _carry_out(name: str, tasks: Sequence[int]) -> tuple[list[tuple[int, Any]], float]:
    """Return results of tasks, and their total time in seconds."""
    worker_job: _WorkerJob = get_worker().plugins[name]
    begin = time.perf_counter()
    return [(task, worker_job.carry_out(task)) for task in tasks], time.perf_counter() - begin


def ranks_on_hosts(client: Client) -> dict[str, int]:
    """Return the rank of each worker among the workers of its machine, by address."""
    ranks: dict[str, int] = {}
    by_host: dict[str, int] = {}
    for address in sorted(client.nthreads()):
        host = address.rpartition(":")[0]
        ranks[address] = by_host.get(host, 0)
        by_host[host] = ranks[address] + 1
    return ranks


def processes_of_fullest_host(client: Client) -> int:
    """Return the greatest number of workers on one machine."""
    return max((rank + 1 for rank in ranks_on_hosts(client).values()), default=1)


def threads_of_fullest_host(client: Client) -> int:
    """Return the greatest number of worker threads on one machine, which share its memory."""
    by_host: dict[str, int] = {}
    for address, threads in client.nthreads().items():
        host = address.rpartition(":")[0]
        by_host[host] = by_host.get(host, 0) + threads
    return max(by_host.values(), default=1)
