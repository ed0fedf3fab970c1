"""Regions of complete chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

__all__ = ["BUDGET", "regions"]

BUDGET = 32 * 2**20
"""Bytes of a region, unless one chunk has more."""


def regions(shape: Sequence[int], chunks: Sequence[int], itemsize: int) -> Iterator[tuple[slice, ...]]:
    """Yield regions that cover an array once, the last axis varying fastest.

    Each consists of complete chunks, as many as `BUDGET` holds: first along the last axis, then along those in front of it.

    Args:
        shape: Shape of the array.
        chunks: Shape of its chunks.
        itemsize: Bytes per element.

    """
    box = [min(c, n) for c, n in zip(chunks, shape, strict=True)]
    for axis in reversed(range(len(box))):
        fitting = BUDGET // max(1, prod(box) * itemsize)
        if fitting > 1:
            box[axis] = min(shape[axis], box[axis] * fitting)
        if box[axis] < shape[axis]:
            break
    for start in product(*(range(0, n, max(1, b)) for n, b in zip(shape, box, strict=True))):
        yield tuple(slice(a, min(a + b, n)) for a, b, n in zip(start, box, shape, strict=True))
