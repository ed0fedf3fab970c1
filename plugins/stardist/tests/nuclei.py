"""What a network predicts of nuclei if it is right: probabilities and distances made from masks."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from bioimageio_runtime_stardist import bioimageio_processing_ops
from bioimageio_runtime_stardist.op import StardistOp
from numpy.typing import NDArray
from stardist import Rays_GoldenSpiral
from stardist.data import test_image_nuclei_2d, test_image_nuclei_3d
from stardist.geometry import star_dist, star_dist3D
from stardist.utils import edt_prob

from bioimageio_core.processing.descr_v0_5_objects import StardistPostprocessingKwargs2D, StardistPostprocessingKwargs3D

(ENTRY,) = bioimageio_processing_ops()
ANISOTROPY = (2.0, 1.0, 1.0)


@attrs.frozen(kw_only=True, eq=False)
class Nuclei:
    """A prediction at every pixel, and arguments of the op that suit it."""

    probability: NDArray[np.float32]
    """Shape ([z,] y, x); no value occurs twice, so that one order of the candidates is right."""

    distances: NDArray[np.float32]
    """Shape ([z,] y, x, rays)."""

    kwargs: dict[str, Any]

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes of `tensor`."""
        return ("batch", *"zyx"[-self.probability.ndim :], "channel")

    def tensor(self, grid: tuple[int, ...] | None = None) -> NDArray[np.float32]:
        """Return what the network gives, at every pixel or at those of a grid, of shape (1, [z,] y, x, channel)."""
        step = tuple(slice(None, None, pixels) for pixels in grid or (1,) * self.probability.ndim)
        return np.concatenate([self.probability[step][..., np.newaxis], self.distances[step]], axis=-1)[np.newaxis]

    def op(self, **changed: Any) -> StardistOp:
        """Return the op."""
        made = ENTRY.make(self.arguments(**changed), self.axes, None)
        assert isinstance(made, StardistOp)
        return made

    def arguments(self, **changed: Any) -> Any:
        """Return the arguments, some of them others."""
        cls = StardistPostprocessingKwargs2D if self.probability.ndim == 2 else StardistPostprocessingKwargs3D
        return cls(**{**self.kwargs, **changed})


def nuclei_2d(part: Any) -> Nuclei:
    """Return the nuclei of a part of the image."""
    mask = test_image_nuclei_2d(return_mask=True)[1][part]
    kwargs = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 32, "grid": (1, 1), "b": 2}
    return Nuclei(probability=without_ties(edt_prob(mask)), distances=star_dist(mask, 32), kwargs=kwargs)


def nuclei_3d(part: Any) -> Nuclei:
    """Return the nuclei of a part of the volume; few voxels are candidates, since suppression takes long."""
    mask = test_image_nuclei_3d(return_mask=True)[1][part]
    kwargs = {"prob_threshold": 0.85, "nms_threshold": 0.3, "n_rays": 24, "grid": (1, 1, 1), "b": 1, "anisotropy": ANISOTROPY}
    rays = Rays_GoldenSpiral(24, anisotropy=ANISOTROPY)
    return Nuclei(probability=without_ties(edt_prob(mask, anisotropy=ANISOTROPY)), distances=star_dist3D(mask, rays), kwargs=kwargs)


def without_ties(probability: NDArray[Any]) -> NDArray[np.float32]:
    """Return probabilities in the same order, none of them twice: those of masks are, and networks hardly give any twice."""
    ranks = np.argsort(np.argsort(probability, axis=None, kind="stable"), kind="stable").reshape(probability.shape)
    return (0.9 * probability + 0.05 * ranks / ranks.size).astype(np.float32)
