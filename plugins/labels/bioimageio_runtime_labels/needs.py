"""What the ops need, and their arguments checked against the axes of a tensor; imports no numpy.

Functions raise `DescriptionError` where arguments do not fit the axes.
"""

from __future__ import annotations

import math
from typing import Any

from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Needs, Objects, ShapeChange
from bioimageio_core.typing import AxisId

from .conditions import read_conditions

__all__ = ["CLASSES", "TRUNCATE", "argmax_needs", "components_needs", "space_axes", "watershed_needs"]

CLASSES = "uint16"
"""The dtype of classes: their number is not known while planning, and 256, which uint8 holds, are too few for some models."""

LABELS = "uint32"

TRUNCATE = 4.0
"""Standard deviations at which a Gaussian ends; the default of scipy."""

NO_SPACE = ("batch", "channel", "time", "index")
"""Axes that are not axes of space."""


def argmax_needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return that the op sees all scores of a pixel and returns one class."""
    if kwargs.axis not in axes:
        raise DescriptionError(f"argmax: expected axis to be one of the tensor's axes {', '.join(axes)}, found {kwargs.axis!r}")
    return Needs(whole_axes=(kwargs.axis,), shape=ShapeChange(axes=axes, sizes={kwargs.axis: 1}), dtype=CLASSES)


def components_needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return that components which touch across blocks are one object."""
    op = "connected_components"
    space = space_axes(op, axes)
    _check_channel(op, "channel", kwargs.channel, axes)
    if kwargs.connectivity is not None and kwargs.connectivity > len(space):
        raise DescriptionError(
            f"{op}: expected connectivity of at most {len(space)}, for axes of space {', '.join(space)}, found {kwargs.connectivity}"
        )
    return Needs(
        objects=Objects(join="touch", least_pixels=kwargs.min_size),
        shape=_one_channel(axes),
        halo=dict.fromkeys(space, kwargs.max_hole),
        least=_least(kwargs.channel),
        dtype=LABELS,
    )


def watershed_needs(kwargs: Any, axes: tuple[AxisId, ...]) -> Needs:
    """Return that the parts of an object which blocks see are one where they overlap; how large objects are is not known."""
    op = "seeded_watershed"
    space = space_axes(op, axes)
    _check_channel(op, "channel", kwargs.channel, axes)
    for condition in read_conditions(kwargs.seeds):
        _check_channel(op, "seeds", condition.channel, axes)
    if kwargs.flood is not None:
        _check_channel(op, "flood", kwargs.flood, axes)
    halo = max(_radius(kwargs.foreground_smoothing) + kwargs.max_hole, _radius(kwargs.smoothing))
    return Needs(
        objects=Objects(join="overlap", overlap=0.5, least_pixels=kwargs.min_size),
        shape=_one_channel(axes),
        halo=dict.fromkeys(space, halo),
        least=_least(kwargs.channel, *(condition.channel for condition in read_conditions(kwargs.seeds)), kwargs.flood or 0),
        dtype=LABELS,
    )


def space_axes(op: str, axes: tuple[AxisId, ...]) -> tuple[AxisId, ...]:
    """Return the axes of space of a tensor: two or three, with no others beside batch and channel."""
    space = tuple(axis for axis in axes if axis not in NO_SPACE)
    others = [axis for axis in axes if axis not in (*space, "batch", "channel")]
    if others or not 2 <= len(space) <= 3:
        raise DescriptionError(f"{op}: expected a tensor with 2 or 3 axes of space beside batch and channel, found axes {', '.join(axes)}")
    return space


def _check_channel(op: str, name: str, channel: int, axes: tuple[AxisId, ...]) -> None:
    if channel and "channel" not in axes:
        raise DescriptionError(
            f"{op}: expected {name} to name channel 0, since the tensor (axes {', '.join(axes)}) has no channel axis, found {channel}"
        )


def _least(*channels: int) -> dict[AxisId, int]:
    """Return the channels that a tensor must have, for those that are read; any tensor has the first."""
    return {"channel": 1 + max(channels)} if max(channels) else {}


def _one_channel(axes: tuple[AxisId, ...]) -> ShapeChange | None:
    return ShapeChange(axes=axes, sizes={"channel": 1}) if "channel" in axes else None


def _radius(sigma: float) -> int:
    """Return the pixels that a Gaussian sees on either side."""
    return math.ceil(TRUNCATE * sigma)
