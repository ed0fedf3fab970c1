"""The op ``ensure_dtype``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...registry.entries import Measured
from ...typing import AxisId

__all__ = ["EnsureDtypeOp", "cast", "make_ensure_dtype"]


@attrs.frozen(kw_only=True)
class EnsureDtypeOp:
    """A cast that is defined for every number; see `cast`."""

    dtype: str

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the tensor in another dtype; the tensor itself if it has the dtype already."""
        return cast(tensor, np.dtype(self.dtype))


def cast(tensor: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a tensor in another dtype.

    - To integers: fractions are truncated, as in C; numbers beyond the dtype become its smallest or largest; NaN becomes 0.
    - To bool: everything except 0 is true, also NaN.
    - To floats: rounded to the nearest; float64 beyond float32 becomes infinite.
    """
    if tensor.dtype == dtype:
        return tensor
    if dtype.kind in "iu" and tensor.dtype.kind == "f":
        return _floats_to_integers(tensor, dtype)
    if dtype.kind in "iu" and tensor.dtype.kind in "iu" and not np.can_cast(tensor.dtype, dtype, "safe"):
        here, there = np.iinfo(tensor.dtype), np.iinfo(dtype)
        within: NDArray[Any] = np.clip(tensor, max(here.min, there.min), min(here.max, there.max))
        return within.astype(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        return tensor.astype(dtype)


def _floats_to_integers(tensor: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    info = np.iinfo(dtype)
    floats = tensor.astype(np.float32) if tensor.dtype.itemsize < 4 else tensor
    least, most = floats.dtype.type(info.min), floats.dtype.type(info.max)
    rounded_up = int(most) > info.max
    if rounded_up:
        most = np.nextafter(most, least)
    inside = np.clip(floats, least, most)
    nan = np.isnan(inside)
    if nan.any():
        inside[nan] = 0
    out: NDArray[Any] = inside.astype(dtype)
    if rounded_up:
        out[floats > most] = info.max
    return out


def make_ensure_dtype(kwargs: Any, axes: tuple[AxisId, ...]) -> EnsureDtypeOp:
    """Make ``ensure_dtype``."""
    return EnsureDtypeOp(dtype=kwargs.dtype)
