"""Coarser levels of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...units import is_pixel_size

__all__ = ["Level", "halved", "plan_levels"]

COARSEST = 256
"""The last level has no more pixels than this along any spatial axis."""

SMALLEST_CHUNK = 64
"""Levels whose chunks would become smaller than this if each region wrote its own are made in a later pass."""


@attrs.frozen(kw_only=True)
class Level:
    """One resolution."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    factors: tuple[int, ...]
    """Pixels of the finest level per pixel of this one, by axis."""

    steps: tuple[int, ...]
    """Pixels of the previous level per pixel of this one, by axis: 1 or 2."""

    with_regions: bool
    """Whether a region of the finest level makes complete chunks of this one, so that it is written with the region."""


def plan_levels(
    shape: Sequence[int], chunks: Sequence[int], units: Sequence[int | None], spatial: Sequence[bool], pixel_sizes: Sequence[float]
) -> tuple[Level, ...]:
    """Return all levels, the finest first.

    An axis is halved at a level unless its pixels are larger than those of other axes, so that pixels become about as long along all axes.

    Args:
        shape: Shape of the finest level.
        chunks: Chunks of the finest level.
        units: Pixels of the finest level that a task writes at once, along axes that are cut; None along the others.
        spatial: Which axes are spatial.
        pixel_sizes: Size of a pixel along each axis; only their ratios matter, and a size that is not known (0, NaN) counts as 1.

    """
    known = [size if is_pixel_size(size) else 1.0 for size in pixel_sizes]
    levels = [Level(shape=tuple(shape), chunks=tuple(chunks), factors=(1,) * len(shape), steps=(1,) * len(shape), with_regions=True)]
    while any(s and n > COARSEST for n, s in zip(levels[-1].shape, spatial, strict=True)):
        last = levels[-1]
        sizes = [p * f for p, f in zip(known, last.factors, strict=True)]
        least = min(size for size, s, n in zip(sizes, spatial, last.shape, strict=True) if s and n > 1)
        # The smallest pixels always double, also where twice their size is no number any more: each level is smaller than the last.
        steps = tuple(
            2 if s and n > 1 and (size == least or size < 2 * least) else 1 for size, s, n in zip(sizes, spatial, last.shape, strict=True)
        )
        factors = tuple(f * step for f, step in zip(last.factors, steps, strict=True))
        smaller = tuple(-(-n // step) for n, step in zip(last.shape, steps, strict=True))
        fits = last.with_regions and all(
            unit is None or f == 1 or (unit % f == 0 and unit // f >= SMALLEST_CHUNK) for unit, f in zip(units, factors, strict=True)
        )
        own = tuple(
            min(n, chunk if unit is None or not fits else unit // f)
            for n, chunk, unit, f in zip(smaller, chunks, units, factors, strict=True)
        )
        levels.append(Level(shape=smaller, chunks=own, factors=factors, steps=steps, with_regions=fits))
    return tuple(levels)


def halved(array: NDArray[Any], steps: Sequence[int], *, nearest: bool) -> NDArray[Any]:
    """Return an array at half the resolution along some axes; the last cell along an axis may hold a single pixel.

    Args:
        array: Any number of axes.
        steps: 1 or 2 for each of them.
        nearest: Take the first pixel of each cell, as is right for labels; else the mean, in float64, rounded for integers.

    """
    if nearest:
        return array[tuple(slice(None, None, s) for s in steps)]
    mean: NDArray[Any] = array.astype(np.float64)
    for axis, step in enumerate(steps):
        if step == 1:
            continue
        pairs = mean.shape[axis] // 2
        before = (slice(None),) * axis
        result = (mean[(*before, slice(0, 2 * pairs, 2))] + mean[(*before, slice(1, 2 * pairs, 2))]) / 2
        if mean.shape[axis] % 2:
            result = np.concatenate([result, mean[(*before, slice(2 * pairs, None))]], axis)
        mean = result
    if array.dtype.kind in "iu":
        mean = np.rint(mean)
    return mean.astype(array.dtype)
