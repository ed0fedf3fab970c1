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

from ..python_process import python_command

__all__ = ["import_times", "imported_by", "in_threads", "printed_by"]

T = TypeVar("T")

IMPORTING = """
import importlib, time
import bioimageio_core.testing  # what the kit imports is not the plugin's, which may be part of its tests
begin = time.perf_counter()
importlib.import_module({module!r}.partition(":")[0])
print(time.perf_counter() - begin)
"""


@cache
def imported_by(code: str) -> frozenset[str]:
    """Return the names of the modules that a new process, which finds what this one finds, has imported after some code.

    All entries of a plugin ask the same, so it is answered once.
    """
    return frozenset(json.loads(printed_by(f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))")))


def printed_by(code: str) -> str:
    """Return the last line that a new process prints, which finds what this one finds."""
    done = subprocess.run(
        python_command("-c", code),
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"a new process failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    return done.stdout.splitlines()[-1]


@cache
def import_times(module: str, limit: float) -> tuple[float, ...]:
    """Return the seconds that importing a module takes in a new process: measured again, up to three times, while over the limit."""
    found: list[float] = []
    while len(found) < 3 and (not found or found[-1] > limit):
        found.append(float(printed_by(IMPORTING.format(module=module))))
    return tuple(found)


def in_threads(calls: Sequence[Callable[[], T]], *, repeats: int = 25) -> list[list[T]]:
    """Run each call ``repeats`` times in a thread of its own, all at once, which take turns as often as possible; return the results.

    Args:
        calls: One for each thread.
        repeats: How often each is called.

    """
    start = Barrier(len(calls))

    def run(call: Callable[[], T]) -> list[T]:
        start.wait()
        return [call() for _ in range(repeats)]

    with _hasty_switches(), ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def _hasty_switches() -> Iterator[None]:
    """Let threads take turns as often as possible."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
