"""Plain text for terminals: aligned columns, amounts in words, and no control characters."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["bytes_in_words", "in_one_line", "table"]


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


def in_one_line(text: str) -> str:
    """Return untrusted text without line breaks and control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
