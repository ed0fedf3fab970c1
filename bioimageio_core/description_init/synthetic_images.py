"""Synthetic images for test tensors: bright blobs on a dark, noisy background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..typing import AxisId

__all__ = ["blobs"]

SEED = 20
"""Seed of all images; the number of the tensor is added."""


def blobs(shape: Sequence[int], axes: Sequence[AxisId], dtype: str, *, number: int = 0) -> NDArray[Any]:
    """Return an image of blobs: floating point numbers from 0 to about 1, or integers from 0 to 200.

    Args:
        shape: Its shape.
        axes: Its axes; blobs are round along all axes except batch and channels.
        dtype: Name of its dtype.
        number: Number of the tensor; different numbers give different images.

    """
    random = np.random.default_rng(SEED + number)
    along = [n for n, a in enumerate(axes) if a not in ("batch", "channel")]
    items = [1 if n in along else size for n, size in enumerate(shape)]
    image = np.zeros(tuple(shape), np.float32)
    positions = np.ogrid[tuple(slice(0, shape[n]) for n in along)] if along else []
    for item in np.ndindex(*items):
        where = tuple(slice(None) if n in along else i for n, i in enumerate(item))
        plane = np.zeros([shape[n] for n in along], np.float32)
        for _ in range(_how_many([shape[n] for n in along])):
            radius = random.uniform(4, 10)
            centre = [random.uniform(0, shape[n]) for n in along]
            distance = sum(((p - c) / radius) ** 2 for p, c in zip(positions, centre, strict=True))
            plane = np.maximum(plane, random.uniform(0.4, 1) * np.exp(-np.asarray(distance, np.float32)))
        image[where] = plane + 0.1 + 0.02 * random.standard_normal(plane.shape, np.float32)
    if np.dtype(dtype).kind == "f":
        return image.astype(dtype)
    if np.dtype(dtype).kind == "b":
        return image > 0.5
    return np.clip(image * 150, 0, min(200, np.iinfo(dtype).max)).astype(dtype)


def _how_many(sizes: Sequence[int]) -> int:
    """Return a number of blobs that leaves space between them."""
    return int(np.clip(np.prod([size / 24 for size in sizes]), 1, 200))
