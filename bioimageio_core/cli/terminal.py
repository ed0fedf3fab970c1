"""What people see: tables, progress bars, and JSON for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from ..prediction.options import Progress

__all__ = ["bytes_in_words", "peak_memory", "print_json", "progress_bars", "table"]


def print_json(data: Any) -> None:
    """Print plain data for machines."""
    click.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


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


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ()) -> str:
    """Return rows in aligned columns."""
    lines = [header, *rows] if header else rows
    if not lines:
        return ""
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    if header:
        texts.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(texts)


def bytes_in_words(amount: int) -> str:
    """Return an amount of memory for people, as in ``1.5 GiB``."""
    size = float(amount)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.2f} GiB"


def peak_memory() -> int | None:
    """Return the greatest resident memory of this process so far in bytes, where the system tells."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
