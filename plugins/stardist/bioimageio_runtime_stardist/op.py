"""The implementation of ``stardist_postprocessing``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from stardist.rays3d import Rays_GoldenSpiral

from bioimageio_core.errors import ModelRunError
from bioimageio_core.registry import Beyond, Measured
from bioimageio_core.typing import AxisId, FrozenMapping

from . import OP, space_axes
from .shapes import Polygons, Polyhedra, Shapes

__all__ = ["StardistOp", "make_stardist_postprocessing"]

LEAST_DISTANCE = 1e-3
"""Distances are at least that, as in StarDist's own prediction: polyhedra need distances above 0."""


@attrs.frozen(kw_only=True, eq=False)
class StardistOp:
    """Non-maximum suppression of star-convex shapes, rendered as labels; each item of the batch by itself."""

    axes: tuple[AxisId, ...]
    space: tuple[AxisId, ...]
    shapes: Shapes
    n_rays: int
    prob_threshold: float
    nms_threshold: float
    grid: tuple[int, ...]
    border: tuple[tuple[int, int], ...]
    """Pixels of the tensor without centres at its edges, along each axis of space."""

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[np.int32]:
        """Return the labels of a complete tensor, of shape (batch, [z,] y, x, channel=1)."""
        return self.label(tensor, measured, FrozenMapping())

    def label(self, tensor: NDArray[Any], measured: Measured, beyond: Beyond) -> NDArray[np.int32]:
        """Return the labels of a window, of shape (batch, [z,] y, x, channel=1).

        Raises:
            ModelRunError: The channels are not one for the probability and one for each ray.

        """
        prediction = np.transpose(tensor, [self.axes.index(axis) for axis in ("batch", *self.space, "channel")])
        if prediction.shape[-1] != self.n_rays + 1:
            raise ModelRunError(
                f"{OP}: expected {self.n_rays + 1} channels, a probability and n_rays={self.n_rays} distances, found {prediction.shape[-1]}"
            )
        sides = [beyond.get(axis, (0, 0)) for axis in self.space]
        items = [self._label_item(item, sides) for item in prediction]
        count = 0
        for item in items:  # no label is in two of them
            item[item > 0] += count
            count = max(count, int(item.max(initial=0)))
        return np.stack(items)[..., np.newaxis]

    def _label_item(self, prediction: NDArray[Any], sides: list[tuple[int, int]]) -> NDArray[np.int32]:
        """Return the labels of an item of the batch, of shape ([z,] y, x)."""
        probability, distances = prediction[..., 0], prediction[..., 1:]
        grid, before = np.array(self.grid), np.array([low for low, _ in sides])
        size = tuple(int(n) for n in grid * probability.shape)
        centres = self._centres(probability, sides)
        if len(centres) == 0:
            return np.zeros(size, np.int32)
        longest = sum(int(n) for n in grid * (np.sum(sides, axis=1) + probability.shape))  # longer rays leave the image
        rays = np.clip(np.nan_to_num(distances[tuple(centres.T)]), LEAST_DISTANCE, longest)
        points = (centres + before) * grid
        kept = self.shapes.suppress(rays, points, self.nms_threshold)
        return self.shapes.render(rays[kept], points[kept], tuple(int(n) for n in before * grid), size)

    def _centres(self, probability: NDArray[Any], sides: list[tuple[int, int]]) -> NDArray[np.intp]:
        """Return the pixels that may be centres, of shape (n, axes), the most probable first.

        Of equally probable ones, the last in the tensor is the first, in whatever window.
        """
        inner = tuple(
            slice(max(0, low - before), max(0, n - max(0, high - after)))
            for n, (low, high), (before, after) in zip(probability.shape, self.border, sides, strict=True)
        )
        candidates = np.zeros(probability.shape, np.bool_)
        candidates[inner] = probability[inner] > self.prob_threshold
        order = np.argsort(probability[candidates], kind="stable")[::-1]
        return np.argwhere(candidates)[order]


def make_stardist_postprocessing(kwargs: Any, axes: tuple[AxisId, ...]) -> StardistOp:
    """Make the op."""
    space = space_axes(kwargs, axes)
    if len(space) == 2:
        shapes: Shapes = Polygons()
    else:
        shapes = Polyhedra(Rays_GoldenSpiral(kwargs.n_rays, anisotropy=kwargs.anisotropy), kwargs.overlap_label)
    return StardistOp(
        axes=axes,
        space=space,
        shapes=shapes,
        n_rays=kwargs.n_rays,
        prob_threshold=kwargs.prob_threshold,
        nms_threshold=kwargs.nms_threshold,
        grid=kwargs.grid,
        border=((kwargs.b, kwargs.b),) * len(space) if isinstance(kwargs.b, int) else kwargs.b,
    )
