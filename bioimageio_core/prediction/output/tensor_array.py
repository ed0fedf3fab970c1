"""An output in storage, as an array with the axes of the tensor: formats of images order axes their own way, and leave out some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...labelled_arrays.stored_part import bounding_box, chosen_positions, is_basic
from ...typing import AxisId

__all__ = ["TensorArray", "in_order"]


@attrs.frozen(kw_only=True, eq=False)
class TensorArray:
    """An array with the axes of an output, over one with the axes of an image; pixels are read where they are asked for."""

    source: Any
    """The array in storage; it takes one slice per axis."""

    source_axes: tuple[AxisId, ...]
    axes: tuple[AxisId, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the unit of storage; None where it is not known."""
        chunks = getattr(self.source, "chunks", None)
        if chunks is None:
            return None
        by_axis = dict(zip(self.source_axes, chunks, strict=True))
        return tuple(by_axis.get(axis, 1) for axis in self.axes)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self[...]
        return np.asarray(array if dtype is None else array.astype(dtype, copy=False))

    def __getitem__(self, index: Any) -> Any:
        """Return a part, as numpy indexes; of whole numbers and slices only the bounding box is read."""
        if not is_basic(index):
            return np.asarray(self)[index]
        box, within = bounding_box(chosen_positions(index, self.shape, self.axes))
        return self._read(box)[within]

    def _read(self, box: Sequence[slice]) -> NDArray[Any]:
        """Return a region; axes that only one of the two arrays has are of size 1."""
        by_axis = dict(zip(self.axes, box, strict=True))
        pixels = np.asarray(self.source[tuple(by_axis.get(axis, slice(0, 1)) for axis in self.source_axes)])
        return in_order(pixels, self.source_axes, self.axes, box).astype(self.dtype, copy=False)


def in_order(pixels: NDArray[Any], found: Sequence[AxisId], axes: Sequence[AxisId], box: Sequence[slice]) -> NDArray[Any]:
    """Return a region with other axes.

    Args:
        pixels: The region as it was found.
        found: Its axes.
        axes: Axes of the result; those that only one of the two has are of size 1.
        box: The region along the axes of the result.

    """
    order = [found.index(axis) for axis in axes if axis in found]
    rest = [n for n in range(pixels.ndim) if n not in order]
    return pixels.transpose([*order, *rest]).reshape([s.stop - s.start for s in box])
