"""Options as text."""

from __future__ import annotations

from ...shown import ShownOptions
from ..plain_text import in_one_line, table

__all__ = ["options_text"]


def options_text(options: ShownOptions) -> str:
    """Return the options that differ from their defaults, one a line."""
    rows = [(name, in_one_line(value)) for name, value in options.given.items()]
    return table(rows) if rows else "all options have their defaults"
