"""Which grid cuts an axis of a tensor, and how the axis follows it."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ..typing import AxisId
from .grid import AxisGrid
from .groups import TiedAxis

__all__ = ["AxisTie", "tie_axes"]


@attrs.frozen
class AxisTie:
    """An axis of a tensor that an axis group cuts."""

    grid: int
    """Number of the group's grid among all grids."""

    tied: TiedAxis
    """Ratio, offset and halo of the axis, relative to the base axis of its group."""


def tie_axes(tensor: str, axes: Sequence[AxisId], grids: Sequence[AxisGrid], *, inputs: bool) -> tuple[AxisTie | None, ...]:
    """Return the tie of each axis of an input or output; None for an axis that no group cuts.

    Args:
        tensor: Id of the tensor.
        axes: Ids of its axes.
        grids: All grids.
        inputs: Whether the tensor is an input; else it is an output.

    """
    found: dict[AxisId, AxisTie] = {}
    for number, grid in enumerate(grids):
        for tied in grid.group.inputs if inputs else grid.group.outputs:
            if tied.tensor == tensor:
                found[tied.axis] = AxisTie(number, tied)
    return tuple(found.get(axis) for axis in axes)
