"""Imported by each Python process of the fault matrix before anything else: what the faults need within a process.

The variable `BMZ_FAULTS` names a folder that all of these processes share:

- `clock`: seconds by which the clock of Python (`time.time`) is wrong;
- `power`: the folder whose disk loses its power; what is written to it for certain is recorded in `synced`, in order;
- `hold`: see `faulty_stores`, whose protocols all processes know.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import time
from pathlib import Path

import fsspec

FAULTS = Path(os.environ["BMZ_FAULTS"])
CLOCK, POWER, SYNCED = FAULTS / "clock", FAULTS / "power", FAULTS / "synced"

fsspec.register_implementation("slowly", "faulty_stores.SlowFiles")
fsspec.register_implementation("failing", "faulty_stores.FailingFiles")

now, now_ns, sync = time.time, time.time_ns, os.fsync


def error_of_clock() -> int:
    """Return the seconds by which the clock is wrong."""
    try:
        return int(CLOCK.read_text() or 0)
    except FileNotFoundError:
        return 0


def fsync(file: int) -> None:
    """Write a file to the disk, and record what is there now."""
    sync(file)
    if POWER.exists():
        from recorded_disk import synced_content

        found = synced_content(Path(POWER.read_text()), file)
        if found is not None:
            with SYNCED.open("ab") as record:
                fcntl.flock(record, fcntl.LOCK_EX)
                pickle.dump(found, record)


time.time = lambda: now() + error_of_clock()
time.time_ns = lambda: now_ns() + error_of_clock() * 10**9
os.fsync = fsync
