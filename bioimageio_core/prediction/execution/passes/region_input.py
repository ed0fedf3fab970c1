"""Reads the part of an input that a region needs, and preprocesses it once for all of its blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from itertools import product
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ....blocks import AxisGrid, Window, window
from ...data.tensor_view import BoundStep
from ...data.whole_tensors import PaddedSource
from ...planning.planned_tensors import PlannedInput

__all__ = ["RegionInput", "Timed", "read_region", "region_windows"]

NO_AXIS = Window(0, 1, (), (0, 1), ())
"""The window along an axis that no grid covers."""

Timed: TypeAlias = Callable[[str], "AbstractContextManager[None]"]
"""A context manager that adds the time of a ``with`` block to a stage."""


@attrs.frozen(kw_only=True, eq=False)
class RegionInput:
    """The padded and preprocessed part of an input that the blocks of one region read."""

    planned: PlannedInput
    grids: tuple[AxisGrid, ...]
    ranges: tuple[range, ...]
    """Blocks of the region along each grid."""

    items: Mapping[tuple[int, ...], NDArray[Any]]
    """The padded, preprocessed region along the axes of the tensor, by position along extra axes, counted from the start of the region."""

    nan_count: int = 0
    """Number of NaN among the pixels that this region alone computes, without padding and overlap, before preprocessing."""

    raw: NDArray[Any] | None = None
    """The padded region before preprocessing, along extra axes and those of the tensor; None if it is not needed."""

    def block(self, block: Sequence[int]) -> NDArray[Any]:
        """Return the input of one block, given by its number along each grid, along the axes of the tensor."""
        item, index = self._within(block)
        return self.items[item][index]

    def is_empty(self, block: Sequence[int]) -> bool:
        """Return whether the input of one block is all 0 before preprocessing."""
        assert self.raw is not None
        item, index = self._within(block)
        return not self.raw[item][index].any()

    @cached_property
    def _begins(self) -> tuple[int, ...]:
        """First pixel of the padded region along each axis."""
        return tuple(
            0 if tie is None else self.grids[tie.grid].span_window(self.ranges[tie.grid], tie.tied)[0] for tie in self.planned.ties
        )

    def _within(self, block: Sequence[int]) -> tuple[tuple[int, ...], tuple[slice, ...]]:
        """Return the position of a block along extra axes, and its region along the axes of the tensor."""
        bound = self.planned.bound
        extra = len(bound.axes) - len(bound.tensor.axes)
        item: list[int] = []
        index: list[slice] = []
        for n, tie in enumerate(self.planned.ties):
            begin, size = 0, None
            if tie is not None:
                grid = self.grids[tie.grid]
                start, size = grid.input_window(block[tie.grid], tie.tied)
                begin = start - self._begins[n]
            if n < extra:
                item.append(begin)
            else:
                index.append(slice(begin, None if size is None else begin + size))
        return tuple(item), tuple(index)


def read_region(
    planned: PlannedInput,
    grids: tuple[AxisGrid, ...],
    ranges: tuple[range, ...],
    source: PaddedSource,
    steps: Sequence[BoundStep],
    timed: Timed,
    *,
    keep_raw: bool = False,
) -> RegionInput:
    """Read and preprocess the part of an input that the blocks of a region need.

    Args:
        planned: The input.
        grids: All grids of the plan.
        ranges: Blocks of the region along each grid.
        source: The source of the input.
        steps: Steps of preprocessing.
        timed: Times reading and preprocessing.
        keep_raw: Whether to keep the region before preprocessing, to find empty blocks.

    """
    windows = region_windows(planned, grids, ranges)
    with timed("read"):
        region = source.read_padded(windows)
        nan_count = 0
        if region.dtype.kind == "f":
            nan_count = int(np.isnan(region[_own_part(planned, grids, ranges, windows)]).sum())
    extra = len(windows) - len(planned.bound.tensor.axes)
    items = {}
    with timed("preprocess"):
        for at in product(*(range(n) for n in region.shape[:extra])):
            item = region[at]
            seen = [_position(w.start + i) for i, w in zip(at, windows[:extra], strict=True)] + windows[extra:]
            for step in steps:
                item = step.apply(item, seen)
            items[at] = item
    return RegionInput(planned=planned, grids=grids, ranges=ranges, items=items, nan_count=nan_count, raw=region if keep_raw else None)


def region_windows(planned: PlannedInput, grids: tuple[AxisGrid, ...], ranges: tuple[range, ...]) -> list[Window]:
    """Return the windows that the blocks of a region read of an input along each axis, padding included."""
    return [
        NO_AXIS if tie is None else window(*grids[tie.grid].span_window(ranges[tie.grid], tie.tied), size, planned.bound.tensor.pad_mode)
        for tie, size in zip(planned.ties, planned.bound.shape, strict=True)
    ]


def _position(at: int) -> Window:
    return Window(at, at + 1, (), (0, 1), ())


def _own_part(
    planned: PlannedInput, grids: tuple[AxisGrid, ...], ranges: tuple[range, ...], windows: Sequence[Window]
) -> tuple[slice, ...]:
    """Return the part of a padded region that no other region has: the parts of all regions together are the pixels to predict."""
    parts = []
    for tie, seen, size in zip(planned.ties, windows, planned.bound.shape, strict=True):
        if tie is None:
            parts.append(slice(None))
            continue
        grid, blocks = grids[tie.grid], ranges[tie.grid]
        begin = tie.tied.at(grid.begin + blocks[0] * grid.stride)
        end = size if grid.end is None or grid.end == grid.image_size else min(size, tie.tied.at(grid.end))
        if blocks[-1] + 1 < grid.count:
            end = tie.tied.at(grid.begin + (blocks[-1] + 1) * grid.stride)
        first, last = seen.start + seen.core[0], seen.start + seen.core[1]
        shift = len(seen.before) - first
        parts.append(slice(max(begin, first) + shift, max(begin, first, min(end, last)) + shift))
    return tuple(parts)
