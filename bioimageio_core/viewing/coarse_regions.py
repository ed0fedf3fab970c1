"""Regions of a layer at any coarseness, read from the level that is nearest to it, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .layer import Layer, LayerKind
from .level_array import LevelArray

__all__ = ["coarse_region", "shown_dtype"]

MOST_PIXELS_AT_ONCE = 2**22
"""Pixels of a level that are read at once."""


def shown_dtype(dtype: DTypeLike, kind: LayerKind) -> np.dtype[Any]:
    """Return the dtype in which browsers get pixels: float32 for numbers that they lack, and no signed integers for labels."""
    found = np.dtype(dtype)
    if found.kind == "b":
        return np.dtype(np.uint8)
    if kind == "labels":
        return np.dtype(f"u{found.itemsize}")
    return np.dtype(np.float32) if found.kind == "f" or found.itemsize == 8 else found


def coarse_region(layer: Layer, start: Sequence[int], stop: Sequence[int], factors: Sequence[int]) -> NDArray[Any]:
    """Return a region of cells of a layer, in `shown_dtype`.

    A cell of an image is the mean of its pixels, one of labels is its first pixel; where pixels of a level do not
    fill cells exactly, both are the nearest pixel.

    Args:
        layer: The layer.
        start: First cell, along each axis of the layer.
        stop: The one after the last cell.
        factors: Pixels of the finest level that a cell spans along each axis.

    Raises:
        ValueError: The region is not within the layer, or a factor is below 1.
        SourceError: The pixels cannot be read.

    """
    cells = [ceil(n / f) if f >= 1 else 0 for n, f in zip(layer.shape, factors, strict=True)]
    if any(not 0 <= a < b <= n for a, b, n in zip(start, stop, cells, strict=True)):
        raise ValueError(f"cells {tuple(start)} to {tuple(stop)} of {tuple(factors)} pixels are not within {layer.name} {layer.shape}")
    level, steps = _nearest_level(layer, factors)
    found = np.empty([b - a for a, b in zip(start, stop, strict=True)], shown_dtype(layer.dtype, layer.kind))
    for part in _parts(found.shape, steps):
        at = [(a + s.start, a + s.stop) for a, s in zip(start, part, strict=True)]
        found[part] = _as_shown(_cells(level, at, steps, mean=layer.kind == "image"), found.dtype)
    return found


def _nearest_level(layer: Layer, factors: Sequence[int]) -> tuple[LevelArray, tuple[float, ...]]:
    """Return the coarsest level that is not coarser than wanted, and the size of a cell in its pixels."""
    for number in reversed(range(len(layer.levels))):
        steps = tuple(wanted / own for wanted, own in zip(factors, layer.factors(number), strict=True))
        if all(step > 1 - 1e-3 for step in steps):
            return layer.levels[number], tuple(max(1.0, step) for step in steps)
    raise AssertionError("the finest level is never too coarse")


def _parts(shape: Sequence[int], steps: Sequence[float]) -> Iterator[tuple[slice, ...]]:
    """Yield boxes of cells that together are all of them; each takes at most `MOST_PIXELS_AT_ONCE` pixels, or is a single cell."""
    pending = [tuple(slice(0, n) for n in shape)]
    while pending:
        box = pending.pop()
        sizes = [s.stop - s.start for s in box]
        if prod(n * step for n, step in zip(sizes, steps, strict=True)) <= MOST_PIXELS_AT_ONCE or max(sizes) == 1:
            yield box
            continue
        axis = next(n for n, size in enumerate(sizes) if size > 1)  # rows of pixels stay together, as they are stored
        middle = box[axis].start + sizes[axis] // 2
        halves = slice(middle, box[axis].stop), slice(box[axis].start, middle)
        pending += [(*box[:axis], half, *box[axis + 1 :]) for half in halves]


def _cells(level: LevelArray, at: Sequence[tuple[int, int]], steps: Sequence[float], *, mean: bool) -> NDArray[Any]:
    """Return cells, given by their first and the one after the last along each axis."""
    if any(step != round(step) for step in steps):
        mean = False
    firsts = [_firsts(span, step, n) for span, step, n in zip(at, steps, level.shape, strict=True)]
    reach = [ceil(step) if mean else 1 for step in steps]
    ends = [min(n, int(first[-1]) + r) for first, r, n in zip(firsts, reach, level.shape, strict=True)]
    region = level.read([slice(int(first[0]), end) for first, end in zip(firsts, ends, strict=True)])
    if not mean or max(steps) == 1:
        return region[np.ix_(*(first - first[0] for first in firsts))]
    return _means(region, [first - first[0] for first in firsts])


def _firsts(span: tuple[int, int], step: float, size: int) -> NDArray[np.intp]:
    """Return the first pixel of each cell; that of the last cell is within a level whose size was rounded down."""
    return np.minimum((np.arange(*span) * step).astype(np.intp), size - 1)


def _means(region: NDArray[Any], firsts: Sequence[NDArray[np.intp]]) -> NDArray[np.float32]:
    sums = region.astype(np.float32)
    counts: NDArray[Any] = np.ones((1,) * region.ndim, np.float32)
    for axis, first in enumerate(firsts):
        widths = np.diff(np.append(first, region.shape[axis]))
        if widths.max(initial=1) == 1:
            continue
        sums = np.add.reduceat(sums, first, axis)
        counts = counts * np.maximum(widths, 1).astype(np.float32).reshape([-1 if n == axis else 1 for n in range(region.ndim)])
    return np.asarray(sums / counts, np.float32)


def _as_shown(cells: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if cells.dtype.kind == "f" and dtype.kind != "f":
        cells = np.rint(cells)
    if cells.dtype.kind == "i" and dtype.kind == "u":  # such as -1, which is no object
        cells = np.maximum(cells, 0)
    found: NDArray[Any] = cells.astype(dtype, copy=False)
    return found
