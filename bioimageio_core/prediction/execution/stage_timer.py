"""Times the stages of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

__all__ = ["OF_REGIONS", "StageTimer"]

OF_REGIONS = ("read", "preprocess", "predict", "postprocess", "write")
"""Stages of regions, which workers go through at the same time: their seconds are summed over workers. Others are wall time."""


class StageTimer:
    """Seconds spent by stage; those of regions are summed over threads."""

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
        """Add the times of another timer, by stage."""
        for stage, spent in seconds.items():
            self.add(stage, spent)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by stage."""
        with self._lock:
            return dict(self._seconds)
