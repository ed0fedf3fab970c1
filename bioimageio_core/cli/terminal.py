"""What people see: tables, progress bars, and JSON for machines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..report.plain_text import bytes_in_words, json_safe, table

if TYPE_CHECKING:
    from ..prediction.options import Progress

__all__ = ["INTERRUPTED", "bytes_in_words", "paint", "print_json", "progress_bars", "table"]


INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended."""


def print_json(data: Any) -> None:
    """Print plain data for machines; numbers that JSON lacks (NaN, infinity) become null."""
    click.echo(json.dumps(json_safe(data), indent=2, ensure_ascii=False, default=str, allow_nan=False))


@contextmanager
def progress_bars(*, shown: bool = True, after: float = 0) -> Iterator[Progress | None]:
    """Show a bar per stage on a terminal; nothing where output goes to a file.

    Args:
        shown: False for no bars.
        after: Seconds until bars are shown; what takes less shows none.

    """
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    from threading import Timer

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    known: dict[str, Any] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in known:
            known[stage] = bars.add_task(stage, total=total)
        bars.update(known[stage], completed=done, total=total)

    later = Timer(after, bars.start)
    later.daemon = True
    if after:
        later.start()
    else:
        bars.start()
    try:
        yield show
    finally:
        if after:
            later.cancel()
            later.join()
        bars.stop()


_COLOURS: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "invalid": {"fg": "red", "bold": True},
    "unreadable": {"fg": "red", "bold": True},
    "alert": {"fg": "magenta", "bold": True},
    "warning": {"fg": "yellow"},
    "info": {"fg": "cyan"},
    "valid": {"fg": "green", "bold": True},
    "faint": {"dim": True},
}


def paint(text: str, role: str) -> str:
    """Return a text in the colour of a role (a severity, a status, ``faint``); as it is where stdout is no terminal or NO_COLOR is set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return click.style(text, **_COLOURS[role])
