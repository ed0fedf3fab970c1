"""Runs tasks on threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

import attrs

from .base import Job

__all__ = ["Threads", "in_order", "run_in_threads"]

T = TypeVar("T")


@attrs.frozen
class Threads:
    """Threads of this process."""

    @property
    def shares_memory(self) -> bool:
        """Always True."""
        return True

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks; see `Executor`."""
        work = job.open("")
        try:
            if job.task_count == 1:  # a thread of its own takes longer to start than a small image takes to predict
                yield from ((task, work(task)) for task in tasks)
            else:
                yield from run_in_threads(work, tasks, workers=at_once)
        finally:
            work.close()


def run_in_threads(task: Callable[[int], T], numbers: Iterable[int], *, workers: int) -> Iterator[tuple[int, T]]:
    """Call ``task`` for each number on several threads, and yield ``(number, result)`` in the order of completion.

    Numbers are consumed as needed, and few results wait, so millions of tasks cost no memory.
    The first exception cancels waiting tasks, and is raised after the running tasks end.

    This uses a window of futures instead of the threaded scheduler of dask, which takes a complete graph: millions of tasks
    would have to be submitted in parts, with idle threads at the end of each part.
    """
    done: SimpleQueue[tuple[int, Future[T]]] = SimpleQueue()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="bioimageio_core")
    waiting = 0
    try:
        for number in numbers:
            future = pool.submit(task, number)
            future.add_done_callback(partial(_put, done, number))
            waiting += 1
            if waiting >= 2 * workers:
                ended, result = done.get()
                waiting -= 1
                yield ended, result.result()
        for _ in range(waiting):
            ended, result = done.get()
            yield ended, result.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _put(done: SimpleQueue[tuple[int, Future[T]]], number: int, future: Future[T]) -> None:
    done.put((number, future))


def in_order(ended: Iterable[tuple[int, T]]) -> Iterator[T]:
    """Yield the results of tasks 0, 1, 2, ... in the order of their numbers."""
    early: dict[int, T] = {}
    next_number = 0
    for number, result in ended:
        early[number] = result
        while next_number in early:
            yield early.pop(next_number)
            next_number += 1
