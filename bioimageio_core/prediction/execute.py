"""Tasks on dask's threaded scheduler."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from .options import Progress

__all__ = ["Clock", "for_each"]

WINDOW = 2048
"""Tasks handed to the scheduler at once: enough to keep it busy, few enough that millions of tasks cost no memory."""

REPORT_EVERY = 0.1
"""Seconds between reports of progress."""


def for_each(count: int, task: Callable[[int], object], *, workers: int, stage: str, progress: Progress | None) -> None:
    """Run ``task(0)`` to ``task(count - 1)``, several at once, and report progress.

    The first exception ends the run and is raised.
    """
    import dask

    report = _Reporter(stage, count, progress)

    def run(index: int) -> None:
        task(index)
        report.one_more()

    run_later = dask.delayed(run, pure=False)
    for start in range(0, count, WINDOW):
        window = [run_later(i) for i in range(start, min(count, start + WINDOW))]
        dask.compute(*window, scheduler="threads", num_workers=workers, optimize_graph=False)
    report.end()


class _Reporter:
    """Counts finished tasks and tells of them now and then."""

    def __init__(self, stage: str, total: int, progress: Progress | None) -> None:
        self._stage, self._total, self._progress = stage, total, progress
        self._done, self._last, self._lock = 0, 0.0, Lock()
        if progress is not None:
            progress(stage, 0, total)

    def one_more(self) -> None:
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if self._progress is None or now - self._last < REPORT_EVERY:
                return
            self._last = now
            self._progress(self._stage, self._done, self._total)

    def end(self) -> None:
        if self._progress is not None:
            self._progress(self._stage, self._total, self._total)


class Clock:
    """Seconds spent by stage, summed over threads."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = Lock()

    def add(self, stage: str, seconds: float) -> None:
        """Add time to a stage."""
        with self._lock:
            self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage."""
        with self._lock:
            return dict(self._seconds)
