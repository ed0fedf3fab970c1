"""Star-convex shapes: which of them are objects, and their pixels, both as the package ``stardist`` computes them.

Points are positions in the image, of shape (n, axes); distances to the outline along each ray are of shape (n, rays), in pixels.
Both are sorted: the most probable shape is the first.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray
from stardist.geometry import dist_to_coord, polygons_to_label_coord, polyhedron_to_label
from stardist.nms import non_maximum_suppression_3d_inds, non_maximum_suppression_inds

__all__ = ["Polygons", "Polyhedra", "Shapes"]

MOST_VOXELS = 2**28
"""Voxels of the largest volume that is made to render objects where they lie in the image."""


class Shapes(Protocol):
    """Shapes in images of some number of axes."""

    def suppress(self, distances: NDArray[Any], points: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
        """Return which shapes stay, of shape (n,): those that overlap no more probable one that stays by more than `threshold`."""
        ...

    def render(self, distances: NDArray[Any], points: NDArray[Any], first: tuple[int, ...], size: tuple[int, ...]) -> NDArray[np.int32]:
        """Return the labels of the pixels from `first` on: 1 for the first shape, which lies above all others, and so forth."""
        ...


@attrs.frozen
class Polygons:
    """Shapes in the plane."""

    def suppress(self, distances: NDArray[Any], points: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
        """Return which polygons stay."""
        kept: NDArray[np.bool_] = non_maximum_suppression_inds(distances, points, scores=None, thresh=threshold, verbose=False)
        return kept

    def render(self, distances: NDArray[Any], points: NDArray[Any], first: tuple[int, ...], size: tuple[int, ...]) -> NDArray[np.int32]:
        """Return the labels of pixels; corners are rounded where they lie in the image, so that they are the same in all windows."""
        corners = dist_to_coord(distances, points) - np.array(first, np.float32)[:, np.newaxis]
        numbers = np.arange(len(points))
        labels: NDArray[np.int32] = polygons_to_label_coord(corners[::-1], shape=size, labels=numbers[::-1])
        return labels


@attrs.frozen(eq=False)
class Polyhedra:
    """Shapes in volumes."""

    rays: Any
    """Directions of the rays, as `stardist` has them."""

    overlap_label: int | None
    """Label of the pixels of more than one shape; None: that of the more probable one."""

    def suppress(self, distances: NDArray[Any], points: NDArray[Any], threshold: float) -> NDArray[np.bool_]:
        """Return which polyhedra stay."""
        kept: NDArray[np.bool_] = non_maximum_suppression_3d_inds(
            distances, points, rays=self.rays, scores=_ranks(points), thresh=threshold, verbose=False
        )
        return kept

    def render(self, distances: NDArray[Any], points: NDArray[Any], first: tuple[int, ...], size: tuple[int, ...]) -> NDArray[np.int32]:
        """Return the labels of voxels.

        Those exactly on a face belong to the shape or not by how its corners are rounded, which depends on where they lie in the volume.
        So that they are the same in all windows, the volume begins where the image does; it takes no memory outside the window.
        Where it would have more than 2^28 voxels it is the window alone.
        """
        begin = first if math.prod(a + b for a, b in zip(first, size, strict=True)) > MOST_VOXELS else (0,) * len(first)
        margin = tuple(a - b for a, b in zip(first, begin, strict=True))
        labels = polyhedron_to_label(
            distances,
            points - np.array(begin),
            rays=self.rays,
            shape=tuple(a + b for a, b in zip(margin, size, strict=True)),
            prob=_ranks(points),
            overlap_label=self.overlap_label,
            verbose=False,
        )
        window: NDArray[np.int32] = labels[tuple(slice(a, a + b) for a, b in zip(margin, size, strict=True))]
        return window.copy()


def _ranks(points: NDArray[Any]) -> NDArray[np.float32]:
    """Return a probability for each shape that keeps the order, also where shapes are equally probable."""
    return np.arange(len(points), 0, -1, dtype=np.float32)
