"""Progress of a pass, reported now and then."""

from __future__ import annotations

import time
from threading import Lock

from ..options import Progress

__all__ = ["Reporter"]

REPORT_EVERY = 0.1
"""Seconds between reports of progress."""


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
