"""The implementation of ``seeded_watershed``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from skimage.segmentation import watershed

from bioimageio_core.registry import Measured
from bioimageio_core.typing import AxisId

from .conditions import Condition, read_conditions
from .foreground import components, fill_holes
from .maps import channel_of, label_items
from .needs import TRUNCATE

__all__ = ["SeededWatershedOp", "make_seeded_watershed"]

OP = "seeded_watershed"


@attrs.frozen(kw_only=True)
class SeededWatershedOp:
    """Labels of objects that grow from seeds, within the foreground, until they meet.

    What is too small is known when objects of all blocks are joined.
    """

    axes: tuple[AxisId, ...]
    channel: int
    threshold: float
    foreground_smoothing: float
    max_hole: int
    seeds: tuple[Condition, ...]
    flood: int
    """The channel that is flooded."""

    rising: bool
    """Whether it is flooded from low to high values."""

    smoothing: float

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[np.uint32]:
        """Return labels, 0 for background, with one channel where the tensor has channels.

        Raises:
            DescriptionError: The tensor lacks one of the channels.

        """
        return label_items(tensor, self.axes, self._label)

    def _label(self, maps: NDArray[Any]) -> NDArray[np.uint32]:
        foreground = smoothed(channel_of(maps, self.channel, OP, "channel"), self.foreground_smoothing)
        mask = fill_holes(foreground > self.threshold, self.max_hole, foreground.ndim)
        named = "seeds" if self.flood in {condition.channel for condition in self.seeds} else "flood"
        heights = smoothed(channel_of(maps, self.flood, OP, named), self.smoothing)
        mask &= ~np.isnan(heights)
        seeds = mask.copy()
        for condition in self.seeds:
            if condition.channel == self.flood:
                values = heights
            else:
                values = smoothed(channel_of(maps, condition.channel, OP, "seeds"), self.smoothing)
            seeds &= values < condition.threshold if condition.below else values > condition.threshold
        markers = components(seeds, seeds.ndim)
        labels: NDArray[Any] = watershed(heights if self.rising else -heights, markers, mask=mask)
        return labels.astype(np.uint32, copy=False)


def smoothed(values: NDArray[Any], sigma: float) -> NDArray[Any]:
    """Return values as float32, or float64 where they are, after a Gaussian of this standard deviation in pixels."""
    floats = values.astype(np.float64 if values.dtype == np.float64 else np.float32, copy=False)
    result: NDArray[Any] = gaussian_filter(floats, sigma, truncate=TRUNCATE) if sigma else floats
    return result


def make_seeded_watershed(kwargs: Any, axes: tuple[AxisId, ...]) -> SeededWatershedOp:
    """Make the op."""
    seeds = read_conditions(kwargs.seeds)
    flood = seeds[-1].channel if kwargs.flood is None else kwargs.flood
    low = next((condition.below for condition in reversed(seeds) if condition.channel == flood), True)
    return SeededWatershedOp(
        axes=axes,
        channel=kwargs.channel,
        threshold=kwargs.threshold,
        foreground_smoothing=kwargs.foreground_smoothing,
        max_hole=kwargs.max_hole,
        seeds=seeds,
        flood=flood,
        rising=low if kwargs.flood_from is None else kwargs.flood_from == "low",
        smoothing=kwargs.smoothing,
    )
