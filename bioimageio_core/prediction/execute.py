"""Tasks on threads of this process, and what is counted of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue
from threading import Lock
from typing import Any, TypeVar

from .options import Progress

__all__ = ["Clock", "Reporter", "as_done", "in_order"]

T = TypeVar("T")

REPORT_EVERY = 0.1
"""Seconds between reports of progress."""


def as_done(task: Callable[[int], T], numbers: Iterable[int], *, workers: int) -> Iterator[tuple[int, T]]:
    """Run a task for each number, several at once, and yield ``(number, what it returned)``, in the order in which they end.

    Numbers are taken as they are needed and few results wait, so that millions of tasks cost no memory.
    The first exception ends the run and is raised once the tasks that run have ended; no other is begun.

    A window of futures, and not dask's threaded scheduler: that takes a graph as a whole, so millions of tasks would have to be handed
    over in parts, with idle threads at the end of each.
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
    """Yield results of tasks 0, 1, 2, ... in this order, whichever ended first."""
    early: dict[int, T] = {}
    wanted = 0
    for number, result in ended:
        early[number] = result
        while wanted in early:
            yield early.pop(wanted)
            wanted += 1


class Reporter:
    """Counts what is done and tells of it now and then.

    Args:
        stage: What is being done.
        total: How much of it there is.
        progress: Told; None tells nobody.
        done: How much was done before.

    """

    def __init__(self, stage: str, total: int, progress: Progress | None, done: int = 0) -> None:
        self._stage, self._total, self._progress = stage, total, progress
        self._done, self._last, self._lock = done, 0.0, Lock()
        if progress is not None:
            progress(stage, done, total)

    def more(self, number: int = 1) -> None:
        """Count."""
        with self._lock:
            self._done += number
            now = time.monotonic()
            if self._progress is None or (now - self._last < REPORT_EVERY and self._done < self._total):
                return
            self._last = now
            self._progress(self._stage, self._done, self._total)


class Clock:
    """Seconds spent by stage, summed over threads."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = Lock()

    def add(self, stage: str, seconds: float) -> None:
        """Add time to a stage."""
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of a ``with`` block to a stage."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - begin)

    def add_all(self, seconds: dict[str, Any]) -> None:
        """Add the times of another clock."""
        for stage, spent in seconds.items():
            self.add(stage, spent)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage."""
        with self._lock:
            return dict(self._seconds)
