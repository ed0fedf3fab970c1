"""Layers of napari as images for predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from bioimageio_core.axis_names import named_axes
from bioimageio_core.errors import InputError
from bioimageio_core.io import Image, open_image
from bioimageio_core.typing import FrozenMapping

__all__ = ["axes_of", "image_of_layer", "visible_region"]

BY_NUMBER: Mapping[int, tuple[str, ...]] = FrozenMapping({2: ("y", "x"), 3: ("z", "y", "x"), 4: ("time", "z", "y", "x")})
"""Axes of layers that do not name them, by their number."""

SIDE, DEPTH = 1024, 32
"""Pixels along y and x, and along z, of the region that a preview predicts at most."""


def axes_of(layer: Any) -> tuple[str, ...]:
    """Return the axes of a layer, without those of colours.

    Raises:
        InputError: It does not name them, and has a strange number of them.

    """
    named = named_axes(list(layer.axis_metadata)) or ()
    if {"y", "x"} <= set(named):
        return named
    if layer.ndim not in BY_NUMBER:
        raise InputError(
            f"layer {layer.name!r} has {layer.ndim} axes without names: give them, as in layer.axis_metadata = ('t', 'z', 'y', 'x')"
        )
    return BY_NUMBER[layer.ndim]


def image_of_layer(layer: Any) -> Image:
    """Return the image of a layer at its finest resolution, with its axes, scale and position; reads nothing.

    Raises:
        InputError: The layer is no image, or its axes are not known.

    """
    data = layer.data[0] if layer.multiscale else layer.data
    if type(layer).__name__ not in ("Image", "Labels"):
        raise InputError(f"layer {layer.name!r} is of the type {type(layer).__name__}: expected an image")
    axes = axes_of(layer)
    units = [None if str(unit) == "pixel" else str(unit) for unit in layer.units]
    sizes = {axis: (abs(float(size)), unit) for axis, size, unit in zip(axes, layer.scale, units, strict=True)}
    return attrs.evolve(
        open_image(data, axes=(*axes, "channel") if getattr(layer, "rgb", False) else axes),
        name=layer.name,
        pixel_size=FrozenMapping(sizes),
        position=FrozenMapping({axis: float(at) for axis, at in zip(axes, layer.translate, strict=True)}),
    )


def visible_region(layer: Any, image: Image, point: Sequence[float], model_axes: Sequence[str]) -> Image:
    """Return the part of the image of a layer that is seen, up to a size.

    Args:
        layer: The layer.
        image: Its image.
        point: Position of the viewer in the world.
        model_axes: Axes that the model has; of z, planes around the position are taken, and one position of any axis that it lacks.

    """
    corners = np.asarray(layer.corner_pixels, float)
    if layer.multiscale:
        corners = corners * np.asarray(layer.downsample_factors)[layer.data_level]
    at = np.asarray(layer.world_to_data(list(point)[-layer.ndim :]))
    region = []
    for number, size in enumerate(image.shape):
        axis = (image.axes or ())[number]
        if axis == "channel":
            region.append(slice(0, size))
        elif axis in ("y", "x"):
            region.append(
                _around((corners[0, number] + corners[1, number]) / 2, min(SIDE, corners[1, number] - corners[0, number] + 1), size)
            )
        else:
            region.append(_around(at[number], DEPTH if axis in model_axes else 1, size))
    return image.crop(tuple(region))


def _around(middle: float, length: float, size: int) -> slice:
    """Return a slice of a length around a position, within an axis."""
    length = int(min(max(1, length), size))
    start = int(min(max(0, round(middle - (length - 1) / 2)), size - length))
    return slice(start, start + length)
