"""What one window knows of its objects: their sizes, their first pixels, and which of them its box answers for."""

from __future__ import annotations

from math import prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..registry import JoinRule
from .runs import Runs, runs_of

__all__ = ["WindowObjects", "numbered", "window_objects"]


def numbered(labels: NDArray[Any]) -> tuple[NDArray[np.uint32], int]:
    """Return labels numbered from 1 in the order of their first pixels; 0 stays 0.

    Args:
        labels: Labels of one window, of any integer dtype: 0 where there is no object, and one number for each object, in any order.

    Returns:
        Labels of the same shape, and the number of objects.

    Raises:
        TypeError: The labels are not integers.
        ValueError: A label is negative.

    """
    if labels.dtype.kind not in "iub":
        raise TypeError(f"expected labels of an integer dtype, found {labels.dtype}")
    runs = runs_of(labels)
    values, first, inverse = np.unique(runs.values, return_index=True, return_inverse=True)
    if values.size and values[0] < 0:
        raise ValueError(f"expected labels from 0, found {values[0]}")
    order = np.argsort(first)
    order = order[values[order] != 0]
    numbers = np.zeros(values.size, np.uint32)
    numbers[order] = np.arange(1, order.size + 1)
    return np.repeat(numbers[inverse.reshape(-1)], runs.lengths).reshape(labels.shape), order.size


@attrs.frozen(kw_only=True, eq=False)
class WindowObjects:
    """What a window knows of its labels 1 to ``count``; each array has one value for each label.

    A box owns some of them, and what it states of an object is about its *part*: the pixels in the core; for the rule ``owner`` all pixels
    in the window, since the box of an object draws all of it.
    """

    pixels: NDArray[np.int64]
    """Pixels of the part."""

    first: NDArray[np.int64]
    """Row-major index, in the complete tensor, of the first pixel of the part; -1 if it is empty."""

    owned: NDArray[np.bool_]
    """Whether the box answers for the label: it has pixels in the core; for ``owner``, the centre of its bounding box is there."""

    cut: NDArray[np.bool_]
    """Whether the label reaches the end of a halo beyond which the tensor continues, so that the window may not show all of the object."""

    @property
    def count(self) -> int:
        """Number of labels."""
        return self.pixels.size


def window_objects(
    labels: NDArray[Any],
    *,
    count: int,
    start: tuple[int, ...],
    core: tuple[tuple[int, ...], tuple[int, ...]],
    shape: tuple[int, ...],
    rule: JoinRule,
) -> WindowObjects:
    """Find what a window knows of its labels.

    A side where the window ends with the core has no halo: no object extends beyond it, as along the axes of samples.

    Args:
        labels: Labels of the window, 0 to ``count``.
        count: Number of labels.
        start: Position of the window's first pixel in the complete tensor.
        core: Positions of the first pixel of the core and of the pixel after its last one, in the complete tensor.
        shape: Shape of the complete tensor.
        rule: How objects are joined.

    """
    low = tuple(c - s for c, s in zip(core[0], start, strict=True))
    high = tuple(c - s for c, s in zip(core[1], start, strict=True))
    inner = labels if rule == "owner" else labels[tuple(map(slice, low, high))]
    offset = start if rule == "owner" else core[0]
    runs = runs_of(inner)
    numbers = runs.values.astype(np.intp)
    pixels = runs.pixels_of(numbers, count + 1)
    first = runs.first_of(numbers, count + 1)[1:]
    return WindowObjects(
        pixels=pixels[1:],
        first=_in_tensor(first, inner.shape, offset, shape),
        owned=_has_centre(runs, numbers, count, start, core) if rule == "owner" else pixels[1:] > 0,
        cut=_cut(labels, count, (low, high), start, shape),
    )


def _in_tensor(index: NDArray[np.int64], part: tuple[int, ...], offset: tuple[int, ...], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return row-major indices in a tensor for those in a part of it; -1 stays."""
    found = np.zeros_like(index)
    for axis, size in enumerate(part):
        found += (index // prod(part[axis + 1 :]) % size + offset[axis]) * prod(shape[axis + 1 :])
    return np.where(index < 0, -1, found)


def _has_centre(
    runs: Runs, numbers: NDArray[np.intp], count: int, start: tuple[int, ...], core: tuple[tuple[int, ...], tuple[int, ...]]
) -> NDArray[np.bool_]:
    """Return for each label whether the centre of its bounding box is in the core."""
    inside = np.ones(count + 1, bool)
    for axis, offset in enumerate(start):
        first, last = runs.bounds_of(numbers, count + 1, axis)
        centre = (first + last + 2 * offset) // 2
        inside &= (core[0][axis] <= centre) & (centre < core[1][axis]) & (last >= 0)
    return inside[1:]


def _cut(
    labels: NDArray[Any], count: int, core: tuple[tuple[int, ...], tuple[int, ...]], start: tuple[int, ...], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return for each label whether it reaches the end of a halo; the core is that in the window."""
    cut = np.zeros(count + 1, bool)
    for axis, size in enumerate(labels.shape):
        if core[0][axis] > 0 and start[axis] > 0:
            cut[np.take(labels, 0, axis)] = True
        if core[1][axis] < size and start[axis] + size < shape[axis]:
            cut[np.take(labels, size - 1, axis)] = True
    return cut[1:]
