"""Coarser levels with all planes of an image, for formats whose levels are coarser along y and x alone."""

from __future__ import annotations

from math import prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...io import ImageLayout, ImageLevel, ReadRegion
from ...io.writing.pyramid import COARSEST, halved

__all__ = ["with_planar_levels"]

BUDGET = 8 * 2**20
"""Bytes of the finer level that are read at once, unless what a row is made of has more."""


def with_planar_levels(image: ImageLayout, read: ReadRegion) -> tuple[ImageLayout, ReadRegion]:
    """Return an image all of whose levels have the planes of the finest one, and what reads them.

    Levels that are coarser along other axes are replaced: each is made from the last one before them while it is read, of means, or of
    the first pixels where the image is of integers, which may be ids. An image without coarser levels gets none.
    """
    kept = [level for level in image.levels if level.shape[:-2] == image.shape[:-2]]
    if len(kept) == len(image.levels):
        return image, read
    number, base = len(kept) - 1, kept[-1]
    levels = kept
    while max(levels[-1].shape[-2:]) > COARSEST:
        last = levels[-1]
        shape = (*last.shape[:-2], *(-(-n // 2) for n in last.shape[-2:]))
        levels.append(ImageLevel(shape=shape, chunks=(*last.chunks[:-2], *(max(1, c // 2) for c in last.chunks[-2:]))))

    def read_level(index: tuple[slice, ...], level: int) -> NDArray[Any]:
        times = level - number
        if times <= 0:
            return read(index, level)
        factor = 2**times
        *leading, rows, columns = index
        across = slice(columns.start * factor, min(columns.stop * factor, base.shape[-1]))
        row = prod(part.stop - part.start for part in (*leading, across)) * factor * image.dtype.itemsize
        step = max(1, BUDGET // row)
        bands = []
        for start in range(rows.start, rows.stop, step):
            stop = min(start + step, rows.stop)
            block = read((*leading, slice(start * factor, min(stop * factor, base.shape[-2])), across), number)
            for _ in range(times):
                block = halved(block, (1,) * len(leading) + (2, 2), nearest=image.dtype.kind in "iub")
            bands.append(block)
        return np.concatenate(bands, axis=-2)

    return attrs.evolve(image, levels=tuple(levels)), read_level
