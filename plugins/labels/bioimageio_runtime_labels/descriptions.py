"""The ops as descriptions have them; imports no numpy."""

from __future__ import annotations

from typing import Literal

import attrs

from bioimageio_core.spec.fields import NonBatchAxisId, in_range, matches
from bioimageio_core.spec.node import Node, node

from .conditions import CONDITIONS

__all__ = [
    "ArgmaxDescr",
    "ArgmaxKwargs",
    "ConnectedComponentsDescr",
    "ConnectedComponentsKwargs",
    "SeededWatershedDescr",
    "SeededWatershedKwargs",
]


@node
class ArgmaxKwargs(Node):
    """Arguments of `ArgmaxDescr`."""

    axis: NonBatchAxisId = "channel"
    """Axis of the scores, one position per class; the result has size 1 along it."""


@node
class ArgmaxDescr(Node):
    """The class of the largest score at each pixel, 0 for the first."""

    id: Literal["argmax"] = "argmax"
    kwargs: ArgmaxKwargs = ArgmaxKwargs()


@node
class ConnectedComponentsKwargs(Node):
    """Arguments of `ConnectedComponentsDescr`."""

    threshold: float = 0.5
    """Foreground is where the map is larger than this. NaN is background."""

    channel: int = attrs.field(default=0, validator=in_range(0))
    """Number of the channel that holds the map of the foreground, 0 for the first."""

    connectivity: int | None = attrs.field(default=None, validator=in_range(1, 3))
    """Which neighbours of a pixel touch it: 1 those at its faces, 2 also at its edges, 3 also at its corners. All by default."""

    min_size: int = attrs.field(default=0, validator=in_range(0))
    """Pixels of the smallest object that is kept."""

    max_hole: int = attrs.field(default=0, validator=in_range(0))
    """Pixels of the largest hole that is filled: background that foreground encloses, and that does not reach the edge of the image."""


@node
class ConnectedComponentsDescr(Node):
    """Label what is connected above a threshold: one object for each component."""

    id: Literal["connected_components"] = "connected_components"
    kwargs: ConnectedComponentsKwargs = ConnectedComponentsKwargs()


@node
class SeededWatershedKwargs(Node):
    """Arguments of `SeededWatershedDescr`."""

    channel: int = attrs.field(default=0, validator=in_range(0))
    """Number of the channel that holds the map of the foreground, 0 for the first."""

    threshold: float = 0.5
    """Foreground is where that map is larger than this. NaN is background."""

    foreground_smoothing: float = attrs.field(default=0.0, validator=in_range(0, 100))
    """Standard deviation in pixels of the Gaussian that smooths the map of the foreground first."""

    seeds: str = attrs.field(default="1 < 0.5", validator=matches(CONDITIONS, "conditions on channels such as '1 < 0.5 and 2 < 0.5'"))
    """Where the seeds of objects are: foreground where all these conditions hold, as in ``1 < 0.5 and 2 < 0.5``.

    Each compares the map of a channel, by its number, with a threshold. Seeds that touch, also at corners, are one seed."""

    smoothing: float = attrs.field(default=0.0, validator=in_range(0, 100))
    """Standard deviation in pixels of the Gaussian that smooths the maps of the seeds and the flooded map first."""

    flood: int | None = attrs.field(default=None, validator=in_range(0))
    """Number of the channel whose map is flooded from the seeds; objects meet at its ridges. That of the last condition by default."""

    flood_from: Literal["low", "high"] | None = None
    """Where the flooded map has its seeds: ``low`` as in maps of boundaries, ``high`` as in maps of distances to the boundary.

    By default ``low`` if a condition wants low values of that channel, or has none for it, and ``high`` if it wants high ones."""

    min_size: int = attrs.field(default=0, validator=in_range(0))
    """Pixels of the smallest object that is kept."""

    max_hole: int = attrs.field(default=0, validator=in_range(0))
    """Pixels of the largest hole that is filled: background that foreground encloses, and that does not reach the edge of the image."""


@node
class SeededWatershedDescr(Node):
    """Label objects that touch each other: each grows from its seed, within the foreground, to the ridges of a map."""

    id: Literal["seeded_watershed"] = "seeded_watershed"
    kwargs: SeededWatershedKwargs = SeededWatershedKwargs()
