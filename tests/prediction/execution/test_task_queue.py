"""The queue that assigns tasks to workers."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.prediction.execution.executors.task_queue import PER_THREAD, TaskQueue


@given(
    tasks=st.lists(st.integers(0, 10**6), unique=True, max_size=60),
    threads=st.lists(st.integers(1, 3), min_size=1, max_size=5),
    seconds=st.floats(1e-3, 10),
    data=st.data(),
)
def test_every_task_once(tasks: list[int], threads: list[int], seconds: float, data: st.DataObject) -> None:
    """For workers of any speed, each task is assigned once, no worker gets too many, and none idles while tasks are left."""
    queue = TaskQueue(tasks, {f"worker {n}": count for n, count in enumerate(threads)})
    handed: list[tuple[int, Any]] = []
    done: list[int] = []
    while True:
        for number, count in enumerate(threads):
            while following := queue.following(f"worker {number}"):
                handed.append((number, following))
            own = sum(n == number for n, _ in handed)
            assert own <= PER_THREAD * count
            assert own >= count or len(done) + sum(len(f) for _, f in handed) == len(tasks)
        if not handed:
            break
        number, following = handed.pop(data.draw(st.integers(0, len(handed) - 1)))
        done += following
        queue.returned(f"worker {number}", len(following), seconds * len(following))
    assert sorted(done) == sorted(tasks)


def alternating(queue: TaskQueue, workers: str, seconds: float) -> list[list[int]]:
    """Return the tasks that alternating workers get, each of which finishes a submission before the next one."""
    found = []
    for worker in workers:
        found.append(list(queue.following(worker)))
        queue.returned(worker, len(found[-1]), seconds * len(found[-1]))
    return found


def test_neighbours_stay_together() -> None:
    """Equally fast workers compute one part each; a worker that is done steals the second half of the tasks that another has left."""
    queue = TaskQueue(range(8), {"a": 1, "b": 1})
    assert alternating(queue, "abababab", 60) == [[0], [4], [1], [5], [2], [6], [3], [7]]
    queue = TaskQueue(range(8), {"a": 1, "b": 1})
    assert alternating(queue, "bbbbbbbb", 60) == [[4], [5], [6], [7], [2], [3], [1], [0]]


def test_short_tasks_go_together() -> None:
    """As many tasks as take two seconds, once times are known; the last ones one by one, so that all threads end at the same time."""
    queue = TaskQueue(range(100), {"a": 1})
    assert [len(f) for f in alternating(queue, "a" * 25, 0.25)] == [1, *[8] * 9, 6, 5, 4, 3, 2, *[1] * 7, *[0] * 3]


def test_long_tasks_go_alone() -> None:
    """Long tasks are submitted one by one."""
    queue = TaskQueue(range(100), {"a": 1})
    assert all(len(f) == 1 for f in alternating(queue, "a" * 100, 1.5))


def test_last_tasks_wait_for_free_threads() -> None:
    """While many tasks are left, the next one waits at the worker; the last ones go to the first free worker."""
    queue = TaskQueue(range(6), {"a": 1, "b": 1})
    assert [list(queue.following(w)) for w in "abab"] == [[0], [3], [1], [4]]
    queue.returned("a", 1, 60)
    assert not queue.following("a"), "task 1 still waits at the worker"
    queue.returned("a", 1, 60)
    assert list(queue.following("a")) == [2]
    queue.returned("a", 1, 60)
    assert list(queue.following("a")) == [5], "stolen from the slow worker b"


class TestWorkersComeAndGo:
    @given(
        tasks=st.lists(st.integers(0, 10**6), unique=True, max_size=60),
        first=st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3), max_size=4),
        data=st.data(),
    )
    def test_every_task_once(self, tasks: list[int], first: dict[str, int], data: st.DataObject) -> None:
        """Whichever workers join and leave, tasks of submissions that return are assigned once, and those that left get none."""
        queue, present = TaskQueue(tasks, first), first
        handed: list[tuple[str, Any]] = []
        done: list[int] = []
        for _ in range(8):
            for worker in present:
                while following := queue.following(worker):
                    handed.append((worker, following))
            while handed and data.draw(st.booleans()):
                worker, following = handed.pop(data.draw(st.integers(0, len(handed) - 1)))
                done += following
                queue.returned(worker, len(following), 1.0)
                assert worker in present or not queue.following(worker)
            present = data.draw(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3), max_size=4))
            queue.update(present)
        queue.update({"e": 1})
        while handed or queue.left:
            if following := queue.following("e"):
                handed.append(("e", following))
            worker, following = handed.pop()
            done += following
            queue.returned(worker, len(following), 1.0)
        assert sorted(done) == sorted(tasks)

    def test_none_at_first(self) -> None:
        """Tasks wait until a worker joins."""
        queue = TaskQueue(range(4), {})
        assert not queue.following("a")
        queue.update({"a": 1})
        assert alternating(queue, "aaaa", 60) == [[2], [3], [1], [0]]

    def test_joining(self) -> None:
        """A worker that joins steals the second half of what another one has left; one that leaves can be robbed of everything."""
        queue = TaskQueue(range(8), {"a": 1})
        assert alternating(queue, "a", 60) == [[0]]
        queue.update({"a": 1, "b": 1})
        assert alternating(queue, "ba", 60) == [[4], [1]]
        queue.update({"b": 1})
        assert alternating(queue, "abbbbbb", 60) == [[], [5], [6], [7], [3], [2], []]
