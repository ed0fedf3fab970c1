"""Statistics as text."""

from __future__ import annotations

from typing import Any

from ...prediction.statistics_file import Statistics
from ..plain_text import table

__all__ = ["STATISTICS_HEADER", "statistics_notes", "statistics_rows", "statistics_text"]

STATISTICS_HEADER = ("image", "measure", "axes", "value")


def statistics_text(found: Statistics) -> str:
    """Return statistics as a table, and below it how many pixels have no value."""
    return "\n".join([table(statistics_rows(found), STATISTICS_HEADER), *statistics_notes(found)])


def statistics_rows(found: Statistics) -> list[tuple[str, ...]]:
    """Return a row for each statistic of all images together, and of each image."""
    rows: list[tuple[str, ...]] = [("all images", *_split(name), _values(value)) for name, value in found.dataset.items()]
    several = len(found.images) > 1
    for key, values in found.images.items():
        image = f"image {key[:12]}" if several else "the image"
        rows += [(image, *_split(name), _values(value)) for name, value in values.items()]
    return rows


def statistics_notes(found: Statistics) -> list[str]:
    """Return a sentence for each tensor with pixels without a value."""
    return [f"note: {count} pixels of {name} are NaN; statistics ignore them" for name, count in found.nan_counts.items()]


def _split(name: str) -> tuple[str, str]:
    """Return the measure and the axes of the name of a statistic, as in ``mean over y, x``."""
    measure, _, axes = name.partition(" over ")
    return measure, axes


def _values(value: Any) -> str:
    """Return a number, or the first of several, as text."""
    flat, stack = [], [value]
    while stack:
        top = stack.pop(0)
        if isinstance(top, list | tuple):
            stack = [*top, *stack]
        else:
            flat.append(top)
    shown = ", ".join(f"{v:.8g}" for v in flat[:4])
    return shown + (f", ... ({len(flat)} values)" if len(flat) > 4 else "")
