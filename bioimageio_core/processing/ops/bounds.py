"""Ops that compare: ``binarize`` and ``clip``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...registry.entries import Measure, Measured
from ...typing import AxisId
from ..arguments import Along, clip_arguments, threshold_argument
from .arrays import along, as_floats, result_dtype

__all__ = ["BinarizeOp", "ClipOp", "make_binarize", "make_clip"]

Axes = tuple[AxisId, ...]
F64 = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class BinarizeOp:
    """``tensor > threshold``; NaN is not above anything."""

    threshold: Along
    axes: Axes

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return a boolean tensor; thresholds are rounded to the dtype of a float tensor before the comparison."""
        threshold = along(self.threshold, self.axes, tensor.shape)
        with np.errstate(over="ignore"):
            found: NDArray[Any] = tensor > (threshold.astype(tensor.dtype) if tensor.dtype.kind == "f" else threshold)
        return found


@attrs.frozen(kw_only=True)
class ClipOp:
    """Bounds below and above; NaN stays."""

    low: float | Measure | None
    high: float | Measure | None

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the clipped tensor, of the same dtype.

        Integers and booleans become float32 if a bound is not of their dtype.
        """
        low, high = (
            None if bound is None else measured[bound] if isinstance(bound, Measure) else np.full((1,) * tensor.ndim, float(bound))
            for bound in (self.low, self.high)
        )
        clipped: NDArray[Any]
        integers = _integer_bounds(low, high, tensor.dtype) if tensor.dtype.kind in "iu" else None
        if integers is not None:
            clipped = np.clip(tensor, *integers)
            return clipped
        floats = tensor if tensor.dtype.kind == "f" else as_floats(tensor)
        with np.errstate(over="ignore"):
            least = None if low is None else low.astype(floats.dtype)
            most = None if high is None else high.astype(floats.dtype)
            clipped = np.clip(floats, least, most)
        return clipped if tensor.dtype.kind == "f" else clipped.astype(result_dtype(tensor.dtype), copy=False)


def _integer_bounds(low: F64 | None, high: F64 | None, dtype: np.dtype[Any]) -> tuple[NDArray[Any] | None, NDArray[Any] | None] | None:
    """Return the bounds in an integer dtype, None if they do not fit in."""
    info = np.iinfo(dtype)
    found: list[NDArray[Any] | None] = []
    for bound in (low, high):
        if bound is not None and not (np.isfinite(bound).all() and (bound == np.floor(bound)).all()):
            return None
    if (low is not None and (low > info.max).any()) or (high is not None and (high < info.min).any()):
        return None
    for bound in (low, high):
        if bound is None:
            found.append(None)
            continue
        out = np.full(bound.shape, info.min, dtype)
        # Compared as floats: the largest integers of 64 bits are not floats.
        out[bound >= float(info.max)] = info.max
        inside = (bound > float(info.min)) & (bound < float(info.max))
        out[inside] = bound[inside].astype(dtype)
        found.append(out)
    return found[0], found[1]


def make_binarize(kwargs: Any, axes: Axes) -> BinarizeOp:
    """Make ``binarize``."""
    return BinarizeOp(threshold=threshold_argument(kwargs, axes), axes=axes)


def make_clip(kwargs: Any, axes: Axes) -> ClipOp:
    """Make ``clip``."""
    arguments = clip_arguments(kwargs, axes)
    return ClipOp(low=arguments.low, high=arguments.high)
