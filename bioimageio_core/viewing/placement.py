"""Where the pixels of layers lie: sizes and positions in the units of the first layer that names them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..typing import AxisId, FrozenMapping
from ..units import conversion
from .layer import Layer

__all__ = ["PlacedAxis", "Space", "space_of"]


@attrs.frozen(kw_only=True)
class PlacedAxis:
    """An axis of a layer in the space of all layers."""

    size: float
    """Size of a pixel, in `unit`."""

    unit: str | None
    """Name of the unit; None where no layer knows it."""

    position: float
    """Position of the centre of the first pixel, in `unit`."""


@attrs.frozen(kw_only=True)
class Space:
    """The space that all layers share.

    A layer of which no pixel size is known has that of the first layer that knows it, and begins where that does.
    """

    axes: FrozenMapping[AxisId, PlacedAxis]
    """For each axis the pixels that positions are counted in: those of the first layer that knows their size."""

    def place(self, layer: Layer, axis: AxisId) -> PlacedAxis:
        """Return where the pixels of a layer lie along an axis; of one that it lacks, those of the first layer."""
        first = self.axes.get(axis, PlacedAxis(size=1.0, unit=None, position=0.0))
        if axis not in layer.pixel_size:
            return first
        size, unit = layer.pixel_size[axis]
        factor = conversion(unit, first.unit) or 1.0
        return PlacedAxis(size=size * factor, unit=first.unit, position=layer.position.get(axis, 0.0) * factor)


def space_of(layers: Sequence[Layer]) -> Space:
    """Return the space of layers; an axis whose unit only a later layer knows has the pixels of that layer."""
    found: dict[AxisId, PlacedAxis] = {}
    for layer in layers:
        for axis, (size, unit) in layer.pixel_size.items():
            if axis not in found or (found[axis].unit is None and unit is not None):
                found[axis] = PlacedAxis(size=size, unit=unit, position=layer.position.get(axis, 0.0))
    return Space(axes=FrozenMapping(found))
