"""The orientations in which slices of a volume lie: pure geometry of axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from bioimageio_core.typing import AxisId, FrozenMapping

from . import Plane

__all__ = ["PLANE", "SLICED", "Orientation", "halo_of_volume", "orientations_of"]

PLANE: tuple[AxisId, ...] = ("y", "x")
"""The axes of the network's planes."""

SLICED: AxisId = "z"
"""The axis that volumes have and the network lacks."""


@attrs.frozen(kw_only=True)
class Orientation:
    """How slices lie in a volume."""

    sliced: AxisId
    """The axis that slices follow each other along."""

    takes: Mapping[AxisId, AxisId]
    """Which axis of the volume stands for each axis of the network's planes."""

    def order(self, axes: Sequence[AxisId], of_volume: Sequence[AxisId]) -> tuple[int, ...]:
        """Return how to transpose a volume to slices: the sliced axis first, then the axes of the network.

        Args:
            axes: Axes of a tensor of the network.
            of_volume: Axes of the same tensor of a volume.

        """
        return (of_volume.index(self.sliced), *(of_volume.index(self.takes.get(a, a)) for a in axes))


def orientations_of(planes: Iterable[Plane]) -> tuple[Orientation, ...]:
    """Return the orientations by the axes of their planes."""
    found = []
    for plane in planes:
        (sliced,) = {SLICED, *PLANE} - set(plane)
        found.append(Orientation(sliced=sliced, takes=FrozenMapping(dict(zip(PLANE, plane, strict=True)))))
    return tuple(found)


def halo_of_volume(halo: Mapping[AxisId, int], orientations: Iterable[Orientation]) -> FrozenMapping[AxisId, int]:
    """Return the halo along each axis of a volume: the greatest of those axes of the network that it stands for.

    Args:
        halo: Halo of the network by axis; where it is missing, none is known.
        orientations: The orientations.

    Returns:
        The halo where it is known; 0 along z if slices lie at each z alone, and so do not depend on each other.

    """
    found, taken_by = dict(halo), [pair for orientation in orientations for pair in orientation.takes.items()]
    for axis, taken in taken_by:
        if axis in halo:
            found[taken] = max(found.get(taken, 0), halo[axis])
    return FrozenMapping(found if SLICED in {taken for _, taken in taken_by} else {**found, SLICED: 0})
