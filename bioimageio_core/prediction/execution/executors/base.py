"""What an executor is, and what it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

__all__ = ["Executor", "Job"]


class Job(Protocol):
    """Numbered tasks that need something in common; sent to other processes where tasks run there."""

    @property
    def prefers_locality(self) -> bool:
        """Whether tasks that follow each other read the same, so that they had better run in one process."""
        ...

    def open(self, worker: str) -> Callable[[int], Any]:
        """Return what carries out a task, once in each process.

        Args:
            worker: Name of the worker that this process is; empty in the process that planned.

        """
        ...

    def close(self) -> None:
        """Free what `open` took."""
        ...


class Executor(Protocol):
    """Runs the tasks of jobs."""

    @property
    def shares_memory(self) -> bool:
        """Whether tasks see the memory of this process, so that they need not return what they computed."""
        ...

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks and yield ``(task, what it returned)``, in any order; few wait at any time, however many there are.

        Args:
            job: What they are tasks of.
            tasks: Their numbers, taken as they are needed.
            at_once: How many run at once in one process.

        """
        ...
