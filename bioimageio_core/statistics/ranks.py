"""Percentiles as interpolated order statistics, as `numpy.percentile` defines them."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["interpolate", "ranks"]


def ranks(
    n: NDArray[np.int64], q: float, method: Literal["linear", "inverted_cdf"]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return the order statistics between which a percentile is interpolated.

    Definitions 1 (``inverted_cdf``) and 7 (``linear``) of Hyndman and Fan, "Sample quantiles in statistical packages" (1996),
    with the floating point steps of numpy, so that the same elements are chosen.

    Args:
        n: Number of elements in each group.
        q: 0 to 100.
        method: Method of `numpy.percentile`.

    Returns:
        Ranks below and above, counted from 0, and the weight of the one above; each of the shape of ``n``.

    """
    last = np.maximum(n - 1, 0)
    if method == "linear":
        position = last * (q / 100)
        below = np.floor(position).astype(np.int64)
        return below, np.minimum(below + 1, last), position - below
    # The smallest rank at which the distribution function reaches q: the position rounded up.
    rank = np.clip(np.ceil(n * (q / 100) - 1).astype(np.int64), 0, last)
    return rank, rank, np.zeros(n.shape)


def interpolate(below: NDArray[Any], above: NDArray[Any], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the point at ``weight`` between two order statistics, computed in float64 from the nearer one.

    Equal neighbours, also infinite ones, are returned unchanged.
    """
    low, high = below.astype(np.float64), above.astype(np.float64)
    exact = (low == high) | (weight == 0)
    with np.errstate(invalid="ignore", over="ignore"):
        step = high - low
        between = np.where(weight < 0.5, low + step * weight, high - step * (1 - weight))
    # Adding 0.0 turns -0.0 into 0.0.
    return np.where(exact, low, between) + 0.0
