"""The interface of work classes, which carry out passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ..executors.base import Job
from ..sweeps import Sweep

__all__ = ["PassWork"]


class PassWork(Protocol):
    """Carries out one pass of a run, sweep by sweep, in the process that coordinates the run."""

    def recall(self) -> bool:
        """Load the recorded result of the pass; return False if there is none."""
        ...

    def sweeps(self) -> Iterator[Job]:
        """Yield a job for each sweep; the caller collects all results of a sweep before it takes the next job."""
        ...

    def tasks(self, job: Job, sweep: int) -> Sweep:
        """Return the tasks of a sweep that this process computes."""
        ...

    def at_once(self) -> int:
        """Return the number of concurrent tasks per process."""
        ...

    def collect(self, task: int, result: Any) -> int:
        """Collect the result of a task; return its number of boxes or regions."""
        ...

    def finish(self) -> None:
        """Record the result of the pass, after all sweeps are complete."""
        ...
