"""Selects the tasks of a sweep that this process computes: its own unfinished tasks, or the tasks that it claims."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from .claims import Claims
from .completion import CompletionMarker
from .executors.base import Executor, Job

__all__ = ["OwnTasks", "SharedTasks", "TaskShare", "units_of"]

POLL = 0.2
"""Seconds between checks for tasks that other processes finished."""


class TaskShare(Protocol):
    """The tasks of one sweep that this process computes, and whose results it waits for."""

    @property
    def units(self) -> int:
        """Number of regions or boxes of all tasks that this process waits for."""
        ...

    @property
    def units_done(self) -> int:
        """Number of regions or boxes of tasks that were done before."""
        ...

    def results(self, executor: Executor, concurrent_tasks: int) -> Iterator[tuple[int, Any]]:
        """Run the tasks, and yield ``(task, result)``."""
        ...

    def is_complete(self) -> bool:
        """Return whether all tasks are done, including tasks of other processes."""
        ...


def units_of(job: Job, tasks: range) -> int:
    """Return the number of regions or boxes of a range of tasks."""
    end = min(tasks.stop * job.units_per_task, job.units)
    return max(0, end - tasks.start * job.units_per_task)


class OwnTasks:
    """Tasks that only this process computes, except for finished tasks.

    Args:
        job: The job.
        tasks: The tasks of this process, in order.
        marker: Marks finished tasks; None if tasks leave no markers.
        of_all: The tasks of all processes that share the sweep; None for all tasks of the job.

    """

    def __init__(self, job: Job, tasks: Sequence[int], marker: CompletionMarker | None, *, of_all: Sequence[int] | None = None) -> None:
        self._job, self._tasks, self._marker = job, tasks, marker
        self._all = range(job.task_count) if of_all is None else of_all
        self._done = bytearray(job.task_count) if marker is None else marker.done(job.task_count)
        self.units = units_of(job, tasks) if isinstance(tasks, range) else sum(units_of(job, range(t, t + 1)) for t in tasks)
        self.units_done = sum(units_of(job, range(t, t + 1)) for t in tasks if self._done[t])

    def results(self, executor: Executor, concurrent_tasks: int) -> Iterator[tuple[int, Any]]:
        """Run the tasks, and yield ``(task, result)``."""
        remaining = (t for t in self._tasks if not self._done[t])
        return executor.run(self._job, remaining, at_once=concurrent_tasks)

    def is_complete(self) -> bool:
        """Return whether all tasks are done, including tasks of other processes."""
        if len(self._tasks) == len(self._all) or self._marker is None:
            return True
        done = self._marker.done(self._job.task_count)
        return all(done[t] for t in self._all)


class SharedTasks:
    """All tasks of a sweep that several processes share: each process computes the tasks that it claims.

    Each process starts at a different task and claims unclaimed tasks from there. Then it waits for the claimed tasks,
    and takes over those whose process is gone.

    Args:
        job: The job.
        first: The first task to claim.
        marker: Marks finished tasks.
        claims: The claims of this process.
        load: Returns the result of a task from its number and the content of its marker; for passes that need the results of all tasks.

    """

    def __init__(
        self, job: Job, *, first: int, marker: CompletionMarker, claims: Claims, load: Callable[[int, bytes], Any] | None = None
    ) -> None:
        self._job, self._first, self._marker, self._claims, self._load = job, first, marker, claims, load
        self._returned = bytearray(job.task_count)
        """A byte per task: 1 if its result was yielded."""

        self._damaged: set[int] = set()
        """Tasks whose recorded result cannot be read: computed here without a claim."""

        self.units = units_of(job, range(job.task_count))
        self.units_done = 0  # results of tasks that are done are loaded and yielded like others, and progress counts them then

    def results(self, executor: Executor, concurrent_tasks: int) -> Iterator[tuple[int, Any]]:
        """Run the tasks that this process claims; yield their results, and those of other processes."""
        count = self._job.task_count
        while not all(self._returned):
            done = self._marker.done(count)
            claimed = self._claimed(done)
            first = next(claimed, None)
            if first is not None:
                for task, result in executor.run(self._job, _chained(first, claimed), at_once=concurrent_tasks):
                    self._returned[task] = 1
                    yield task, result
            for task in (t for t in range(count) if done[t] and not self._returned[t]):
                try:
                    result = self._result(task)
                except ValueError:  # a marker without its content, as a power failure leaves it
                    self._marker.unmark(task)
                    self._damaged.add(task)
                    continue
                self._returned[task] = 1
                yield task, result
            if first is None and not all(self._returned):
                time.sleep(POLL)

    def is_complete(self) -> bool:
        """Return whether all tasks are done, including tasks of other processes."""
        return all(self._returned)

    def _claimed(self, done: bytearray) -> Iterator[int]:
        """Claim unfinished tasks one by one, and yield them."""
        count = len(done)
        for n in range(count):
            task = (self._first + n) % count
            if done[task] or self._returned[task]:
                continue
            if task in self._damaged or self._claims.take(self._marker.stage, task):
                yield task

    def _result(self, task: int) -> Any:
        return None if self._load is None else self._load(task, self._marker.result(task))


def _chained(first: int, rest: Iterator[int]) -> Iterator[int]:
    yield first
    yield from rest
