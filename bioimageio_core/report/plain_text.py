"""Plain text for terminals: aligned columns, amounts in words, and nothing that a terminal would obey."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["bytes_in_words", "finite", "in_one_line", "table"]


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


def finite(data: Any) -> Any:
    """Return plain data for JSON, which lacks NaN and infinities: they become None."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(k): finite(v) for k, v in data.items()}
    if isinstance(data, list | tuple):
        return [finite(v) for v in data]
    return data


def bytes_in_words(amount: int) -> str:
    """Return an amount of memory for people, as in ``1.5 GiB``."""
    size = float(amount)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.2f} GiB"


def in_one_line(text: str) -> str:
    """Return text without line breaks and control characters, which descriptions and files of strangers may hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
