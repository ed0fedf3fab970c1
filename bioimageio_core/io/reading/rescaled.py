"""Images at another pixel size, resampled region by region."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...typing import AxisId, FrozenMapping
from .image import Image

__all__ = ["Resampler", "rescaled"]


@attrs.frozen(kw_only=True, eq=False)
class Resampler:
    """Reads an image resampled along some axes: linear interpolation, with a wider kernel where pixels get larger.

    Output pixel j lies at ``(j + 1/2) / factor - 1/2`` of the input, so that outer edges coincide.
    Its value is the mean of the input, weighted with a triangle of half-width ``max(1, 1 / factor)`` around that position;
    beyond the edges the outermost pixels are repeated. It depends on the image alone, however regions are cut.
    """

    image: Image
    factors: tuple[float, ...]
    shape: tuple[int, ...]

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region."""
        spans: list[slice] = []
        weights: list[NDArray[np.float32] | None] = []
        for part, factor, size, out in zip(index, self.factors, self.image.shape, self.shape, strict=True):
            if out == size and factor == 1:
                spans.append(part)
                weights.append(None)
            else:
                span, matrix = _weights(part, factor, size)
                spans.append(span)
                weights.append(matrix)
        region = self.image.read(tuple(spans)).astype(np.float32)
        for axis, weight in enumerate(weights):
            if weight is not None:
                region = np.moveaxis(np.tensordot(weight, region, axes=(1, axis)), 0, axis)
        return np.ascontiguousarray(region, dtype=np.float32)


def _weights(part: slice, factor: float, size: int) -> tuple[slice, NDArray[np.float32]]:
    """Return which input pixels make output pixels ``part``, and the weight of each input in each output, shape (outputs, inputs)."""
    centres = (np.arange(part.start, part.stop) + 0.5) / factor - 0.5
    reach = max(1.0, 1 / factor)
    low, high = floor(centres[0] - reach), ceil(centres[-1] + reach) + 1
    at = np.arange(low, high)
    weights = np.maximum(0, 1 - np.abs(at[None] - centres[:, None]) / reach)
    weights /= weights.sum(axis=1, keepdims=True)
    inside = np.clip(at, 0, size - 1)
    first, last = int(inside[0]), int(inside[-1])
    matrix = np.zeros((centres.size, last - first + 1))
    for column, pixel in enumerate(inside):
        matrix[:, pixel - first] += weights[:, column]
    return slice(first, last + 1), matrix.astype(np.float32)


def rescaled(image: Image, factors: Mapping[AxisId, float]) -> Image:
    """Return an image with more or fewer pixels along some axes, as float32; pixels are read only with its regions.

    Args:
        image: An image with known axes.
        factors: Output pixels per input pixel, by axis.

    """
    assert image.axes is not None
    by_axis = tuple(factors.get(a, 1.0) for a in image.axes)
    shape = tuple(n if f == 1 else max(1, round(n * f)) for n, f in zip(image.shape, by_axis, strict=True))
    sizes = {a: (size / factors.get(a, 1.0), unit) for a, (size, unit) in image.pixel_size.items()}
    # The centre of the first pixel moves, since its outer edge stays.
    position = {
        a: at + (1 / factors.get(a, 1.0) - 1) / 2 * image.pixel_size[a][0] for a, at in image.position.items() if a in image.pixel_size
    }
    chunks = image.chunks and tuple(max(1, round(c * f)) for c, f in zip(image.chunks, by_axis, strict=True))
    return attrs.evolve(
        image,
        shape=shape,
        dtype=np.dtype(np.float32),
        chunks=chunks,
        pixel_size=FrozenMapping(sizes),
        position=FrozenMapping(position),
        reader=Resampler(image=image, factors=by_axis, shape=shape),
        start=(),
        source_shape=(),
        picked=None,
    )
