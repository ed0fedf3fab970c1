"""Runs tasks on a dask cluster: every worker process opens a job once, and receives task numbers.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs
from distributed import Client, rejoin, secede

from .base import Job
from .chosen_client import within_task
from .submissions import Submissions
from .worker_jobs import WorkerJob, WorkerObjects
from .worker_plugins import worker_plugin

__all__ = ["Cluster", "cluster_of"]


@attrs.frozen(kw_only=True)
class Cluster:
    """The workers of a client."""

    client: Client
    objects: str
    """Name of the worker plugin with the objects that jobs share."""

    wait_for_workers: float | None
    """See `RunOptions`."""

    @property
    def shares_memory(self) -> bool:
        """Always False: workers are other processes."""
        return False

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks, one per worker thread at a time; see `Executor`.

        Workers may join and leave meanwhile: tasks of workers that leave are computed again.

        Raises:
            BioimageioError: A task raised it; waiting tasks are dropped.
            InputError: The job cannot be sent to workers.
            ModelRunError: A task kills workers repeatedly, a worker lacks a package, no worker is left, or the scheduler is gone.

        """
        with worker_plugin(self.client, WorkerJob(job, self.objects)) as name:
            submissions = Submissions(self.client, name, tasks, by_worker=job.prefers_locality, wait_for_workers=self.wait_for_workers)
            yield from submissions.results()


@contextmanager
def cluster_of(client: Client, *, wait_for_workers: float | None) -> Iterator[Cluster]:
    """Yield the cluster of a client; within the ``with`` block, its workers cache chunks across jobs.

    Args:
        client: The client.
        wait_for_workers: See `RunOptions`.

    """
    with _own_thread(), worker_plugin(client, WorkerObjects()) as objects:
        yield Cluster(client=client, objects=objects, wait_for_workers=wait_for_workers)


@contextmanager
def _own_thread() -> Iterator[None]:
    """Within a task, let the worker start another thread: this one waits for tasks, which may have to run on the same worker."""
    if not within_task():
        yield
        return
    try:
        secede()
    except (KeyError, AttributeError):  # the task gave its thread back already, or has none of the pool
        yield
        return
    try:
        yield
    finally:
        rejoin()
