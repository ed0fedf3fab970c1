"""The end of the process while native code runs that nothing can stop: after Ctrl-C, or after a time limit."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread, current_thread, main_thread
from typing import NoReturn

from .terminal import INTERRUPTED, say

__all__ = ["ends_on_ctrl_c", "exit_at_once"]

PATIENCE = 5.0
"""Seconds that calls of the network get to end after Ctrl-C; Python acts on Ctrl-C only between calls."""

CLEANING = 3.0
"""Seconds to remove temporary files."""


@contextmanager
def ends_on_ctrl_c() -> Iterator[None]:
    """Within a block, end the process a few seconds after Ctrl-C, or at the second one, where the block does not end of itself."""
    if current_thread() is not main_thread():  # only the main thread learns of signals
        yield
        return
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)  # Python writes there at once, whatever runs
    Thread(target=_watch, args=(ours,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        theirs.close()


def _watch(signals: socket.socket) -> None:
    with signals:
        while signal.SIGINT not in (arrived := signals.recv(64)):
            if not arrived:
                return  # the block has ended
        signals.settimeout(PATIENCE)
        with suppress(TimeoutError):
            while signal.SIGINT not in (arrived := signals.recv(64)):
                if not arrived:
                    return
    say("bmz: interrupted, without waiting for what still runs; an incomplete output is continued with --resume", err=True)
    exit_at_once(INTERRUPTED)


def exit_at_once(status: int) -> NoReturn:
    """End the process without waiting for its threads; temporary files are removed."""
    cleaning = Thread(target=atexit._run_exitfuncs, daemon=True)
    cleaning.start()
    cleaning.join(CLEANING)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
