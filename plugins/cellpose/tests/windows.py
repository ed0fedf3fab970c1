"""Labels of a tensor that is labelled in windows, put together by the rule ``overlap``."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
from bioimageio_runtime_cellpose.op import CellposeOp
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def in_windows(op: CellposeOp, tensor: NDArray[Any], *, core: tuple[int, ...], halo: int) -> NDArray[np.int64]:
    """Return the labels of a tensor of shape (1, channel, [z,] y, x), numbered from 1 in the order of their first pixels.

    Cores of so many pixels are labelled with `halo` pixels around them, where there are any.
    Labels of two windows are one object where their intersection over union in what both windows see is above a half.
    """
    space = tensor.shape[2:]
    cores, windows, count = [], [], 0
    for begin in product(*(range(0, n, size) for n, size in zip(space, core, strict=True))):
        end = tuple(min(n, low + size) for n, low, size in zip(space, begin, core, strict=True))
        first = tuple(max(0, low - halo) for low in begin)
        last = tuple(min(n, high + halo) for n, high in zip(space, end, strict=True))
        beyond = {axis: (low, n - high) for axis, low, high, n in zip(op.space, first, last, space, strict=True)}
        box = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
        labels = op.label(tensor[(slice(None), slice(None), *box)], {}, beyond)[0, 0].astype(np.int64)
        seen = np.zeros(space, np.int64)
        seen[box] = np.where(labels > 0, labels + count, 0)
        count += int(labels.max())
        cores.append(tuple(slice(low, high) for low, high in zip(begin, end, strict=True)))
        windows.append((box, seen))
    pairs = [pair for one, other in combinations(windows, 2) for pair in same_objects(one, other)]
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    _, objects = connected_components(coo_array((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1)), directed=False)
    final = np.zeros(space, np.int64)
    for inner, (_, seen) in zip(cores, windows, strict=True):
        final[inner] = np.where(seen[inner] > 0, objects[seen[inner]] + 1, 0)
    return renumbered(final)


def same_objects(one: tuple[Any, NDArray[Any]], other: tuple[Any, NDArray[Any]]) -> list[tuple[int, int]]:
    """Return the pairs of labels that are one object."""
    both = tuple(slice(max(a.start, b.start), max(a.start, b.start, min(a.stop, b.stop))) for a, b in zip(one[0], other[0], strict=True))
    here, there = one[1][both], other[1][both]
    found, shared = np.unique(np.stack([here[(here > 0) & (there > 0)], there[(here > 0) & (there > 0)]]), axis=1, return_counts=True)
    return [
        (a, b)
        for (a, b), n in zip(found.T.tolist(), shared.tolist(), strict=True)
        if n > 0.5 * (np.count_nonzero(here == a) + np.count_nonzero(there == b) - n)
    ]


def renumbered(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return labels numbered from 1 in the order of their first pixels."""
    old, first, where = np.unique(labels, return_index=True, return_inverse=True)
    new = np.zeros(len(old), np.int64)
    order = [k for k in np.argsort(first) if old[k] != 0]
    new[order] = np.arange(1, len(order) + 1)
    return new[where].reshape(labels.shape)
