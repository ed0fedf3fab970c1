"""Arrays as small pictures with a choice of slices and channels, and in words what of them is not shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ...typing import AxisId
from ..html.data_url import data_url
from ..html.panels import Legend, Panel, Panels
from ..pictures.array_planes import PlanePicture, ShownArray, plane_picture, slice_axis
from ..pictures.side_by_side import ramp

__all__ = ["plane_panels"]

MOST_SLICES = 16
"""Up to this many slices are all shown; of more, some that are evenly spaced."""

MOST_PICTURES = 24
"""Pictures of a fragment, which a notebook stores, where only some slices are shown."""

MOST_OF_ALL = 32
"""Pictures of a fragment, where all slices are shown."""

MOST_CHANNELS = 4
SIDE = 200
"""Pixels of the longer side of a picture on the screen; smaller ones are enlarged."""

SIDES = ((6, SIDE), (16, 144), (MOST_OF_ALL, 112))
"""Greatest number of pictures, and the pixels that each has."""

COLOURS_OF_LEGEND = 8

logger = logging.getLogger(__name__)


def plane_panels(arrays: Sequence[ShownArray]) -> Panels | None:
    """Return a panel for each array whose planes may be read; None where there is none, or an array cannot be read any more."""
    readable = [array for array in arrays if array.planes_to_read(1)]
    if not readable:
        return None
    axis = slice_axis(readable)
    length = max(array.source.size(axis) for array in readable) if axis else 1
    channels = [len(array.channels[:MOST_CHANNELS]) for array in readable]
    allowed = min(array.planes_to_read(MOST_SLICES * number) // number for array, number in zip(readable, channels, strict=True))
    most = MOST_OF_ALL if length * sum(channels) <= MOST_OF_ALL else MOST_PICTURES
    count = max(1, min(length, MOST_SLICES, most // sum(channels), allowed))
    slices = tuple(int((n + 0.5) * length / count) for n in range(count))
    side = next((side for most, side in SIDES if count * sum(channels) <= most), SIDES[-1][1])
    try:
        # Objects take little room, and blur when they are enlarged.
        panels = tuple(_panel(array, axis, slices, length, SIDE if array.source.nearest else side) for array in readable)
    except Exception as error:  # a result is shown without pictures where its pixels cannot be read any more
        logger.info("no pictures: %s", error)
        return None
    return Panels(panels=panels, axis=axis, slices=slices, length=length)


def _panel(array: ShownArray, axis: AxisId, slices: Sequence[int], length: int, side: int) -> Panel:
    size = array.source.size(axis) if axis else 1
    shown = array.channels[:MOST_CHANNELS]
    draw = plane_picture(array, side)
    pictures = {}
    order = sorted(range(len(slices) if size > 1 else 1), key=lambda n: abs(n - len(slices) // 2))  # the middle decides on the colours
    for number in order:
        position = int((slices[number] + 0.5) * size / length)
        for channel in range(len(shown)):
            pictures[number, channel] = data_url("image/png", draw({axis: position} if axis else {}, channel))
    height, width = array.size
    factor = SIDE / max(height, width)
    return Panel(
        title=" ".join(filter(None, [array.title, "(the middle)" if array.is_middle else ""])),
        pictures=pictures,
        channels=shown,
        width=max(8, round(width * factor)),
        height=max(8, round(height * factor)),
        smooth=not array.source.nearest and max(height, width) > side,
        notes=", ".join(_fixed(array, axis)),
        more_channels=len(array.channels) - len(shown),
        legend=_legend(draw),
    )


def _fixed(array: ShownArray, axis: AxisId) -> Iterator[str]:
    """Yield the axes of which one position is shown."""
    for name, size in zip(array.source.axes, array.source.shape, strict=True):
        if size > 1 and name not in ("y", "x", "channel", axis):
            yield f"{name} 0 of {size}"


def _legend(draw: PlanePicture) -> Legend | None:
    """Return which values the ends of the colours are; None for objects and colours of a camera, and where channels differ."""
    limits = set(draw.limits.values())
    if len(limits) != 1:
        return None
    colours, low, high = limits.pop()
    if colours not in ("ramp", "grey"):
        return None
    # The same brightening as that of pictures, so that a colour of the bar is the same value.
    shades = [int(255 * (n / (COLOURS_OF_LEGEND - 1)) ** 0.7) for n in range(COLOURS_OF_LEGEND)]
    evenly = [round(255 * n / (COLOURS_OF_LEGEND - 1)) for n in range(COLOURS_OF_LEGEND)]
    rgb = [ramp()[n].tolist() for n in evenly] if colours == "ramp" else [[n, n, n] for n in shades]
    return Legend(low=f"{low:.4g}", high=f"{high:.4g}", colours=tuple("#{:02x}{:02x}{:02x}".format(*colour) for colour in rgb))
