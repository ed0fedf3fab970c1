"""Coarser levels of layers whose own are too large to be shown completely; their pixels are computed where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from math import ceil
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..typing import AxisId
from .coarse_regions import coarse_region
from .layer import Layer
from .level_array import read_index

__all__ = ["CoarseLevel", "coarse_levels"]

LARGEST = 2_048
"""Pixels along y and x of a level that needs no coarser one: viewers hold all of the coarsest level in memory."""

SPAN = 1_024
"""Pixels of the finest level along y and x that a chunk spans at least."""


@attrs.frozen(kw_only=True, eq=False)
class CoarseLevel:
    """A layer at a coarser resolution along y and x; dask indexes it like numpy."""

    layer: Layer
    factors: tuple[int, ...]
    """Pixels of the finest level that a pixel spans, along each axis of the layer."""

    @property
    def axes(self) -> tuple[AxisId, ...]:
        """Axes of the layer."""
        return self.layer.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis of the layer."""
        return tuple(ceil(n / f) for n, f in zip(self.layer.shape, self.factors, strict=True))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.factors)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the layer."""
        return self.layer.dtype

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of the parts to read: they span chunks of the finest level, and a bounded number of its pixels."""
        stored = self.layer.levels[0].chunks or (1,) * self.ndim
        return tuple(
            max(1, min(size, -(-SPAN // chunk) * chunk // factor)) if axis in ("y", "x") else 1
            for axis, size, chunk, factor in zip(self.axes, self.shape, stored, self.factors, strict=True)
        )

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Return a region; the index has a slice of step 1, or a number, for each axis."""
        return read_index(self.read, index, self.ndim)

    def read(self, box: Sequence[slice]) -> NDArray[Any]:
        """Return a region with a slice of step 1 along each axis of the layer."""
        spans = [one.indices(n)[:2] for one, n in zip(box, self.shape, strict=True)]
        return coarse_region(self.layer, [start for start, _ in spans], [stop for _, stop in spans], self.factors).astype(self.dtype)


def coarse_levels(layer: Layer) -> Iterator[CoarseLevel]:
    """Yield levels that are coarser than those of the layer, each half of the one before, until one is small enough."""
    last = layer.factors(len(layer.levels) - 1)
    for power in count():
        coarser = tuple(2**power if axis in ("y", "x") else 1 for axis in layer.axes)
        level = CoarseLevel(layer=layer, factors=tuple(round(own) * more for own, more in zip(last, coarser, strict=True)))
        if power:
            yield level
        if all(level.shape[layer.axes.index(axis)] <= LARGEST for axis in ("y", "x")):
            return
