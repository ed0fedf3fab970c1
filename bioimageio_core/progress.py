"""Progress of what takes long: the callback, and bars in terminals and notebooks that it moves."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from threading import Lock
from typing import Any, TypeAlias

from .text import in_one_line, without_secrets

__all__ = ["Progress", "ProgressChoice", "in_notebook", "no_progress", "progress_bars", "shown_progress"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called as ``progress(stage, done, total)``, from any thread, at most a few times per second."""

ProgressChoice: TypeAlias = Progress | bool | None
"""What users choose: a callback, True for bars, False for none, and None for bars of long runs in notebooks."""

LONG = 2.0
"""Seconds after which notebooks show bars without being asked."""

REDRAW_EVERY = 0.25
"""Least seconds between two drawings in a notebook, each of which is a message to the browser."""


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook; IPython is not imported."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


def no_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


@contextmanager
def shown_progress(choice: ProgressChoice) -> Iterator[Progress | None]:
    """Show what the option `progress` asks for.

    Yields:
        The callback to report to; None if there is nothing to show.

    """
    if choice is None and in_notebook():
        with progress_bars(after=LONG) as progress:
            yield progress
    elif choice is True:
        with progress_bars() as progress:
            yield progress
    else:
        # What runs within this run must not show bars, either.
        yield no_progress if choice is False else choice


@contextmanager
def progress_bars(*, shown: bool = True, after: float = 0) -> Iterator[Progress | None]:
    """Show a bar for each stage in a notebook, or on standard error if that is a terminal.

    Args:
        shown: False: no bars.
        after: Seconds until the bars appear; what is done earlier shows none.

    Yields:
        The callback that moves the bars; None if there are none.

    """
    if not shown:
        yield None
    elif in_notebook():
        bars = _NotebookBars(after)
        try:
            yield bars.show
        finally:
            bars.end()
    elif sys.stderr.isatty():
        with _terminal_bars(after) as progress:
            yield progress
    else:
        yield None


@contextmanager
def _terminal_bars(after: float) -> Iterator[Progress]:
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
                known[stage] = bars.add_task(_plain(stage), total=total)
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


COLOUR = "var(--jp-content-font-color0, var(--vscode-editor-foreground, inherit))"
"""The colour of text in JupyterLab, or in Visual Studio Code, or around the bars."""


class _NotebookBars:
    """Bars in the output of a cell: one piece of HTML that is replaced, so that the notebook keeps the last one only.

    rich would need ipywidgets for this, which not every frontend shows.

    Args:
        after: Seconds until they appear.

    """

    def __init__(self, after: float) -> None:
        self._begin = time.monotonic()
        self._from = self._begin + after
        self._drawn = 0.0
        self._handle: Any = None
        self._stages: dict[str, _Stage] = {}
        self._lock = Lock()

    def show(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage."""
        now = time.monotonic()
        with self._lock:
            self._stages.setdefault(stage, _Stage(now)).move(done, total, now)
            if now >= self._from and now - self._drawn >= REDRAW_EVERY:
                self._draw(now)

    def end(self) -> None:
        """Draw the last state, if any was drawn."""
        with self._lock:
            if self._handle is not None:
                self._draw(time.monotonic())

    def _draw(self, now: float) -> None:
        self._drawn = now
        rows = "".join(stage.row(name, now) for name, stage in self._stages.items())
        data = {
            "text/html": f'<table style="border:0;margin:0;font-size:0.9em;text-align:left;color:{COLOUR}">{rows}</table>',
            "text/plain": "\n".join(stage.line(name, now) for name, stage in self._stages.items()),
        }
        if self._handle is None:
            from IPython.display import DisplayHandle

            self._handle = DisplayHandle()
            self._handle.display(data, raw=True)
        else:
            self._handle.update(data, raw=True)


class _Stage:
    """The state of one bar."""

    def __init__(self, begin: float) -> None:
        self._begin, self._at = begin, begin
        self._first: int | None = None
        self._done = self._total = 0

    def move(self, done: int, total: int, now: float) -> None:
        self._first = done if self._first is None else self._first
        self._done, self._total, self._at = done, total, now

    def _time(self, now: float) -> str:
        """Return how long the stage took, or how long it will take at the speed so far."""
        if self._done >= self._total:
            return f"{_duration(self._at - self._begin)}"
        moved = self._done - (self._first or 0)
        left = f", {_duration((now - self._begin) * (self._total - self._done) / moved)} left" if moved > 0 else ""
        return f"{_duration(now - self._begin)}{left}"

    def line(self, name: str, now: float) -> str:
        """Return the bar as text."""
        return f"{_plain(name):<24} {self._done}/{self._total}  {self._time(now)}"

    def row(self, name: str, now: float) -> str:
        """Return the bar as a row of a table."""
        cell = 'style="padding:0 .8em 0 0;text-align:left;background:none"'
        bar = f'<progress value="{self._done}" max="{max(self._total, 1)}" style="width:18em;vertical-align:middle"></progress>'
        return (
            f'<tr style="background:none"><td {cell}>{escape(_plain(name))}</td><td {cell}>{bar}</td>'
            f"<td {cell}>{self._done}/{self._total}</td><td {cell}>{self._time(now)}</td></tr>"
        )


def _plain(stage: str) -> str:
    """Return the name of a stage, which has ids of descriptions in it, for a terminal."""
    return in_one_line(without_secrets(stage))


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
