"""What carries out a pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ..executors.base import Job
from ..sweeps import Sweep

__all__ = ["PassWork"]


class PassWork(Protocol):
    """One pass of a run, carried out sweep by sweep, in the process that coordinates the run."""

    def recall(self) -> bool:
        """Return whether the result of the pass was recorded before, and take it."""
        ...

    def sweeps(self) -> Iterator[Job]:
        """Yield a job for each sweep; the next one is asked for when all results of the sweep before were collected."""
        ...

    def tasks(self, job: Job, sweep: int) -> Sweep:
        """Return the tasks of a sweep that are left to this process."""
        ...

    def at_once(self) -> int:
        """Return how many tasks run at once in one process."""
        ...

    def collect(self, task: int, result: Any) -> int:
        """Take the result of a task; return how many boxes or regions it had."""
        ...

    def finish(self) -> None:
        """Record the result of the pass, of which all sweeps are complete."""
        ...
