"""An output in storage, as an array with the axes of the tensor: formats of images order axes their own way, and leave out some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

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
        given = index if isinstance(index, tuple) else (index,)
        if not all(isinstance(one, int | np.integer | slice) or one is Ellipsis for one in given):
            return self._read([slice(0, n) for n in self.shape])[index]
        box: list[slice] = []
        within: list[int | slice] = []
        for one, size, axis in zip(_one_per_axis(given, self.ndim), self.shape, self.axes, strict=True):
            if not isinstance(one, slice) and not -size <= one < size:
                raise IndexError(f"index {one} along axis {axis!r}: expected -{size} to {size - 1}")
            chosen = range(size)[one]
            if isinstance(chosen, int):
                box.append(slice(chosen, chosen + 1))
                within.append(0)
            else:
                low, high = (min(chosen), max(chosen) + 1) if chosen else (0, 0)
                box.append(slice(low, high))
                within.append(_from(chosen, low))
        return self._read(box)[tuple(within)]

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


def _one_per_axis(given: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    if Ellipsis in given:
        at = given.index(Ellipsis)
        given = (*given[:at], *[slice(None)] * (count - len(given) + 1), *given[at + 1 :])
    if len(given) > count:
        raise IndexError(f"too many indices: expected at most {count}, found {len(given)}")
    return (*given, *[slice(None)] * (count - len(given)))


def _from(chosen: range, low: int) -> slice:
    """Return the slice of a box that begins at `low` which picks the positions of a range."""
    if not chosen:
        return slice(0, 0)
    stop = chosen[-1] - low + (1 if chosen.step > 0 else -1)
    return slice(chosen[0] - low, None if stop < 0 else stop, chosen.step)
