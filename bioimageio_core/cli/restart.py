"""Restart ``bmz`` with settings that a process can only have from its start."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from ..resources import large_pages

__all__ = ["restart_in_large_pages"]


def restart_in_large_pages() -> None:
    """Restart this process with the same arguments, so that it uses large memory pages; return if it does already, or cannot.

    The process keeps its id, and the restart takes a tenth of a second.
    """
    wanted = large_pages()
    if wanted and _is_bmz():
        with contextlib.suppress(OSError):
            os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **wanted})  # noqa: S606 (runs this program itself)


def _is_bmz() -> bool:
    """Return whether this process was started as ``bmz``; another program that calls `main` must not be restarted."""
    program, arguments = Path(sys.argv[0]), sys.argv[1:]
    return (program.stem == "bmz" or program == Path(__file__).with_name("__main__.py")) and sys.orig_argv[-len(arguments) :] == arguments
