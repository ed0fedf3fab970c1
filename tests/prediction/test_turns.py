"""Who of several workers does which tasks next."""

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
    """However fast workers are, each task is done once, no worker has more than it should, and none idles while any are left."""
    turns = TaskQueue(tasks, {f"worker {n}": count for n, count in enumerate(threads)})
    handed: list[tuple[int, Any]] = []
    done: list[int] = []
    while True:
        for number, count in enumerate(threads):
            while following := turns.following(f"worker {number}"):
                handed.append((number, following))
            own = sum(n == number for n, _ in handed)
            assert own <= PER_THREAD * count
            assert own >= count or len(done) + sum(len(f) for _, f in handed) == len(tasks)
        if not handed:
            break
        number, following = handed.pop(data.draw(st.integers(0, len(handed) - 1)))
        done += following
        turns.returned(f"worker {number}", len(following), seconds * len(following))
    assert sorted(done) == sorted(tasks)


def alternating(turns: TaskQueue, workers: str, seconds: float) -> list[list[int]]:
    """Return what workers are handed who take turns, each of whom has done what it got before it gets more."""
    found = []
    for worker in workers:
        found.append(list(turns.following(worker)))
        turns.returned(worker, len(found[-1]), seconds * len(found[-1]))
    return found


def test_neighbours_stay_together() -> None:
    """Workers as fast as each other do a part each; one that is done takes over the second half of what another has left."""
    turns = TaskQueue(range(8), {"a": 1, "b": 1})
    assert alternating(turns, "abababab", 60) == [[0], [4], [1], [5], [2], [6], [3], [7]]
    turns = TaskQueue(range(8), {"a": 1, "b": 1})
    assert alternating(turns, "bbbbbbbb", 60) == [[4], [5], [6], [7], [2], [3], [1], [0]]


def test_short_tasks_go_together() -> None:
    """As many as take two seconds, once it is known how long they take; at last one by one, so that all end at the same time."""
    turns = TaskQueue(range(100), {"a": 1})
    assert [len(f) for f in alternating(turns, "a" * 25, 0.25)] == [1, *[8] * 9, 6, 5, 4, 3, 2, *[1] * 7, *[0] * 3]


def test_long_tasks_go_alone() -> None:
    """No task waits behind another in what was handed out together."""
    turns = TaskQueue(range(100), {"a": 1})
    assert all(len(f) == 1 for f in alternating(turns, "a" * 100, 1.5))


def test_last_tasks_wait_for_free_threads() -> None:
    """While there are many, the next one waits at the worker; the last go to whoever is free first, and not behind those that run."""
    turns = TaskQueue(range(6), {"a": 1, "b": 1})
    assert [list(turns.following(w)) for w in "abab"] == [[0], [3], [1], [4]]
    turns.returned("a", 1, 60)
    assert not turns.following("a"), "task 1 is at the worker still"
    turns.returned("a", 1, 60)
    assert list(turns.following("a")) == [2]
    turns.returned("a", 1, 60)
    assert list(turns.following("a")) == [5], "of those of b, who is slow"
