"""Output of commands: tables and colours for people, JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..json_values import json_safe
from ..option_spelling import for_command_line
from ..report.plain_text import bytes_in_words, printable, table
from ..text import without_secrets
from .verbosity import is_quiet, is_verbose, log_of

if TYPE_CHECKING:
    from ..spec.validation import Issue

__all__ = [
    "INTERRUPTED",
    "bytes_in_words",
    "issues_as_data",
    "issues_table",
    "json_text",
    "paint",
    "print_json",
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
    if not exact:
        text = for_command_line(text)
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
    text = for_command_line(text)
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
