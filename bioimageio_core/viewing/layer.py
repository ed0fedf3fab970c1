"""What a viewer shows of one image or output, whichever viewer it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ..io.reading.image import PixelSize
from ..typing import AxisId, FrozenMapping
from .level_array import LevelArray

__all__ = ["RED_GREEN_BLUE", "Channel", "Colour", "Layer", "LayerKind", "as_hex"]

LayerKind: TypeAlias = Literal["image", "labels"]

Colour: TypeAlias = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


RED_GREEN_BLUE: tuple[Colour, ...] = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


def as_hex(colour: Colour) -> str:
    """Return a colour as in ``#ff8000``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


@attrs.frozen(kw_only=True)
class Channel:
    """How a channel of an image is shown."""

    name: str
    colour: Colour
    limits: tuple[float, float]
    """Values that are black and of full colour; the second is greater."""

    window: tuple[float, float]
    """Least and greatest value of the slider for `limits`."""


@attrs.frozen(kw_only=True, eq=False)
class Layer:
    """One image, map or image of labels at several resolutions, with all that a viewer needs to show it."""

    name: str
    kind: LayerKind
    levels: tuple[LevelArray, ...]
    """Lazily read arrays with the same axes, the finest first."""

    channels: tuple[Channel, ...] = ()
    """One for each position of the axis ``channel`` that is shown, or a single one for all; empty for labels."""

    colours: FrozenMapping[int, Colour] = FrozenMapping()
    """Colour of each label that has one; viewers choose those of all others."""

    table: Mapping[str, NDArray[Any]] | None = None
    """Columns of a table of the objects, with the column ``id``; None without one."""

    is_output: bool = False
    """Whether it is the output of a prediction, which is shown over the image."""

    @property
    def axes(self) -> tuple[AxisId, ...]:
        """Axes of all levels, in the order channel, others, time, z, y, x; those of size 1 are left out, but for y and x."""
        return self.levels[0].axes

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the finest level."""
        return self.levels[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the pixels."""
        return self.levels[0].dtype

    @property
    def pixel_size(self) -> FrozenMapping[AxisId, PixelSize]:
        """Size of a pixel of the finest level and the name of its unit, along axes of space and time where known."""
        return self.levels[0].image.pixel_size

    @property
    def position(self) -> FrozenMapping[AxisId, float]:
        """Position of the centre of the first pixel of the finest level, in the units of `pixel_size`, where known."""
        return self.levels[0].image.position

    @property
    def has_true_colours(self) -> bool:
        """Whether its first channels are red, green and blue of a picture, as they are to be seen."""
        return tuple(channel.colour for channel in self.channels) == RED_GREEN_BLUE and all(
            channel.limits == (0.0, 255.0) for channel in self.channels
        )

    def size(self, axis: AxisId) -> int:
        """Return the size of the finest level along an axis; 1 where there is none."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def factors(self, level: int) -> tuple[float, ...]:
        """Return how many pixels of the finest level one pixel of a level spans, along each axis."""
        return tuple(_factor(n, m) for n, m in zip(self.shape, self.levels[level].shape, strict=True))


def _factor(fine: int, coarse: int) -> float:
    """Return the ratio of two sizes; a whole number where one, rounded up or down, gives these sizes."""
    ratio = fine / coarse
    whole = round(ratio)
    for candidate in (whole, whole + 1, whole - 1):  # the last cell may be cut, or left out
        if candidate >= 1 and coarse in (-(-fine // candidate), fine // candidate):
            return float(candidate)
    return ratio
