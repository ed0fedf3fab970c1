"""Claims on tasks, by which the processes of a sharded run share a sweep: the process that claims a task computes it.

A process shows that it is alive by rewriting a file every few seconds.
A claim expires when its owner is gone: it left the run, its process ended, or its file no longer changes.
Clocks of different machines are never compared.
If two processes claim the same task (object stores cannot create a file exclusively), both compute it, with equal results.
"""

from __future__ import annotations

import json
import os
import platform
import re
import time
import uuid
from contextlib import suppress
from threading import Event, Thread

from ...io import RunState
from .completion import CompletedElsewhere

__all__ = ["Claims"]

BEAT = 2.0
"""Seconds between heartbeats."""

LEASE = 30.0
"""Seconds without a heartbeat after which a process counts as dead: network file systems show changes late."""


OWNER = re.compile(rb"[0-9a-f]{32}")
"""Name of a process in its claims."""


class Claims:
    """The claims of one process; a context manager, within which the process sends heartbeats.

    Args:
        state: State of the run.

    """

    def __init__(self, state: RunState) -> None:
        self._state = state
        self._owner = uuid.uuid4().hex
        self.alive_file = _alive_file(self._owner)
        self._seen: dict[str, tuple[bytes, float]] = {}
        self._left = Event()
        self._thread = Thread(target=self._beat, name="bioimageio_core-alive", daemon=True)

    def __enter__(self) -> Claims:
        self._state.write(self.alive_file, _heartbeat(0))
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._left.set()
        self._thread.join()
        self._state.discard(self.alive_file)

    def _beat(self) -> None:
        count = 0
        while not self._left.wait(BEAT):
            count += 1
            with suppress(Exception):  # of a full disk, say: the next heartbeat may succeed
                if not self._state.rewrite(self.alive_file, _heartbeat(count)):
                    if not self._state.goes_on():
                        return
                    self._state.write(self.alive_file, _heartbeat(count))

    def take(self, stage: str, number: int) -> bool:
        """Claim a task; return False if another live process holds the claim.

        Raises:
            CompletedElsewhere: Another process removed the state of the run.

        """
        claim = f"claims/{stage}/{number}"
        taken = self._state.create(claim, self._owner.encode())
        if not taken and self._expired(claim, self._state.read(claim)):
            self._state.write(claim, self._owner.encode())
            taken = True
        # Checked after the claim: the markers of finished tasks may have been removed together with the run state.
        if taken and not self._state.goes_on():
            raise CompletedElsewhere
        return taken

    def _expired(self, claim: str, owner: bytes | None) -> bool:
        """Return whether the owner of a claim is gone.

        A claim without a name is being written, or was left by a process that ended before it wrote the claim.
        """
        if owner is None:
            return False
        if not OWNER.fullmatch(owner):
            return self._unchanged(claim, owner)
        name = owner.decode()
        if name == self._owner:
            return True
        heartbeat = self._state.read(_alive_file(name))
        return heartbeat is None or _ended_here(heartbeat) or self._unchanged(name, heartbeat)

    def _unchanged(self, name: str, content: bytes) -> bool:
        """Return whether a file has had this content for longer than a lease, as seen by this process."""
        now = time.monotonic()
        last, since = self._seen.get(name, (content, now))
        if last != content:
            since = now
        self._seen[name] = content, since
        return now - since > LEASE


def _alive_file(owner: str) -> str:
    """Return the name of the file that holds the heartbeat of a process."""
    return f"alive/{owner}"


def _heartbeat(count: int) -> bytes:
    return json.dumps({"host": platform.node(), "process": os.getpid(), "count": count}).encode()


def _ended_here(heartbeat: bytes) -> bool:
    """Return whether a heartbeat is from an ended process of this machine."""
    if os.name != "posix":  # on Windows, os.kill ends the process
        return False
    try:
        found = json.loads(heartbeat)
        if found["host"] != platform.node():
            return False
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):  # the file is being rewritten, or the process belongs to another user
        return False
    return False
