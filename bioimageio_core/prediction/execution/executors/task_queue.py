"""Assigns tasks to workers."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PER_THREAD", "TaskQueue"]

PER_THREAD = 2
"""Submissions per thread: one that runs and one that waits, so that no thread idles."""

TOGETHER = 2.0
"""Maximum seconds of the tasks of one submission, unless it is a single task: a submission costs some milliseconds, whatever its size."""

PARTS = 4
"""A submission takes at most 1 / PARTS of the tasks that are left for a thread, so that all threads end at about the same time."""


class TaskQueue:
    """Gives each worker consecutive tasks, so that it has cached chunks that the next task needs.

    A worker without tasks of its own steals half of the longest remaining range.

    Args:
        tasks: Task numbers, ordered so that neighbours are consecutive; stored in 8 bytes each.
        threads: Number of threads of each worker, by name.

    """

    def __init__(self, tasks: Iterable[int], threads: Mapping[str, int]) -> None:
        self._tasks, self._threads = array("q", tasks), dict(threads)
        count, parts = len(self._tasks), len(threads)
        self._left = {w: range(count * n // parts, count * (n + 1) // parts) for n, w in enumerate(threads)}
        self._rest, self._all_threads = count, sum(threads.values())
        self._handed = dict.fromkeys(threads, 0)
        self._done, self._seconds = 0, 0.0

    def following(self, worker: str) -> Sequence[int]:
        """Return the next tasks of a worker; none if it has enough, or if no task is left."""
        threads = self._threads[worker]
        # The last tasks wait in the queue for the first free thread, not at a busy worker.
        enough = PER_THREAD * threads if self._rest > self._all_threads else threads
        left = self._left[worker]
        if self._handed[worker] >= enough or not self._rest:
            return ()
        if not left:
            victim = max(self._left, key=lambda w: len(self._left[w]))
            theirs = self._left[victim]
            self._left[victim], left = theirs[: len(theirs) // 2], theirs[len(theirs) // 2 :]
        count = max(1, min(self._fitting(), len(left) // (PARTS * threads)))
        self._left[worker] = left[count:]
        self._rest -= count
        self._handed[worker] += 1
        return self._tasks[left.start : left.start + count].tolist()

    def returned(self, worker: str, tasks: int, seconds: float) -> None:
        """Record that a worker finished a submission of ``tasks`` tasks in this many seconds."""
        self._handed[worker] -= 1
        self._done += tasks
        self._seconds += seconds

    def _fitting(self) -> int:
        """Return how many tasks take `TOGETHER` seconds, by the finished tasks; 1 before any is finished."""
        return int(TOGETHER * self._done / self._seconds) if self._seconds > 0 else 1
