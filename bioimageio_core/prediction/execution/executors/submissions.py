"""Submissions of tasks to the workers of a cluster, while workers come and go.

This module imports `distributed`, so it is imported only if there is a client.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any

import attrs
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from ....errors import ModelRunError
from ....text import in_brief
from .absent_workers import Absence, SilentWorkers, known_workers
from .scheduler_calls import RESUME, ask_scheduler, lost_scheduler
from .task_queue import TaskQueue
from .worker_jobs import carry_out

__all__ = ["Submissions", "result_of"]

ANY_WORKER = ""
"""Stands for all workers, if any worker may run a task."""

CHECK_EVERY = 2.0
"""Seconds between checks which workers are present."""


def _run_error(error: BaseException) -> BaseException:
    """Return the error of a run for the error of a future: one sentence if the cluster is the cause, else the error itself."""
    if isinstance(error, KilledWorker):
        return ModelRunError(f"workers of the cluster died repeatedly in the same task, maybe out of memory ({in_brief(error)}); {RESUME}")
    if isinstance(error, CancelledError | asyncio.CancelledError):
        return lost_scheduler(getattr(error, "reason", error))  # the text of the error begins with a key of dask
    return error


def result_of(client: Client, function: Callable[..., Any], *args: Any, wait_for_workers: float | None) -> Any:
    """Call a function on one of the workers, and return its result.

    Args:
        client: The client.
        function: The function.
        args: Its arguments.
        wait_for_workers: See `RunOptions`.

    Raises:
        BioimageioError: The function raised it.
        ModelRunError: It kills workers repeatedly, no worker is left, or the scheduler is gone.

    """
    future = client.submit(function, *args, pure=False)
    absence, silent = Absence(client, wait_for_workers), SilentWorkers()
    try:
        while not future.done():
            workers = known_workers(client)
            absence.check(len(workers))
            silent.check(workers)
            with suppress(TimeoutError):
                future.result(timeout=CHECK_EVERY)
        return future.result()
    except (KilledWorker, CancelledError) as error:
        raise _run_error(error) from error
    finally:
        future.release()


@attrs.frozen(kw_only=True, eq=False)
class _Submission:
    """Tasks that the scheduler assigns to one worker together."""

    future: Future
    tasks: Sequence[int]
    worker: str
    """The worker in the queue whose tasks they are."""

    repeated: bool
    """Whether they were submitted before, and any worker may run them now."""


class Submissions:
    """Submits the tasks of a job, a few per thread at a time, and returns their results.

    Args:
        client: The client.
        job: Name of the worker plugin that holds the job.
        tasks: Numbers of the tasks.
        by_worker: Whether each worker gets consecutive tasks; else any worker gets the next one.
        wait_for_workers: See `RunOptions`.

    """

    def __init__(self, client: Client, job: str, tasks: Iterable[int], *, by_worker: bool, wait_for_workers: float | None) -> None:
        self._client, self._job, self._by_worker = client, job, by_worker
        self._absence, self._silent = Absence(client, wait_for_workers), SilentWorkers()
        self._present = self._threads()
        self._queue = TaskQueue(tasks, self._present)
        self._numbers = count()
        self._running: dict[str, _Submission] = {}
        """Submissions by key, until they return."""

        self._returned: SimpleQueue[tuple[str, Any, BaseException | None]] = SimpleQueue()
        """Key, result and error of submissions; put by the event loop of the client."""

    def results(self) -> Iterator[tuple[int, Any]]:
        """Yield ``(task, result)`` until all tasks are done.

        Raises:
            BioimageioError: A task raised it.
            ModelRunError: A task kills workers repeatedly, no worker is left, or the scheduler is gone.

        """
        self._submit_following()
        next_check = time.monotonic() + CHECK_EVERY
        try:
            while self._running or self._queue.left:
                if time.monotonic() >= next_check:
                    self._check_workers()
                    next_check = time.monotonic() + CHECK_EVERY
                try:
                    returned = self._returned.get(timeout=CHECK_EVERY)
                except Empty:
                    self._silent.check(known_workers(self._client))
                    continue
                yield from self._take(*returned)
        finally:
            self._drop()

    def _take(self, key: str, result: Any, error: BaseException | None) -> list[tuple[int, Any]]:
        """Take what a submission returned, and submit the next one; return the results of its tasks."""
        submission = self._running.pop(key, None)
        if submission is None:  # it was submitted again
            return []
        if error is not None:
            self._handle(error, submission)
            return []
        results, seconds = result
        submission.future.release()
        self._queue.returned(submission.worker, len(results), seconds)
        self._submit_next(submission.worker)
        return list(results)

    def _drop(self) -> None:
        """Let the scheduler forget tasks that wait."""
        if self._client.status == "running":
            for submission in self._running.values():
                submission.future.release()

    def _threads(self) -> dict[str, int]:
        """Return the number of threads of each worker that is present."""
        threads: dict[str, int] = dict(ask_scheduler(self._client, self._client.nthreads))
        self._absence.check(len(threads))
        return threads if self._by_worker else {ANY_WORKER: sum(threads.values())}

    def _submit_following(self) -> None:
        """Submit tasks until each worker has enough, in turn."""
        waiting = list(self._present)
        while waiting:
            waiting = [worker for worker in waiting if self._submit_next(worker)]

    def _submit_next(self, worker: str) -> bool:
        """Submit the next tasks of a worker; return whether there were any."""
        tasks = self._queue.following(worker)
        if tasks:
            self._submit(tasks, worker)
        return bool(tasks)

    def _submit(self, tasks: Sequence[int], worker: str, *, repeated: bool = False) -> None:
        restriction = {} if repeated or worker == ANY_WORKER else {"workers": [worker], "allow_other_workers": True}
        key = f"{self._job}/{next(self._numbers)}"
        future = self._client.submit(carry_out, self._job, tasks, key=key, pure=False, **restriction)
        self._running[key] = _Submission(future=future, tasks=tasks, worker=worker, repeated=repeated)
        self._client.loop.add_callback(self._wait_for, key, future)

    async def _wait_for(self, key: str, future: Future) -> None:
        """Put the result of a submission into the queue; runs in the event loop of the client."""
        try:
            self._returned.put((key, await future, None))
        except (Exception, asyncio.CancelledError) as error:
            self._returned.put((key, None, error))

    def _handle(self, error: BaseException, submission: _Submission) -> None:
        """Submit tasks again whose result was lost on its way here; raise all other errors."""
        fetching = isinstance(error, OSError) and submission.future.status != "error"
        if fetching and not submission.repeated:
            self._submit(submission.tasks, submission.worker, repeated=True)
            return
        found = lost_scheduler(error) if fetching else _run_error(error)
        raise found from (None if found is error else error)

    def _check_workers(self) -> None:
        """Take the workers that joined or left into account."""
        self._present = self._threads()
        self._queue.update(self._present)
        self._submit_following()
        lost = {
            key: submission
            for key, submission in self._running.items()
            if not submission.repeated and submission.worker not in self._present and not submission.future.done()
        }
        if lost and self._present:
            # If the last worker died, the scheduler holds its tasks back for ever, even if others are allowed and join later.
            assigned = {key for keys in ask_scheduler(self._client, self._client.processing).values() for key in keys}
            for key in lost.keys() - assigned:
                del self._running[key]
                lost[key].future.release()
                self._submit(lost[key].tasks, lost[key].worker, repeated=True)
