"""Output of commands: tables, progress bars and colours for people, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ..json_values import json_safe
from ..report.plain_text import bytes_in_words, in_one_line, printable, table
from ..text import without_secrets
from .messages import is_quiet, is_verbose, log_of
from .progress_lines import progress_lines

if TYPE_CHECKING:
    from ..prediction.options import Progress
    from ..spec.validation import Issue

__all__ = [
    "INTERRUPTED",
    "bytes_in_words",
    "issues_as_data",
    "issues_table",
    "json_text",
    "paint",
    "print_json",
    "progress_bars",
    "say",
    "table",
    "tell",
]

INTERRUPTED = 130
"""Exit status of a command that was interrupted by Ctrl-C."""


def say(text: str, *, err: bool = False, exact: bool = False, nl: bool = True) -> None:
    """Print text; all output for people goes through here, since descriptions, images and servers may put anything into it.

    Args:
        text: One or more lines.
        err: Print on standard error.
        exact: Change nothing: the text has colours, and what it quotes is `printable` already; or it is for other programs.
        nl: End with a line break.

    """
    log = log_of()
    if log is not None and not exact:
        log.write(text)
    if err or exact or not is_quiet():
        click.echo(text if exact else printable(text), err=err, nl=nl)


def tell(text: str) -> None:
    """Say what people want to see with ``--verbose`` and in the log only."""
    log = log_of()
    if is_verbose():
        say(text, err=True)
    elif log is not None:
        log.write(text)


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    click.echo(json_text(data))


def json_text(data: Any) -> str:
    """Return plain data as JSON, with null for NaN and infinity, which JSON lacks, and escapes for what terminals obey.

    Passwords and tokens of URLs are left out.
    """
    text = json.dumps(json_safe(data), indent=2, ensure_ascii=False, default=str, allow_nan=False)
    return without_secrets("\n".join(line if line.isprintable() else _escaped(line) for line in text.split("\n")))


def _escaped(line: str) -> str:
    """Return a line of JSON with escapes in place of characters that terminals obey; they can only be part of strings."""
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def issues_as_data(issues: Sequence[Issue]) -> list[dict[str, Any]]:
    """Return issues of a validation as plain data for JSON."""
    return [{"path": i.path, "message": i.message, "severity": i.severity, "hint": i.hint} for i in issues]


def issues_table(issues: Sequence[Issue]) -> str:
    """Return issues of a validation as a table: severity, path and message."""
    return table([(f"  {i.severity}", i.path or "(whole)", i.message) for i in issues])


@contextmanager
def progress_bars(*, shown: bool = True, after: float = 0) -> Iterator[Progress | None]:
    """Show a bar for each stage if standard error is a terminal, else a line every ten seconds.

    Args:
        shown: False: neither, as with ``--quiet``.
        after: Seconds until the bars appear; a shorter command shows none.

    Yields:
        The callback that moves the bars; None if nothing is shown or logged.

    """
    if not shown or is_quiet():
        yield _with_stages_told(None)
        return
    if not sys.stderr.isatty():
        yield _with_stages_told(progress_lines(lambda line: click.echo(printable(line), err=True)))
        return
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

    def show(stage: str, done: int, total: int) -> None:
        if stage not in known:
            known[stage] = bars.add_task(in_one_line(stage), total=total)
        bars.update(known[stage], completed=done, total=total)

    later = Timer(after, bars.start)
    later.daemon = True
    if after:
        later.start()
    else:
        bars.start()
    try:
        yield _with_stages_told(show)
    finally:
        if after:
            later.cancel()
            later.join()
        bars.stop()


def _with_stages_told(progress: Progress | None) -> Progress | None:
    """Return a callback for progress that also tells when stages begin and end; None if that is shown nowhere."""
    context = click.get_current_context(silent=True)
    if context is None or not (is_verbose() or log_of()):
        return progress
    begun: dict[str, float] = {}
    ended: set[str] = set()

    def show(stage: str, done: int, total: int) -> None:
        if progress is not None:
            progress(stage, done, total)
        with context.scope(cleanup=False):  # a thread of the run has no context of its own
            if stage not in begun:
                begun[stage] = time.monotonic()
                tell(f"{stage}: begins" + (f", {total} to do" if total > 1 else ""))
            if done >= total > 0 and stage not in ended:
                ended.add(stage)
                tell(f"{stage}: done in {time.monotonic() - begun[stage]:.1f} s")

    return show


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
    """Return a text in the colour of a role (a severity, a status, ``faint``); unchanged if stdout is not a terminal or NO_COLOR is set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return click.style(text, **_COLOURS[role])
