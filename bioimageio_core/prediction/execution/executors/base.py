"""What an executor is, and what it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

import attrs

__all__ = ["Executor", "Function", "Job", "Work"]


class Work(Protocol):
    """Carries out tasks in one process; called from several threads at once."""

    def __call__(self, task: int) -> Any:
        """Carry out a task, and return its result."""
        ...

    def close(self) -> None:
        """Free what it holds, such as a network."""
        ...


@attrs.frozen
class Function:
    """A function as work that holds nothing."""

    carry_out: Callable[[int], Any]

    def __call__(self, task: int) -> Any:
        """Carry out a task, and return its result."""
        return self.carry_out(task)

    def close(self) -> None:
        """Do nothing."""


class Job(Protocol):
    """Numbered tasks of one sweep, with everything that they need; sent to other processes where tasks run there."""

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        ...

    @property
    def units(self) -> int:
        """What progress counts, of all tasks together: regions or boxes."""
        ...

    @property
    def units_per_task(self) -> int:
        """Units of every task but the last, which may have fewer."""
        ...

    @property
    def is_picklable(self) -> bool:
        """Whether tasks can run in other processes."""
        ...

    @property
    def prefers_locality(self) -> bool:
        """Whether neighbouring tasks read the same data, so that one process should run them."""
        ...

    def open(self, worker: str) -> Work:
        """Return what carries out the tasks, once in each process.

        Args:
            worker: Address of the worker that this process is; empty in the process that planned.

        """
        ...


class Executor(Protocol):
    """Runs the tasks of jobs."""

    @property
    def shares_memory(self) -> bool:
        """Whether tasks see the memory of this process, so that they need not return what they computed."""
        ...

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks and yield ``(task, what it returned)``, in any order; only a few wait at any time, however many there are.

        Args:
            job: What they are tasks of.
            tasks: Their numbers, taken when they are needed.
            at_once: How many run at once in one process.

        """
        ...
