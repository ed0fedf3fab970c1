"""The implementation of ``argmax``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Measured
from bioimageio_core.typing import AxisId

from .needs import CLASSES

__all__ = ["ArgmaxOp", "make_argmax"]


@attrs.frozen(kw_only=True)
class ArgmaxOp:
    """The class of the largest score at each pixel: the first of several, and never one whose score is NaN, if others have numbers."""

    axis: AxisId
    position: int

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[np.uint16]:
        """Return classes from 0, with size 1 along the axis of the scores; class 0 where all scores are NaN.

        Raises:
            DescriptionError: There are more classes than the dtype of the result holds.

        """
        count, most = tensor.shape[self.position], np.iinfo(CLASSES).max + 1
        if count > most:
            raise DescriptionError(f"argmax: expected at most {most} classes along axis {self.axis!r}, found {count}")
        if tensor.dtype.kind == "f" and np.isnan(tensor).any():
            tensor = np.where(np.isnan(tensor), -np.inf, tensor)
        classes: NDArray[np.uint16] = tensor.argmax(self.position, keepdims=True).astype(CLASSES)
        return classes


def make_argmax(kwargs: Any, axes: tuple[AxisId, ...]) -> ArgmaxOp:
    """Make the op."""
    return ArgmaxOp(axis=kwargs.axis, position=axes.index(kwargs.axis))
