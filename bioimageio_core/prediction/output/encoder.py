"""The last step of an output: conversion to the storage dtype, and the mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..data.tensor_view import Readable
from ..planning.masks.mask import Mask
from ..planning.outputs.storage_dtype import to_storage_dtype
from ..planning.planned_tensors import PlannedOutput

__all__ = ["MaskedRegions", "OutputEncoder"]


@attrs.frozen(kw_only=True, eq=False)
class OutputEncoder:
    """Converts regions of an output to the storage dtype, and applies the mask."""

    output: PlannedOutput
    mask: Mask | None = None

    def __call__(self, start: Sequence[int], array: NDArray[Any]) -> NDArray[Any]:
        """Return a region of the output, which starts at ``start``, as stored."""
        return self.masked(start, to_storage_dtype(array, self.output.storage_dtype))

    def masked(self, start: Sequence[int], array: NDArray[Any]) -> NDArray[Any]:
        """Return a region of the output, which starts at ``start``, with 0 where the mask does not cover it."""
        if self.mask is None:
            return array
        return np.where(self.mask.of_output(self.output.ties, start, array.shape), array, array.dtype.type(0))


@attrs.frozen(kw_only=True, eq=False)
class MaskedRegions:
    """An output that is 0 where the mask does not cover it, so that no object depends on which blocks the network skips."""

    source: Readable
    encoder: OutputEncoder

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.encoder.masked(start, self.source.read(start, stop))
