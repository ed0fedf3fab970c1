"""The implementation of ``connected_components``."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.registry import Measured
from bioimageio_core.typing import AxisId

from .foreground import components, fill_holes
from .maps import channel_of, label_items
from .needs import space_axes

__all__ = ["ConnectedComponentsOp", "make_connected_components"]

OP = "connected_components"


@attrs.frozen(kw_only=True)
class ConnectedComponentsOp:
    """Labels of what is connected above a threshold, however small: what is too small is known when objects of all blocks are joined."""

    axes: tuple[AxisId, ...]
    channel: int
    threshold: float
    connectivity: int
    max_hole: int

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[np.uint32]:
        """Return labels, 0 for background, with one channel where the tensor has channels.

        Raises:
            DescriptionError: The tensor has no such channel.

        """
        return label_items(tensor, self.axes, self._label)

    def _label(self, maps: NDArray[Any]) -> NDArray[np.uint32]:
        mask = channel_of(maps, self.channel, OP, "channel") > self.threshold
        return components(fill_holes(mask, self.max_hole, self.connectivity), self.connectivity)


def make_connected_components(kwargs: Any, axes: tuple[AxisId, ...]) -> ConnectedComponentsOp:
    """Make the op."""
    return ConnectedComponentsOp(
        axes=axes,
        channel=kwargs.channel,
        threshold=kwargs.threshold,
        connectivity=len(space_axes(OP, axes)) if kwargs.connectivity is None else kwargs.connectivity,
        max_hole=kwargs.max_hole,
    )
