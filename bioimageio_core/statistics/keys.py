"""Unsigned integers that sort as the numbers they stand for.

Integers: the sign bit is flipped.
Floats: IEEE 754 orders positive numbers as their bit patterns; the sign bit is flipped for them, all bits for negative ones.
So -0.0 sorts before 0.0, and infinities at the ends.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["from_keys", "raw_bits", "to_keys"]


def raw_bits(values: NDArray[Any]) -> NDArray[Any]:
    """Return the bit patterns of numbers as unsigned integers of the same width (a view)."""
    raw: NDArray[Any] = values.view(f"u{values.dtype.itemsize}")
    return raw


def to_keys(values: NDArray[Any]) -> NDArray[Any]:
    """Return the sort keys of integers or floats, as unsigned integers of the same width.

    NaN is not treated specially: it sorts beyond the infinity of its sign.
    """
    raw = raw_bits(values)
    kind, bits = values.dtype.kind, 8 * values.dtype.itemsize
    if kind == "u":
        return raw
    sign = raw.dtype.type(1 << (bits - 1))
    if kind == "i":
        keys: NDArray[Any] = raw ^ sign
        return keys
    flips: NDArray[Any] = (raw.view(f"i{raw.dtype.itemsize}") >> (bits - 1)).view(raw.dtype)
    flips |= sign
    flips ^= raw
    return flips


def from_keys(keys: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the numbers of ``dtype`` with these sort keys."""
    bits = 8 * dtype.itemsize
    raw = keys.astype(f"u{dtype.itemsize}")
    sign = raw.dtype.type(1 << (bits - 1))
    if dtype.kind == "i":
        raw ^= sign
    elif dtype.kind == "f":
        raw = np.where(raw & sign, raw ^ sign, ~raw)
    values: NDArray[Any] = raw.view(dtype)
    return values
