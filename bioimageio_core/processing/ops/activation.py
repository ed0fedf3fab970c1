"""The ops ``sigmoid`` and ``softmax``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...registry.entries import Measured
from ...typing import AxisId
from ..arguments import softmax_axis
from .arrays import as_floats, result_dtype

__all__ = ["SigmoidOp", "SoftmaxOp", "make_sigmoid", "make_softmax"]

Axes = tuple[AxisId, ...]


@attrs.frozen(kw_only=True)
class SigmoidOp:
    """``1 / (1 + exp(-tensor))``."""

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return numbers from 0 to 1; NaN stays."""
        out = as_floats(tensor)
        # exp overflows to infinity below -88 (float32), and the reciprocal is 0, as it should be.
        with np.errstate(over="ignore", under="ignore"):
            np.negative(out, out=out)
            np.exp(out, out=out)
            out += 1
            np.reciprocal(out, out=out)
            return out.astype(result_dtype(tensor.dtype), copy=False)


@attrs.frozen(kw_only=True)
class SoftmaxOp:
    """``exp(tensor) / sum(exp(tensor))`` along an axis."""

    axis: int

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return numbers from 0 to 1 with the sum 1 along the axis; with NaN or +inf, all values along the axis are NaN."""
        out = as_floats(tensor)
        with np.errstate(invalid="ignore", under="ignore"):
            # The largest exponent is 0, so nothing overflows.
            out -= out.max(axis=self.axis, keepdims=True, initial=-np.inf)
            np.exp(out, out=out)
            out /= out.sum(axis=self.axis, keepdims=True)
            return out.astype(result_dtype(tensor.dtype), copy=False)


def make_sigmoid(kwargs: Any, axes: Axes) -> SigmoidOp:
    """Make ``sigmoid``."""
    return SigmoidOp()


def make_softmax(kwargs: Any, axes: Axes) -> SoftmaxOp:
    """Make ``softmax``."""
    return SoftmaxOp(axis=axes.index(softmax_axis(kwargs, axes)))
