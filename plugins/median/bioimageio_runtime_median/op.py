"""The implementation of ``subtract_median``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.registry import Measure, Measured
from bioimageio_core.typing import AxisId

from . import median

__all__ = ["SubtractMedianOp", "make_subtract_median"]


@attrs.frozen(kw_only=True)
class SubtractMedianOp:
    """``tensor - median``."""

    median: Measure

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the difference, rounded once: float64 for float64, else float32."""
        dtype = np.float64 if tensor.dtype == np.float64 else np.float32
        difference: NDArray[np.float64] = np.subtract(tensor, measured[self.median], dtype=np.float64)
        return difference.astype(dtype, copy=False)


def make_subtract_median(kwargs: Any, axes: tuple[AxisId, ...]) -> SubtractMedianOp:
    """Make the op."""
    return SubtractMedianOp(median=median(kwargs, axes))
