"""New processes, and many threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Barrier
from typing import TypeVar

__all__ = ["imported_by", "in_threads"]

T = TypeVar("T")


@cache
def imported_by(code: str) -> frozenset[str]:
    """Return the names of the modules that a new process, which finds what this one finds, has imported after some code.

    All entries of a plugin ask the same, so it is answered once.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"a new process failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


def in_threads(calls: Sequence[Callable[[], T]], *, repeats: int = 25) -> list[list[T]]:
    """Run each call ``repeats`` times in a thread of its own, all at once; return the results of each."""
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> list[T]:
        start.wait()
        return [call() for _ in range(repeats)]

    with _hasty_switches(), ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def _hasty_switches() -> Iterator[None]:
    """Let threads take turns as often as possible, so that races show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
