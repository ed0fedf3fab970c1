"""Scale bars with their length."""

from __future__ import annotations

from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from .letters import written

__all__ = ["draw_scale_bar", "round_length"]

UNITS = ((1e3, "km"), (1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"), (1e-12, "pm"))
LONGEST = 0.3
"""Of the width of a panel."""

DARKER = 0.3
SMALLEST = 64
"""Pixels along either axis of a panel with a bar."""


def round_length(most: float) -> tuple[float, str]:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above a length in metres, and its name."""
    power = 10.0 ** floor(log10(most) + 1e-9)
    length = next(n * power for n in (5, 2, 1) if n * power <= most * (1 + 1e-9))
    unit, symbol = next(((unit, symbol) for unit, symbol in UNITS if length >= unit * (1 - 1e-9)), UNITS[-1])
    return length, f"{round(length / unit)} {symbol}"


def draw_scale_bar(panel: NDArray[np.uint8], pixel: float) -> NDArray[np.uint8]:
    """Return a panel with a white bar and its length at the lower right, on a darker ground.

    Args:
        panel: Shape (y, x, rgb); one of fewer than 64 pixels along an axis is returned as it is.
        pixel: Length of a pixel of the panel in metres.

    """
    height, width = panel.shape[:2]
    if min(height, width) < SMALLEST or not UNITS[-1][0] <= LONGEST * width * pixel < 1e6:
        return panel
    length, name = round_length(LONGEST * width * pixel)
    bar = max(1, round(length / pixel))
    size = 2 if min(height, width) >= 256 else 1
    text = written(name).repeat(size, 0).repeat(size, 1)
    across = max(bar, text.shape[1])
    ink = np.zeros((len(text) + 5 * size, across), bool)
    left = (across - text.shape[1]) // 2
    ink[: len(text), left : left + text.shape[1]] = text
    ink[len(text) + 3 * size :, (across - bar) // 2 : (across - bar) // 2 + bar] = True
    margin = 6 * size
    mask = np.zeros((height, width), bool)
    mask[height - margin - len(ink) : height - margin, width - margin - across : width - margin] = ink
    drawn = panel.copy()
    ground = np.s_[height - margin - len(ink) - 3 * size : height - 3 * size, width - margin - across - 3 * size : width - 3 * size]
    drawn[ground] = drawn[ground] * DARKER
    drawn[mask] = 255
    return drawn
