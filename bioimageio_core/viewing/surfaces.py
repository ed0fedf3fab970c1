"""Labels of volumes from which neuroglancer makes the surfaces of objects that the user selects."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from .coarse_regions import coarse_region, shown_dtype
from .layer import Layer

__all__ = ["CoarseLabels", "labels_for_surfaces"]

MOST_PIXELS_OF_SURFACES = 2**24
"""Pixels of a level from which surfaces are made: it is read completely, once a surface is wanted."""


@attrs.frozen(kw_only=True, eq=False)
class CoarseLabels:
    """A level of labels with axes x, y, z, of which nothing is read until it is transposed, as neuroglancer does for surfaces."""

    layer: Layer
    level: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along x, y and z."""
        return self.layer.levels[self.level].shape[::-1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the labels."""
        return shown_dtype(self.layer.dtype, "labels")

    @property
    def factors(self) -> tuple[float, ...]:
        """Pixels of the finest level that a pixel spans along x, y and z."""
        return self.layer.factors(self.level)[::-1]

    def transpose(self) -> NDArray[Any]:
        """Return all pixels with axes z, y, x."""
        only = attrs.evolve(self.layer, levels=(self.layer.levels[self.level],))
        return coarse_region(only, (0, 0, 0), only.shape, (1, 1, 1))


def labels_for_surfaces(layer: Layer) -> CoarseLabels | None:
    """Return the finest level that is small enough for surfaces; None if there is none, or the layer is not labels of one volume."""
    if layer.kind != "labels" or layer.axes != ("z", "y", "x"):
        return None
    small = (n for n, level in enumerate(layer.levels) if np.prod(level.shape, dtype=float) <= MOST_PIXELS_OF_SURFACES)
    level = next(small, None)
    return None if level is None else CoarseLabels(layer=layer, level=level)
