"""Shows what the option `progress` asks for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from .callbacks import Progress, ProgressChoice, no_progress
from .notebook_bars import NotebookBars
from .terminal_bars import terminal_bars

__all__ = ["in_notebook", "progress_bars", "shown_progress"]

LONG = 2.0
"""Seconds after which notebooks show bars without being asked."""


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook; IPython is not imported."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


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
        bars = NotebookBars(after)
        try:
            yield bars.show
        finally:
            bars.end()
    elif sys.stderr.isatty():
        with terminal_bars(after) as progress:
            yield progress
    else:
        yield None
