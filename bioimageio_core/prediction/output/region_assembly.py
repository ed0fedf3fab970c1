"""Assembles the cores of blocks into a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...blocks import AxisGrid
from ..planning.planned_tensors import PlannedOutput

__all__ = ["Assembly", "Placed", "placement"]

Placed: TypeAlias = "tuple[tuple[int, ...], NDArray[Any]]"
"""Start and content of a region of an output."""


def placement(output: PlannedOutput, grids: tuple[AxisGrid, ...], ranges: Sequence[range]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return ``(start, stop)`` of the part of an output that blocks compute; a stop of -1 where the network determines the size."""
    start, stop = [], []
    for size, tie in zip(output.shape, output.ties, strict=True):
        if tie is None:
            start.append(0)
            stop.append(size)
        else:
            grid, blocks = grids[tie.grid], ranges[tie.grid]
            start.append(output.place(grid, blocks[0], tie.tied)[0])
            stop.append(output.place(grid, blocks[-1], tie.tied)[1])
    return tuple(start), tuple(stop)


class Assembly:
    """Assembles the cores of blocks, so that a region is written at once.

    Args:
        output: The output.
        grids: The grids that blocks are numbered along.
        ranges: Blocks of the region along each grid.

    """

    def __init__(self, output: PlannedOutput, grids: tuple[AxisGrid, ...], ranges: Sequence[range]) -> None:
        self._output = output
        self._single = all(len(r) == 1 for r in ranges)
        self._start, self._stop = placement(output, grids, ranges)
        self._array: NDArray[Any] | None = None

    def put(self, start: Sequence[int], core: NDArray[Any]) -> None:
        """Add the core of a block.

        Args:
            start: Where the core starts, along the axes of the output.
            core: The core, along the axes of the tensor.

        """
        core = core.reshape((1,) * self._output.extra + core.shape)
        if self._single:
            self._array = core
            return
        if self._array is None:
            # Skipped blocks leave zeros.
            self._array = np.zeros([b - a for a, b in zip(self._start, self._stop, strict=True)], core.dtype)
        begin = [a - b for a, b in zip(start, self._start, strict=True)]
        self._array[tuple(slice(a, a + n) for a, n in zip(begin, core.shape, strict=True))] = core

    def finished(self) -> Placed | None:
        """Return start and content of the region; None if all its blocks were skipped."""
        return None if self._array is None else (self._start, self._array)
