"""Quantiles along axes, exactly as numpy computes them in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .lazy_data import is_in_memory

__all__ = ["QUANTILE", "quantiles"]

QUANTILE = "quantile"
"""Name of the axis of several quantiles."""


def quantiles(data: Any, q: ArrayLike, numbers: tuple[int, ...]) -> Any:
    """Return quantiles by numpy's linear method, in float64; several ones along a further axis, which is the first.

    Args:
        data: A numpy or dask array. Of a dask array, all pixels along the axes are in memory together, for a block of the other axes.
        q: Parts from 0 to 1: one, or a list of them.
        numbers: Numbers of the axes that are reduced.

    Raises:
        InputError: A part is not from 0 to 1.

    """
    try:
        parts = np.asarray(q, np.float64)
    except (TypeError, ValueError):
        parts = np.full((), np.nan)
    if parts.ndim > 1 or not np.all((parts >= 0) & (parts <= 1)):
        raise InputError(f"quantile(): expected a number from 0 to 1, or a list of these, found {q!r}")
    if is_in_memory(data):
        return _of_block(data, parts, numbers)
    complete = data.rechunk(dict.fromkeys(numbers, -1))
    kept = [sizes for number, sizes in enumerate(complete.chunks) if number not in numbers]
    return complete.map_blocks(
        _of_block,
        parts,
        numbers,
        drop_axis=list(numbers),
        new_axis=[0] if parts.ndim else None,
        chunks=tuple([(parts.size,)] * parts.ndim + kept),
        dtype=np.float64,
        meta=np.empty([0] * (parts.ndim + len(kept)), np.float64),
    )


def _of_block(block: NDArray[Any], parts: NDArray[np.float64], numbers: tuple[int, ...]) -> Any:
    return np.quantile(block.astype(np.float64), parts, axis=numbers)
