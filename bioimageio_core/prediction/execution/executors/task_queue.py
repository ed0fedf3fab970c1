"""Assigns tasks to workers."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PER_THREAD", "TaskQueue"]

PER_THREAD = 2
"""Submissions per thread: one that runs and one that waits, so that no thread idles."""

TOGETHER = 2.0
"""Maximum seconds of the tasks of one submission, unless it is a single task: a submission costs some milliseconds, whatever its size."""

PARTS = 4
"""A submission takes at most 1 / PARTS of the tasks that are left for a thread, so that all threads end at about the same time."""

UNOWNED = ""
"""Owner of all tasks while no worker is there."""


class TaskQueue:
    """Gives each worker consecutive tasks, so that it has cached chunks that the next task needs.

    A worker without tasks of its own steals half of the longest remaining range.

    Args:
        tasks: Task numbers, ordered so that neighbours are consecutive; stored in 8 bytes each.
        threads: Number of threads of each worker, by name; there may be none yet.

    """

    def __init__(self, tasks: Iterable[int], threads: Mapping[str, int]) -> None:
        self._tasks = array("q", tasks)
        self.update(threads)
        size, owners = len(self._tasks), list(threads) or [UNOWNED]
        self._own = {w: range(size * n // len(owners), size * (n + 1) // len(owners)) for n, w in enumerate(owners)}
        self._handed: Counter[str] = Counter()
        self._done, self._seconds = 0, 0.0
        self.left = size
        """Number of tasks that no worker has got."""

    def update(self, threads: Mapping[str, int]) -> None:
        """Take the workers that are present now: new ones steal their tasks, those that left get no more, and theirs can be stolen."""
        self._threads, self._all_threads = dict(threads), sum(threads.values())

    def following(self, worker: str) -> Sequence[int]:
        """Return the next tasks of a worker; none if it left, if it has enough, or if no task is left."""
        threads = self._threads.get(worker, 0)
        # The last tasks wait in the queue for the first free thread, not at a busy worker.
        enough = PER_THREAD * threads if self.left > self._all_threads else threads
        if self._handed[worker] >= enough or not self.left:
            return ()
        own = self._own.get(worker) or self._stolen()
        size = max(1, min(self._fitting(), len(own) // (PARTS * threads)))
        self._own[worker] = own[size:]
        self.left -= size
        self._handed[worker] += 1
        return self._tasks[own.start : own.start + size].tolist()

    def returned(self, worker: str, tasks: int, seconds: float) -> None:
        """Record that a worker finished a submission of ``tasks`` tasks in this many seconds."""
        self._handed[worker] -= 1
        self._done += tasks
        self._seconds += seconds

    def _stolen(self) -> range:
        """Take the second half of the longest range."""
        victim = max(self._own, key=lambda w: len(self._own[w]))
        theirs = self._own[victim]
        self._own[victim] = theirs[: len(theirs) // 2]
        return theirs[len(theirs) // 2 :]

    def _fitting(self) -> int:
        """Return how many tasks take `TOGETHER` seconds, by the finished tasks; 1 before any is finished."""
        return int(TOGETHER * self._done / self._seconds) if self._seconds > 0 else 1
