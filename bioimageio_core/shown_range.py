"""The range of values that pictures and viewers show of an image, from black to full colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["HIGH_PERCENTILE", "LOW_PERCENTILE", "shown_range"]

LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5
"""Percentiles of an image that are black and of full colour; few pixels beyond them do not make the rest dark."""


def shown_range(finite: NDArray[Any]) -> tuple[float, float]:
    """Return the values that are black and of full colour.

    Args:
        finite: Pixels, at least one, without NaN and infinity.

    """
    low, high = np.percentile(finite, [LOW_PERCENTILE, HIGH_PERCENTILE])
    return float(low), float(high)
