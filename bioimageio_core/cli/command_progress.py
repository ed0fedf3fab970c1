"""How commands show progress: bars in a terminal, a line now and then elsewhere, and stages in the log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import click

from ..progress import Progress, progress_bars
from .progress_lines import progress_lines
from .terminal import say, tell
from .verbosity import is_quiet, is_verbose, log_of

__all__ = ["command_progress"]


@contextmanager
def command_progress(*, shown: bool = True, after: float = 0) -> Iterator[Progress | None]:
    """Show a bar for each stage if standard error is a terminal, else a line every ten seconds.

    Args:
        shown: False: neither, as with ``--quiet``.
        after: Seconds until the bars appear; a shorter command shows none.

    Yields:
        The callback that moves the bars; None if nothing is shown or logged.

    """
    if not shown or is_quiet():
        yield _with_stages_told(None)
    elif sys.stderr.isatty():
        with progress_bars(after=after) as progress:
            yield _with_stages_told(progress)
    else:
        yield _with_stages_told(progress_lines(lambda line: say(line, err=True)))


def _with_stages_told(progress: Progress | None) -> Progress | None:
    """Return a callback for progress that also tells when stages begin and end; None if that is shown nowhere."""
    context = click.get_current_context(silent=True)
    if context is None or not (is_verbose() or log_of()):
        return progress
    begun: dict[str, float] = {}
    ended: set[str] = set()
    lock = Lock()

    def show(stage: str, done: int, total: int) -> None:
        if progress is not None:
            progress(stage, done, total)
        with lock, context.scope(cleanup=False):  # a thread of the run has no context of its own
            if stage not in begun:
                begun[stage] = time.monotonic()
                tell(f"{stage}: begins" + (f", {total} to do" if total > 1 else ""))
            if done >= total > 0 and stage not in ended:
                ended.add(stage)
                tell(f"{stage}: done in {time.monotonic() - begun[stage]:.1f} s")

    return show
