"""What people see: tables, progress bars, and JSON for machines."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..report.plain_text import bytes_in_words, table

if TYPE_CHECKING:
    from ..prediction.options import Progress

__all__ = ["INTERRUPTED", "bytes_in_words", "peak_memory", "print_json", "progress_bars", "table"]


INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended."""


def print_json(data: Any) -> None:
    """Print plain data for machines; numbers that JSON lacks (NaN, infinity) become null."""
    click.echo(json.dumps(_finite(data), indent=2, ensure_ascii=False, default=str, allow_nan=False))


def _finite(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(k): _finite(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(v) for v in data]
    return data


@contextmanager
def progress_bars(*, shown: bool = True) -> Iterator[Progress | None]:
    """Show a bar per stage on a terminal; nothing where output goes to a file."""
    if not (shown and sys.stderr.isatty()):
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    with Bars(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as bars:
        known: dict[str, Any] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in known:
                known[stage] = bars.add_task(stage, total=total)
            bars.update(known[stage], completed=done, total=total)

        yield show


def peak_memory() -> int | None:
    """Return the greatest resident memory of this process so far in bytes, where the system tells."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
