"""Claims on tasks, by which the processes of a sharded run share a sweep: each task is computed by the process that claims it.

A process shows that it is alive by a file that it rewrites every few seconds.
A claim lapses when its owner is gone: it left, its process ended, or its file no longer changes.
Clocks of different machines are never compared.
Where two processes claim the same task all the same (object stores cannot create a file exclusively), both compute it, with equal results.
"""

from __future__ import annotations

import json
import os
import platform
import time
import uuid
from threading import Event, Thread

from ...io import RunState
from .completion import RunOver

__all__ = ["Claims"]

BEAT = 2.0
"""Seconds between signs of life."""

LEASE = 30.0
"""Seconds without a sign of life after which a process counts as dead: network file systems show changes late."""


class Claims:
    """Claims of one process; a context manager, within which the process shows that it is alive.

    Args:
        state: State of the run.

    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._owner = uuid.uuid4().hex
        self._seen: dict[str, tuple[bytes, float]] = {}
        self._left = Event()
        self._thread = Thread(target=self._beat, name="bioimageio_core-alive", daemon=True)

    def __enter__(self) -> Claims:
        self._state.write(_sign(self._owner), _sign_of_life(0))
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._left.set()
        self._thread.join()
        self._state.discard(_sign(self._owner))

    def _beat(self) -> None:
        count = 0
        while not self._left.wait(BEAT):
            count += 1
            if not self._state.rewrite(_sign(self._owner), _sign_of_life(count)):
                return  # another process removed the state: the run is over

    def take(self, stage: str, number: int) -> bool:
        """Claim a task; return False where another process that is alive holds it.

        Raises:
            RunOver: The state of the run is gone.

        """
        claim = f"claims/{stage}/{number}"
        taken = self._state.create(claim, self._owner.encode())
        if not taken and self._lapsed(self._state.read(claim)):
            self._state.write(claim, self._owner.encode())
            taken = True
        # Checked after the claim: what looked undone before it may have been removed together with the whole state.
        if taken and self._state.read(_sign(self._owner)) is None:
            raise RunOver
        return taken

    def _lapsed(self, owner: bytes | None) -> bool:
        """Return whether the owner of a claim is gone; a claim without a readable owner is being written."""
        if not owner:
            return False
        name = owner.decode()
        if name == self._owner:
            return True
        sign, now = self._state.read(_sign(name)), time.monotonic()
        if sign is None or _ended_here(sign):
            return True
        last, since = self._seen.get(name, (b"", now))
        if last != sign:
            last, since = sign, now
        self._seen[name] = last, since
        return now - since > LEASE


def _sign(owner: str) -> str:
    """Return the name of the file by which a process shows that it is alive."""
    return f"alive/{owner}"


def _sign_of_life(count: int) -> bytes:
    return json.dumps({"host": platform.node(), "process": os.getpid(), "count": count}).encode()


def _ended_here(sign: bytes) -> bool:
    """Return whether a sign of life is that of a process of this machine that has ended."""
    if os.name != "posix":  # elsewhere, asking for a process could end it
        return False
    try:
        found = json.loads(sign)
        if found["host"] != platform.node():
            return False
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):  # it is being rewritten, or belongs to another user
        return False
    return False
