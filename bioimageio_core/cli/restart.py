"""A new start of ``bmz`` with what can be had only as a process begins."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from ..resources import large_pages

__all__ = ["restart_in_large_pages"]


def restart_in_large_pages() -> None:
    """Start this process anew, with the same arguments, so that it uses large pages of memory; return where it does, or can't.

    It stays the same process to whoever started it, and takes a tenth of a second more.
    """
    wanted = large_pages()
    if wanted and _is_bmz():
        with contextlib.suppress(OSError):
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **wanted})  # noqa: S606 (this very program)


def _is_bmz() -> bool:
    """Return whether this process was started as ``bmz``, and not as a program that calls it: that would begin anew as a whole."""
    program, arguments = Path(sys.argv[0]), sys.argv[1:]
    return (program.stem == "bmz" or program == Path(__file__).with_name("__main__.py")) and sys.orig_argv[-len(arguments) :] == arguments
