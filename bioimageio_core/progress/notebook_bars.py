"""Bars in the output of a cell of a notebook."""

from __future__ import annotations

import time
from html import escape
from threading import Lock
from typing import Any

from ..text import seconds_in_words
from .callbacks import stage_in_one_line

__all__ = ["NotebookBars"]

REDRAW_EVERY = 0.25
"""Least seconds between two drawings in a notebook, each of which is a message to the browser."""

COLOUR = "var(--jp-content-font-color0, var(--vscode-editor-foreground, inherit))"
"""The colour of text in JupyterLab, or in Visual Studio Code, or around the bars."""


class NotebookBars:
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
            return seconds_in_words(self._at - self._begin)
        moved = self._done - (self._first or 0)
        left = f", {seconds_in_words((now - self._begin) * (self._total - self._done) / moved)} left" if moved > 0 else ""
        return f"{seconds_in_words(now - self._begin)}{left}"

    def line(self, name: str, now: float) -> str:
        """Return the bar as text."""
        return f"{stage_in_one_line(name):<24} {self._done}/{self._total}  {self._time(now)}"

    def row(self, name: str, now: float) -> str:
        """Return the bar as a row of a table."""
        cell = 'style="padding:0 .8em 0 0;text-align:left;background:none"'
        bar = f'<progress value="{self._done}" max="{max(self._total, 1)}" style="width:18em;vertical-align:middle"></progress>'
        return (
            f'<tr style="background:none"><td {cell}>{escape(stage_in_one_line(name))}</td><td {cell}>{bar}</td>'
            f"<td {cell}>{self._done}/{self._total}</td><td {cell}>{self._time(now)}</td></tr>"
        )
