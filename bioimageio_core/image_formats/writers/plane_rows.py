"""Planes of an image in the order in which a file holds them, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...io import ImageLayout, ReadRegion

__all__ = ["BUDGET", "plane_rows", "read_ahead"]

BUDGET = 64 * 2**20
"""Bytes of several planes that are read at once."""

BAND = 8 * 2**20
"""Bytes of rows that are read at once of larger planes, unless the rows of one chunk, or those that are asked for, are more."""


def plane_rows(image: ImageLayout, read: ReadRegion, level: int, rows: int) -> Iterator[NDArray[Any]]:
    """Yield all planes, the axis in front of y varying fastest, as bands of rows; each pixel is read once.

    Where chunks hold several planes, these are read at once if they fit into `BUDGET`; else bands of one plane are read.

    Args:
        image: With y and x as its last axes.
        read: Reads its regions.
        level: Which level.
        rows: Height of the bands; the last one of a plane may be lower.

    Yields:
        Arrays with axes y, x.

    """
    height = image.levels[level].shape[-2]
    held: list[NDArray[Any]] = []
    count, done = 0, 0
    for piece in _pieces(image, read, level, rows):
        rest = piece
        while len(rest):
            wanted = min(rows, height - done)
            held.append(rest[: wanted - count])
            rest = rest[wanted - count :]
            count += len(held[-1])
            if count == wanted:
                yield held[0] if len(held) == 1 else np.concatenate(held)
                done = (done + count) % height
                held, count = [], 0


def read_ahead(read: ReadRegion, level: int, parts: Iterable[tuple[slice, ...]]) -> Iterator[NDArray[Any]]:
    """Yield regions of a level, and read the next one meanwhile."""
    with ThreadPoolExecutor(1, thread_name_prefix="bmz-read-ahead") as pool:
        waiting: Future[NDArray[Any]] | None = None
        for part in parts:
            following = pool.submit(read, part, level)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def _pieces(image: ImageLayout, read: ReadRegion, level: int, rows: int) -> Iterator[NDArray[Any]]:
    """Yield rows of planes as they are read: complete planes, or bands of one plane after another."""
    shape = image.levels[level].shape
    box, step = _read_at_once(shape, image.levels[level].chunks, image.dtype.itemsize, rows)
    starts = product(*(range(0, n, b) for n, b in zip(shape[:-2], box, strict=True)), range(0, shape[-2], step))
    sizes = (*box, step, shape[-1])
    parts = (tuple(slice(a, min(a + b, n)) for a, b, n in zip((*start, 0), sizes, shape, strict=True)) for start in starts)
    for block in read_ahead(read, level, parts):
        yield from block.reshape(-1, *block.shape[-2:])


def _read_at_once(shape: tuple[int, ...], chunks: tuple[int, ...], itemsize: int, rows: int) -> tuple[tuple[int, ...], int]:
    """Return how many positions of the axes in front of y, and how many rows, are read at once."""
    leading = len(shape) - 2
    chunks = tuple(min(c, n) for c, n in zip(chunks, shape, strict=True))
    for axis in range(leading):
        inner = prod(shape[axis + 1 :]) * itemsize
        if chunks[axis] * inner <= BUDGET:
            count = min(shape[axis], BUDGET // (chunks[axis] * inner) * chunks[axis])
            if count * prod(shape[axis + 1 : -2]) > 1:
                return (*(1,) * axis, count, *shape[axis + 1 : -2]), shape[-2]
    row = shape[-1] * itemsize
    step = max(1, rows // chunks[-2], BAND // (chunks[-2] * row)) * chunks[-2]
    if step > rows and step * row > BUDGET:
        step = rows
    return (1,) * leading, step
