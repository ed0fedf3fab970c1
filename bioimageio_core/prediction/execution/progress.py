"""Progress of a pass, reported at intervals."""

from __future__ import annotations

import time
from threading import Lock

from ...progress import Progress

__all__ = ["Reporter"]

REPORT_EVERY = 0.1
"""Seconds between reports of progress."""


class Reporter:
    """Counts finished units, and reports progress at intervals.

    Args:
        stage: Name of the stage.
        total: Number of units.
        progress: Progress callback; None disables it.
        done: Number of units that were done before.

    """

    def __init__(self, stage: str, total: int, progress: Progress | None, done: int = 0) -> None:
        self._stage, self._total, self._progress = stage, total, progress
        self._done, self._last, self._lock = done, 0.0, Lock()
        if progress is not None:
            progress(stage, done, total)

    def more(self, number: int = 1) -> None:
        """Count finished units."""
        with self._lock:
            self._done += number
            now = time.monotonic()
            if self._progress is None or (now - self._last < REPORT_EVERY and self._done < self._total):
                return
            self._last = now
            self._progress(self._stage, self._done, self._total)
