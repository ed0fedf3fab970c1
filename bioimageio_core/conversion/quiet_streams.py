"""Keeps the terminal free of what exporters print."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

__all__ = ["quiet_streams"]


@contextmanager
def quiet_streams() -> Iterator[None]:
    """Discard what Python and C++ code prints to standard output and error within the ``with`` block."""
    kept: dict[int, int] = {}
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        for number, stream in ((1, sys.stdout), (2, sys.stderr)):
            with suppress(OSError, ValueError, AttributeError):  # streams that are closed, or missing
                stream.flush()
            with suppress(OSError):
                kept[number] = os.dup(number)
                os.dup2(nowhere.fileno(), number)
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        finally:
            for number, copy in kept.items():
                os.dup2(copy, number)
                os.close(copy)
