"""Writes ``.npy`` files."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import attrs
import numpy as np
from numpy.typing import NDArray

from ...io import ImageLayout, ReadRegion
from .plane_rows import read_ahead
from .regions import regions

__all__ = ["NpyWriter"]


@attrs.frozen
class NpyWriter:
    """Writes arrays of numpy, which have any axes and dtype, and no metadata."""

    def check(self, image: ImageLayout) -> None:
        """Accept any image."""

    def write(self, image: ImageLayout, read: ReadRegion, path: Path) -> None:
        """Write an image, a region at a time.

        The file is written and not mapped, since a full disk ends a process that writes to a mapped file.
        """
        level = image.levels[0]
        header = {"descr": np.lib.format.dtype_to_descr(image.dtype), "fortran_order": False, "shape": level.shape}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            start = file.tell()
            parts = list(regions(level.shape, level.chunks, image.dtype.itemsize))
            for part, block in zip(parts, read_ahead(read, 0, parts), strict=True):
                _write_region(file, start, level.shape, part, np.asarray(block, image.dtype, order="C"))


def _write_region(file: BinaryIO, start: int, shape: tuple[int, ...], part: tuple[slice, ...], block: NDArray[Any]) -> None:
    """Write a region: one run of bytes for each position along the axes in front of the last one that is cut."""
    cut = max((axis for axis, (size, n) in enumerate(zip(shape, block.shape, strict=True)) if n != size), default=0)
    strides = [prod(shape[axis + 1 :]) * block.itemsize for axis in range(len(shape))]
    corner = sum(p.start * stride for p, stride in zip(part, strides, strict=True))
    for position in np.ndindex(block.shape[:cut]):
        file.seek(start + corner + sum(n * stride for n, stride in zip(position, strides[:cut], strict=True)))
        file.write(np.atleast_1d(block[position]).data)
