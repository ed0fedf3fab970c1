"""Arrays as small pictures with a choice of slices and channels."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..html.data_url import data_url
from ..html.panels import Panel, Panels
from ..pictures.array_planes import ShownArray, plane_picture, slice_axis

__all__ = ["array_panels"]

MOST_SLICES = 9
MOST_PICTURES = 24
"""Pictures of a fragment, which a notebook stores."""

MOST_CHANNELS = 4
SIDE = 200
"""Pixels of the longer side of a picture on the screen; smaller ones are enlarged."""

SIDE_OF_MANY = 144
"""Pixels of a picture, where there are many of them."""

MANY = 6

logger = logging.getLogger(__name__)


def array_panels(arrays: Sequence[ShownArray]) -> Panels | None:
    """Return a panel for each array whose planes may be read; None where there is none, or an array cannot be read any more."""
    readable = [array for array in arrays if array.planes_to_read(1)]
    if not readable:
        return None
    axis = slice_axis(readable)
    length = max(array.source.size(axis) for array in readable) if axis else 1
    channels = [len(array.channels[:MOST_CHANNELS]) for array in readable]
    allowed = min(array.planes_to_read(MOST_SLICES * number) // number for array, number in zip(readable, channels, strict=True))
    count = max(1, min(length, MOST_SLICES, MOST_PICTURES // sum(channels), allowed))
    slices = tuple(int((n + 0.5) * length / count) for n in range(count))
    try:
        side = SIDE if count * sum(channels) <= MANY else SIDE_OF_MANY
        # Objects take little room, and blur when they are enlarged.
        panels = tuple(_panel(array, axis, slices, length, SIDE if array.source.nearest else side) for array in readable)
    except Exception as error:  # a result is shown without pictures where its pixels cannot be read any more
        logger.info("no pictures: %s", error)
        return None
    return Panels(panels=panels, axis=axis, slices=slices)


def _panel(array: ShownArray, axis: str, slices: Sequence[int], length: int, side: int) -> Panel:
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
    )
