"""Labels of a tensor that is labelled in windows, put together by the rule ``owner``."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from bioimageio_runtime_stardist.op import StardistOp
from numpy.typing import NDArray


def in_windows(op: StardistOp, tensor: NDArray[Any], *, core: tuple[int, ...], halo: int) -> NDArray[np.int64]:
    """Return the labels of a tensor of shape (1, [z,] y, x, channel), numbered from 1 in the order of their first pixels.

    Cores of so many pixels are labelled with `halo` pixels around them, where there are any.
    An object belongs to the core that has the centre of its bounding box, and is as the window of that core shows it.
    """
    space = tensor.shape[1:-1]
    final = np.zeros(np.multiply(space, op.grid), np.int64)
    count = 0
    for begin, end in _cores(space, core):
        first = tuple(max(0, low - halo) for low in begin)
        last = tuple(min(n, high + halo) for n, high in zip(space, end, strict=True))
        beyond = {axis: (low, n - high) for axis, low, high, n in zip(op.space, first, last, space, strict=True)}
        window = (slice(None), *(slice(low, high) for low, high in zip(first, last, strict=True)))
        labels = op.label(tensor[window], {}, beyond)[0, ..., 0]
        offset = np.multiply(first, op.grid)
        for number in np.unique(labels[labels > 0]):
            pixels = np.argwhere(labels == number) + offset
            centre = (pixels.min(axis=0) + pixels.max(axis=0)) // 2
            if np.all(centre >= np.multiply(begin, op.grid)) and np.all(centre < np.multiply(end, op.grid)):
                count += 1
                here = tuple(pixels.T)
                final[here] = np.where(final[here] == 0, count, final[here])
    return renumbered(final)


def renumbered(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return labels numbered from 1 in the order of their first pixels."""
    old, first, where = np.unique(labels, return_index=True, return_inverse=True)
    new = np.zeros(len(old), np.int64)
    order = [k for k in np.argsort(first) if old[k] != 0]
    new[order] = np.arange(1, len(order) + 1)
    return new[where].reshape(labels.shape)


def _cores(space: tuple[int, ...], core: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield first and last (exclusive) pixels of the cores."""
    for begin in product(*(range(0, n, size) for n, size in zip(space, core, strict=True))):
        yield begin, tuple(min(n, low + size) for n, low, size in zip(space, begin, core, strict=True))
