"""The contrast of an image: percentiles of a coarse level, or of a sample where all levels are large."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..shown_range import shown_range
from .level_array import LevelArray

__all__ = ["Range", "value_ranges"]

Range = tuple[float, float]

LEAST = 256
"""Pixels along y or x of a level that is coarse, and yet tells the contrast."""

READ_COMPLETELY = 1024
"""Pixels along y or x up to which all are read; of more, `WINDOWS` windows along the axis are."""

WINDOWS = 4
DEPTHS = (0.25, 0.5, 0.75)
"""Where planes are read along z, as parts of its size; along all other axes but channels the middle is read."""


def value_ranges(levels: tuple[LevelArray, ...], count: int, *, from_zero_to_one: bool = False) -> tuple[tuple[Range, Range], ...]:
    """Return the contrast of each channel, and its least and greatest value, as far as the sample tells.

    Args:
        levels: The levels, the finest first.
        count: Number of channels; 1 takes all positions of the axis ``channel`` together.
        from_zero_to_one: Whether values within 0 to 1 are shown from 0 to 1, as probabilities are, so that a colour means the same in
            every image.

    Returns:
        For each channel two ranges of which the second number is greater than the first.

    Raises:
        SourceError: The pixels cannot be read.

    """
    chosen = next((level for level in reversed(levels) if max(level.shape[-2:]) >= LEAST), levels[0])
    values = _sampled(chosen, count)
    return tuple(_range(values[n].astype(np.float64), from_zero_to_one) for n in range(count))


def _sampled(level: LevelArray, count: int) -> NDArray[Any]:
    """Return values with the shape (channels, values)."""
    choices = [tuple(_spans(axis, size)) for axis, size in zip(level.axes, level.shape, strict=True)]
    parts = [level.read([slice(*span) for span in box]) for box in product(*choices)]
    return np.concatenate([part.reshape(count, -1) for part in parts], axis=1)


def _spans(axis: str, size: int) -> Iterator[tuple[int, int]]:
    if axis == "channel":
        yield 0, size
    elif axis == "z":
        for at in sorted({min(size - 1, int(size * part)) for part in DEPTHS}):
            yield at, at + 1
    elif axis not in ("y", "x"):
        yield size // 2, size // 2 + 1
    elif size <= READ_COMPLETELY:
        yield 0, size
    else:
        width = READ_COMPLETELY // WINDOWS
        for number in range(WINDOWS):
            start = (size - width) * number // (WINDOWS - 1)
            yield start, start + width


def _range(values: NDArray[np.float64], from_zero_to_one: bool) -> tuple[Range, Range]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return (0.0, 1.0), (0.0, 1.0)
    least, greatest = float(finite.min()), float(finite.max())
    if from_zero_to_one and least >= 0 and greatest <= 1:
        return (0.0, 1.0), (0.0, 1.0)
    low, high = shown_range(finite)
    if low == high:  # nearly all pixels are the same, as where few objects are on a black ground
        low, high = least, greatest
    return _apart(low, high), _apart(least, greatest)


def _apart(low: float, high: float) -> Range:
    return (low, high) if high > low else (low, low + 1.0)
