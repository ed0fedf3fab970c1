"""Tasks on a dask cluster: every worker process opens a job once, and is told numbers.

This module imports `distributed`, so it is imported where there is a client.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Lock
from typing import Any
from uuid import uuid4

import attrs
from distributed import Client, WorkerPlugin, as_completed, get_worker
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from ..errors import ModelRunError
from .executors import Job

__all__ = ["Cluster", "processes_of_fullest_host", "threads_of_fullest_host", "turns_on_hosts"]

PER_THREAD = 2
"""Tasks that are submitted for each thread: one that runs and one that waits, so that no thread does."""

ANYBODY = ""
"""Stands for all workers, where it does not matter who does a task."""


@attrs.frozen
class Cluster:
    """The workers of a client."""

    client: Client

    @property
    def shares_memory(self) -> bool:
        """They do not."""
        return False

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks, as many at once as workers have threads; see `Executor`.

        Raises:
            BioimageioError: What a worker raised; tasks that wait are given up.
            ModelRunError: Workers die of a task, or the scheduler is gone.

        """
        client, name = self.client, f"bioimageio_core-{uuid4().hex}"
        client.register_plugin(_Workplace(job), name=name)
        try:
            threads: dict[str, int] = client.nthreads() or {ANYBODY: 1}
            if not job.neighbours_share:
                threads = {ANYBODY: sum(threads.values())}
            turns = _Turns(tasks, list(threads))

            def submit(worker: str) -> Any:
                task = turns.following(worker)
                if task is None:
                    return None
                wish = {} if worker == ANYBODY else {"workers": [worker], "allow_other_workers": True}
                return client.submit(_carry_out, name, task, key=f"{name}/{task}/{worker}", pure=False, **wish)

            first = [submit(worker) for _ in range(PER_THREAD) for worker, count in threads.items() for _ in range(count)]
            running = as_completed([f for f in first if f is not None], loop=client.loop, with_results=True)
            for future, result in running:
                _, task, worker = future.key.split("/", 2)
                future.release()
                more = submit(worker)
                if more is not None:
                    running.add(more)
                yield int(task), result
        except KilledWorker as error:
            raise ModelRunError(
                f"workers of the cluster died of the same task again and again, of too little memory maybe: {error}"
            ) from error
        except FutureCancelledError as error:
            raise ModelRunError(
                f"the scheduler of the cluster is gone ({error}); what is done is kept, go on with resume=True (--resume)"
            ) from error
        finally:
            if client.status == "running":
                client.unregister_worker_plugin(name)


class _Turns:
    """Who does which task next: each worker those that follow each other, so that it has read for one what the next one wants.

    Args:
        tasks: In an order in which neighbours follow each other; kept as 8 bytes each.
        workers: Their names.

    """

    def __init__(self, tasks: Iterable[int], workers: Sequence[str]) -> None:
        self._tasks = array("q", tasks)
        count, parts = len(self._tasks), len(workers)
        self._left = {w: range(count * n // parts, count * (n + 1) // parts) for n, w in enumerate(workers)}

    def following(self, worker: str) -> int | None:
        """Return the next task of a worker, who takes over half of the longest rest when it has done its own; None at the end."""
        left = self._left[worker]
        if not left:
            giver = max(self._left, key=lambda w: len(self._left[w]))
            theirs = self._left[giver]
            self._left[giver], left = theirs[: len(theirs) // 2], theirs[len(theirs) // 2 :]
            if not left:
                return None
        self._left[worker] = left[1:]
        return self._tasks[left[0]]


class _Workplace(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Keeps what one job needs in a worker process, from the first task to the end of the job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._work: Callable[[int], Any] | None = None
        self._opening: Lock | None = None
        self._worker = ""

    def setup(self, worker: Any) -> None:
        self._worker = worker.address
        self._opening = Lock()  # made here, since a lock can not be sent

    def teardown(self, worker: Any) -> None:
        self._job.close()

    def carry_out(self, task: int) -> Any:
        assert self._opening is not None
        with self._opening:
            if self._work is None:
                self._work = self._job.open(self._worker)
        return self._work(task)


def _carry_out(name: str, task: int) -> Any:
    workplace: _Workplace = get_worker().plugins[name]
    return workplace.carry_out(task)


def turns_on_hosts(client: Client) -> dict[str, int]:
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
    return max((turn + 1 for turn in turns_on_hosts(client).values()), default=1)


def threads_of_fullest_host(client: Client) -> int:
    """Return the greatest number of threads that workers have on one machine: what shares its memory."""
    by_host: dict[str, int] = {}
    for address, threads in client.nthreads().items():
        host = address.rpartition(":")[0]
        by_host[host] = by_host.get(host, 0) + threads
    return max(by_host.values(), default=1)
