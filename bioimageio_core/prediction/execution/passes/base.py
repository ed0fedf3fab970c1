"""The interface of runners, which carry out passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from ..executors.base import Job
from ..task_shares import TaskShare

__all__ = ["PassRunner"]


class PassRunner(Protocol):
    """Carries out one pass of a run, sweep by sweep, in the process that coordinates the run."""

    def load_recorded(self) -> bool:
        """Load the recorded result of the pass; return False if there is none."""
        ...

    def jobs(self) -> Iterator[Job]:
        """Yield a job for each sweep; the caller collects all results of a sweep before it takes the next job."""
        ...

    def share(self, job: Job, sweep: int) -> TaskShare:
        """Return the tasks of a sweep that this process computes."""
        ...

    def concurrent_tasks(self) -> int:
        """Return the number of concurrent tasks per process."""
        ...

    def collect(self, task: int, result: Any) -> int:
        """Collect the result of a task; return its number of boxes or regions."""
        ...

    def finish(self) -> None:
        """Record the result of the pass, after all sweeps are complete."""
        ...
