"""The last step of an output: conversion to the storage dtype, and the mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..planning.mask import Mask
from ..planning.outputs.storage_dtype import to_storage_dtype
from ..planning.planned_tensors import PlannedOutput

__all__ = ["OutputEncoder"]


@attrs.frozen(kw_only=True, eq=False)
class OutputEncoder:
    """Converts regions of an output to the storage dtype, and applies the mask."""

    output: PlannedOutput
    mask: Mask | None = None

    def __call__(self, start: Sequence[int], array: NDArray[Any]) -> NDArray[Any]:
        """Return a region of the output, which starts at ``start``, as stored."""
        array = to_storage_dtype(array, self.output.storage_dtype)
        if self.mask is not None:
            array = np.where(self.mask.of_output(self.output.ties, start, array.shape), array, array.dtype.type(0))
        return array
