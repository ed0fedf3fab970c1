"""Makes layers from opened images: axes, channels, colours and contrast."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence

import attrs

from ..axis_names import axis_of_name
from ..errors import AxesError, InputError, PredictionWarning
from ..io import Image
from ..typing import AxisId, FrozenMapping
from .contrast import value_ranges
from .layer import RED_GREEN_BLUE, Channel, Colour, Layer
from .level_array import LevelArray, level_array

__all__ = ["MOST_CHANNELS", "image_layer", "labels_layer", "shows_planes", "with_known_axes"]

MOST_CHANNELS = 8
"""Channels up to which each is shown in a colour of its own; of more, one is shown at a time."""

WHITE: Colour = (255, 255, 255)
PALETTE: tuple[Colour, ...] = ((0, 255, 0), (255, 0, 255), (0, 255, 255), (255, 255, 0), (255, 0, 0), (0, 0, 255), (255, 128, 0), WHITE)
"""Colours of channels that have none: nearly all people can tell the first two apart, which are white where they lie together."""

COLOUR_NAMES = ("red", "green", "blue")

GUESSES: Mapping[int, str] = FrozenMapping({2: "yx", 3: "zyx", 4: "czyx", 5: "tczyx"})
"""Axes of images that name none, by their number."""

WITH_CHANNELS_LAST: Mapping[int, str] = FrozenMapping({3: "yxc", 4: "zyxc", 5: "tzyxc"})
FEW = 4
"""Positions of an axis up to which it may be that of channels."""


def with_known_axes(image: Image, axes: str | Sequence[str] | None) -> Image:
    """Return an image with axes: its own, else those that are given, else a guess.

    Args:
        image: An open image.
        axes: Axes for images that name none; ignored where they do.

    Raises:
        AxesError: The axes are unknown or of the wrong number, nothing is known of an image of a strange number of axes,
            or y or x is missing.

    Warns:
        PredictionWarning: The axes are a guess.

    """
    if image.axes is None:
        image = image.with_axes(_guess(image) if axes is None else axes)
    image = _with_usual_names(image)
    missing = [axis for axis in ("y", "x") if axis not in (image.axes or ())]
    if missing:
        raise AxesError(
            f"{image.name} has the axes {', '.join(image.axes or ())}: a viewer shows planes, found no {' and no '.join(missing)}; "
            "name the axes with axes= (--axes) if the file does not"
        )
    return image


def shows_planes(axes: Iterable[AxisId]) -> bool:
    """Return whether axes have y and x, by whatever names."""
    return {"y", "x"} <= {axis_of_name(axis) for axis in axes}


def _with_usual_names(image: Image) -> Image:
    """Return an image whose axes have their usual names; models may name them ``height`` and ``width``."""
    own = {axis: axis_of_name(axis) for axis in image.axes or ()}
    if len(set(own.values())) < len(own) or all(axis == usual for axis, usual in own.items()):
        return image
    return attrs.evolve(
        image,
        axes=tuple(own.values()),
        pixel_size=FrozenMapping({own[axis]: size for axis, size in image.pixel_size.items()}),
        position=FrozenMapping({own[axis]: at for axis, at in image.position.items()}),
    )


def _guess(image: Image) -> str:
    """Return axes by their number, and channels where an axis is as short as they are: at the end, or before the planes."""
    shape = image.shape
    if len(shape) not in GUESSES:
        raise AxesError(f"{image.name} does not name its {len(shape)} axes: give axes= (--axes), as in 'zyx'")
    guess = GUESSES[len(shape)]
    if len(shape) > 2 and shape[-1] <= FEW < min(shape[-3:-1]):
        guess = WITH_CHANNELS_LAST[len(shape)]
    elif len(shape) == 3 and shape[0] <= FEW:
        guess = "cyx"
    warnings.warn(f"axes of {image.name} guessed: {guess} (give axes= (--axes) if that is wrong)", PredictionWarning, stacklevel=4)
    return guess


def image_layer(name: str, images: Sequence[Image], *, colours: Sequence[Colour | None] = (), is_output: bool = False) -> Layer:
    """Return an image as a layer; reads a sample of its pixels for the contrast.

    Args:
        name: Name of the layer.
        images: The image at all resolutions, the finest first, with known axes.
        colours: Colours of channels that the file names.
        is_output: See `Layer.is_output`. Values of an output that lie within 0 to 1 are shown from 0 to 1.

    Raises:
        SourceError: The pixels cannot be read.

    """
    levels = _levels(images)
    count = levels[0].shape[0] if levels[0].axes[0] == "channel" else 1
    shown = count if count <= MOST_CHANNELS else 1
    names = images[0].channel_names or ()
    names = names if len(names) == shown else tuple(map(str, range(shown)))
    true_colours = images[0].dtype == "uint8" and tuple(n.lower() for n in names[:3]) == COLOUR_NAMES
    if true_colours:
        ranges = (((0.0, 255.0), (0.0, 255.0)),) * shown
        chosen: Sequence[Colour | None] = RED_GREEN_BLUE
        shown = 3  # transparency is no colour
    else:
        ranges = value_ranges(levels, shown, from_zero_to_one=is_output)
        chosen = colours if len(colours) == shown else ()
    channels = []
    for number in range(shown):
        own = chosen[number] if number < len(chosen) else None
        colour = own or (WHITE if shown == 1 else PALETTE[number])
        limits, window = ranges[number]
        channels.append(Channel(name=names[number], colour=colour, limits=limits, window=window))
    return Layer(name=name, kind="image", levels=levels, channels=tuple(channels), is_output=is_output)


def labels_layer(name: str, images: Sequence[Image], *, colours: Mapping[int, Colour] = FrozenMapping(), is_output: bool = False) -> Layer:
    """Return labels as a layer.

    Args:
        name: Name of the layer.
        images: The labels at all resolutions, the finest first, with known axes.
        colours: Colours of labels that the file names.
        is_output: See `Layer.is_output`.

    Raises:
        InputError: The values are not integers.

    """
    if images[0].dtype.kind not in "bui":
        raise InputError(f"labels {name!r} are {images[0].dtype}: expected integers; view them as an image, or convert them")
    return Layer(name=name, kind="labels", levels=_levels(images), colours=FrozenMapping(colours), is_output=is_output)


def _levels(images: Sequence[Image]) -> tuple[LevelArray, ...]:
    """Return the levels that have the axes of the finest one; some formats end pyramids with levels of a single plane."""
    arrays = [level_array(image) for image in images]
    finest = arrays[0].axes
    found = [arrays[0]]
    for image, level in zip(images[1:], arrays[1:], strict=True):
        # An axis that has a single pixel there was left out.
        array = level if level.axes == finest else _with_axes(image, finest)
        if array is None or any(m > n for n, m in zip(found[-1].shape, array.shape, strict=True)):
            break
        found.append(array)
    return tuple(found)


def _with_axes(image: Image, axes: tuple[AxisId, ...]) -> LevelArray | None:
    """Return a level with these axes, of which some have a single pixel; None if it lacks one."""
    array = level_array(image)
    own = image.axes or ()
    if any(axis not in own for axis in axes) or any(axis not in axes for axis in array.axes):
        return None
    return attrs.evolve(array, axes=axes, numbers=tuple(own.index(axis) for axis in axes))
