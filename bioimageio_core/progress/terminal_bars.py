"""Bars in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from .callbacks import Progress, stage_in_one_line

__all__ = ["terminal_bars"]


@contextmanager
def terminal_bars(after: float) -> Iterator[Progress]:
    """Show a bar for each stage on standard error, after some seconds; yield the callback that moves them."""
    from threading import Timer

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    known: dict[str, Any] = {}
    lock = Lock()

    def show(stage: str, done: int, total: int) -> None:
        with lock:  # else threads that begin a stage together add a bar each
            if stage not in known:
                known[stage] = bars.add_task(stage_in_one_line(stage), total=total)
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
