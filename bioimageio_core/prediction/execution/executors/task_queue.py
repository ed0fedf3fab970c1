"""Who of several workers does which tasks next."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["PER_THREAD", "TaskQueue"]

PER_THREAD = 2
"""What is handed to each thread: tasks that run and tasks that wait, so that no thread does."""

TOGETHER = 2.0
"""Seconds that tasks handed out together take at most, or one task takes: handing out costs some milliseconds, however many they are."""

PARTS = 4
"""A thread is handed at most one part in so many of what is left for it, so that all end at about the same time."""


class TaskQueue:
    """Hands each worker tasks that follow each other, so that it has read for one what the next one wants.

    Args:
        tasks: In an order in which neighbours follow each other; kept as 8 bytes each.
        threads: Of each worker, by name.

    """

    def __init__(self, tasks: Iterable[int], threads: Mapping[str, int]) -> None:
        self._tasks, self._threads = array("q", tasks), dict(threads)
        count, parts = len(self._tasks), len(threads)
        self._left = {w: range(count * n // parts, count * (n + 1) // parts) for n, w in enumerate(threads)}
        self._rest, self._all_threads = count, sum(threads.values())
        self._handed = dict.fromkeys(threads, 0)
        self._done, self._seconds = 0, 0.0

    def following(self, worker: str) -> Sequence[int]:
        """Return the next tasks of a worker, one after the other; none where it has enough, or where nothing is left.

        Who has done its own takes over half of the longest rest.
        """
        threads = self._threads[worker]
        # The last ones wait for a thread that is free, and not for one that may be the last to be.
        enough = PER_THREAD * threads if self._rest > self._all_threads else threads
        left = self._left[worker]
        if self._handed[worker] >= enough or not self._rest:
            return ()
        if not left:
            giver = max(self._left, key=lambda w: len(self._left[w]))
            theirs = self._left[giver]
            self._left[giver], left = theirs[: len(theirs) // 2], theirs[len(theirs) // 2 :]
        count = max(1, min(self._fitting(), len(left) // (PARTS * threads)))
        self._left[worker] = left[count:]
        self._rest -= count
        self._handed[worker] += 1
        return self._tasks[left.start : left.start + count].tolist()

    def returned(self, worker: str, tasks: int, seconds: float) -> None:
        """Note that a worker has done so many tasks that were handed to it together, and how long they took."""
        self._handed[worker] -= 1
        self._done += tasks
        self._seconds += seconds

    def _fitting(self) -> int:
        """Return how many tasks are done in time, as far as is known."""
        return int(TOGETHER * self._done / self._seconds) if self._seconds > 0 else 1
