"""Interfaces of executors, and of the jobs that they run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import attrs

from ..completion import CompletionMarker

__all__ = ["Executor", "Function", "Job", "Work", "device_of"]


def device_of(worker: str, rank_on_host: Mapping[str, int], devices: Sequence[str]) -> str:
    """Return the device of a worker: workers of a machine share its devices in turn.

    Args:
        worker: Address of the worker; one that joined late takes the device after those of the others.
        rank_on_host: Rank of each worker among the workers of its machine, by address.
        devices: The devices of each machine.

    """
    return devices[rank_on_host.get(worker, len(rank_on_host)) % len(devices)]


class Work(Protocol):
    """Carries out tasks in one process; called from several threads at once."""

    def __call__(self, task: int) -> Any:
        """Carry out a task, and return its result."""
        ...

    def close(self) -> None:
        """Free resources such as a network."""
        ...


@attrs.frozen
class Function:
    """Work that calls a function, and holds no resources."""

    carry_out: Callable[[int], Any]

    def __call__(self, task: int) -> Any:
        """Carry out a task, and return its result."""
        return self.carry_out(task)

    def close(self) -> None:
        """Do nothing."""


class Job(Protocol):
    """Numbered tasks of one sweep, with everything that they need; sent to the processes in which tasks run."""

    @property
    def task_count(self) -> int:
        """Number of tasks."""
        ...

    @property
    def units(self) -> int:
        """Number of regions or boxes of all tasks, for progress."""
        ...

    @property
    def units_per_task(self) -> int:
        """Units per task; the last task may have fewer."""
        ...

    @property
    def is_picklable(self) -> bool:
        """Whether tasks can run in other processes."""
        ...

    @property
    def prefers_locality(self) -> bool:
        """Whether neighbouring tasks read the same data, so that one process should run them."""
        ...

    @property
    def marker(self) -> CompletionMarker | None:
        """Marks finished tasks; None if they leave no markers."""
        ...

    def open(self, worker: str) -> Work:
        """Return the work that carries out tasks; called once in each process.

        Args:
            worker: Address of this worker; empty in the process that planned.

        """
        ...


class Executor(Protocol):
    """Runs the tasks of jobs."""

    @property
    def shares_memory(self) -> bool:
        """Whether tasks run in the memory of this process, so that they need not return their outputs."""
        ...

    def run(self, job: Job, tasks: Iterable[int], *, at_once: int) -> Iterator[tuple[int, Any]]:
        """Run tasks, and yield ``(task, result)`` in any order; memory does not grow with the number of tasks.

        Args:
            job: The job of the tasks.
            tasks: Numbers of the tasks, consumed as needed.
            at_once: Concurrent tasks per process.

        """
        ...
