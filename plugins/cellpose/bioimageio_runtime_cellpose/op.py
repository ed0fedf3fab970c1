"""The implementation of ``cellpose_flow_dynamics``."""

from __future__ import annotations

import math
from typing import Any

import attrs
import numpy as np
import torch
from cellpose.dynamics import get_masks_torch, remove_bad_flow_masks
from cellpose.utils import fill_holes_and_remove_small_masks
from numpy.typing import NDArray

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import Beyond, Measured
from bioimageio_core.typing import AxisId, FrozenMapping

from . import OP, space_axes
from .following import Place, follow

__all__ = ["CellposeOp", "make_cellpose_flow_dynamics"]

SCALE = 5.0
"""Cellpose's networks predict flows that are larger than the steps along them by this factor."""

LARGEST_PART = 0.4
"""Objects of more than this part of the image are dropped, as in `cellpose.dynamics.compute_masks`."""


@attrs.frozen(kw_only=True)
class CellposeOp:
    """Labels of the pixels whose flows lead to the same place, with holes filled; each item of the batch by itself."""

    space: tuple[AxisId, ...]
    cellprob_threshold: float
    flow_threshold: float
    """Mean squared difference to the flows of an object's shape above which it is dropped; 0 for volumes, where none is."""

    min_size: int
    dtype: str

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the labels of a complete tensor, of shape (batch, channel=1, [z,] y, x), uint16 or uint32."""
        return self.label(tensor, measured, FrozenMapping())

    def label(self, tensor: NDArray[Any], measured: Measured, beyond: Beyond) -> NDArray[Any]:
        """Return the labels of a window, of shape (batch, channel=1, [z,] y, x), uint16 or uint32.

        Raises:
            ModelRunError: The channels are not the flows along each axis and the probability, or the dtype has too few numbers.

        """
        if tensor.shape[1] != len(self.space) + 1:
            raise ModelRunError(
                f"{OP}: expected {len(self.space) + 1} channels, the flows along {', '.join(self.space)} and the cell probability, "
                f"found {tensor.shape[1]}"
            )
        sides = [beyond.get(axis, (0, 0)) for axis in self.space]
        window = tensor.shape[2:]
        place = Place(
            first=tuple(before for before, _ in sides),
            window=window,
            image=tuple(before + size + after for size, (before, after) in zip(window, sides, strict=True)),
        )
        items = [self._label_item(item, place).astype(np.uint32) for item in tensor]
        count = 0
        for item in items:  # no label is in two of them
            item[item > 0] += count
            count = max(count, int(item.max(initial=0)))
        return self._as_dtype(np.stack(items)[:, np.newaxis])

    def _label_item(self, prediction: NDArray[Any], place: Place) -> NDArray[Any]:
        """Return the labels of an item of the batch, of shape ([z,] y, x)."""
        flows, probability = np.nan_to_num(prediction[:-1], posinf=0, neginf=0), prediction[-1]
        inside = probability > self.cellprob_threshold
        if not inside.any():
            return np.zeros(inside.shape, np.uint16)
        starts = np.nonzero(inside)
        ends = follow(flows * inside / SCALE, starts, place)
        largest = LARGEST_PART * (math.prod(place.image) / math.prod(place.window))
        with torch.sparse.check_sparse_tensor_invariants(enable=False):  # PyTorch warns where neither is asked for
            labels = get_masks_torch(ends, starts, place.window, max_size_fraction=largest)
        if self.flow_threshold > 0 and labels.max() > 0:
            labels = remove_bad_flow_masks(labels, flows, threshold=self.flow_threshold)
        filled: NDArray[Any] = fill_holes_and_remove_small_masks(labels, min_size=self.min_size)
        return filled

    def _as_dtype(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the labels in the dtype of the arguments."""
        most = int(np.iinfo(self.dtype).max)
        if labels.max(initial=0) > most:
            raise ModelRunError(
                f"{OP}: expected at most {most:,} objects for output_dtype {self.dtype}, found {int(labels.max()):,}: "
                "write output_dtype: uint32 in the description"
            )
        return labels.astype(self.dtype)


def make_cellpose_flow_dynamics(kwargs: Any, axes: tuple[AxisId, ...]) -> CellposeOp:
    """Make the op."""
    return CellposeOp(
        space=space_axes(kwargs, axes),
        cellprob_threshold=kwargs.cellprob_threshold,
        flow_threshold=0 if kwargs.do_3D else kwargs.flow_threshold,
        min_size=kwargs.min_size,
        dtype=kwargs.output_dtype,
    )
