"""Plain text for terminals: aligned columns, amounts in words, and no control characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..text import in_one_line as text_in_one_line
from ..text import without_secrets

__all__ = ["LONGEST_LINE", "bytes_in_words", "in_one_line", "printable", "sizes_in_words", "table"]

LONGEST_LINE = 10_000
"""Characters of one line that terminals show; longer lines come from hostile or broken files."""

WIDEST_COLUMN = 200
"""Characters to which cells of a table are padded."""


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ()) -> str:
    """Return rows in aligned columns; cells are shown on one line, and one that is wider than `WIDEST_COLUMN` stands out of its column."""
    lines = [tuple(map(_one_line, line)) for line in ([header, *rows] if header else rows)]
    if not lines:
        return ""
    widths = [min(WIDEST_COLUMN, max(len(line[n]) for line in lines)) for n in range(len(lines[0]))]
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


def sizes_in_words(axes: Iterable[str], sizes: Iterable[int | None]) -> str:
    """Return sizes by axis, as in ``y 512, x 512``; None is a size that is not known."""
    return ", ".join(f"{axis} {'?' if size is None else size}" for axis, size in zip(axes, sizes, strict=True))


def printable(text: str) -> str:
    """Return untrusted text for a terminal: its lines, each cut at `LONGEST_LINE` characters, with spaces for control characters.
    Passwords and tokens of URLs are left out.

    Control characters, and marks that reverse the direction of writing, could change what a terminal shows elsewhere, or what it does.
    """
    return "\n".join(map(_one_line, text.split("\n")))


def in_one_line(text: str) -> str:
    """Return untrusted text for a terminal as one line of at most `LONGEST_LINE` characters."""
    return _one_line(text_in_one_line(text))


def _one_line(text: str) -> str:
    return _cut(without_secrets(text if text.isprintable() else _spaced(text)))


def _spaced(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)


def _cut(line: str) -> str:
    left_out = len(line) - LONGEST_LINE
    return line if left_out <= 0 else f"{line[:LONGEST_LINE]}... ({left_out} more characters)"
