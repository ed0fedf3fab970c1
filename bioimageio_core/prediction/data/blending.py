"""Blending of blocks where they overlap, instead of cropping them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ...blocks import AxisGrid, AxisTie, TiedAxis
from .tensor_view import Readable

__all__ = ["Blended", "Blending", "tile", "tile_count", "weights"]

Blending: TypeAlias = Literal["linear", "gaussian"]

SIGMA = 1 / 8
"""Standard deviation of the Gaussian, as a fraction of the block size."""

LEAST_WEIGHT = 1e-3
"""Lower bound of the Gaussian, so that every pixel has a weight above 0 also in float32."""


def tile(grid: AxisGrid, block: int, output: TiedAxis) -> tuple[int, int]:
    """Return ``(start, stop)`` of the uncropped output of a block, in a store that holds blocks side by side."""
    start = block * output.size(grid.block_size(0))
    return start, start + output.size(grid.block_size(block))


def tile_count(grid: AxisGrid, output: TiedAxis) -> int:
    """Return the size of a store that holds the uncropped outputs of all blocks side by side."""
    return tile(grid, grid.count - 1, output)[1]


def weights(grid: AxisGrid, block: int, output: TiedAxis, start: int, stop: int, how: Blending) -> NDArray[np.float64]:
    """Return the weight of a block in pixels ``[start, stop)`` of an output; 0 outside of the block.

    The weights of all blocks add up to 1 in every pixel.
    """
    own = _raw_weights(grid, block, output, start, stop, how)
    total = np.zeros(stop - start)
    for other in _blocks(grid, output, start, stop):
        total += _raw_weights(grid, other, output, start, stop, how)
    return np.divide(own, total, out=np.zeros_like(own), where=total > 0)


def _window(grid: AxisGrid, block: int, output: TiedAxis) -> tuple[int, int]:
    """Return ``(start, stop)`` of the uncropped output of a block, in pixels of the output."""
    start = grid.core(block, output)[0] - grid.crop(output)
    return start, start + output.size(grid.block_size(block))


def _blocks(grid: AxisGrid, output: TiedAxis, start: int, stop: int) -> range:
    """Return the blocks whose uncropped output overlaps ``[start, stop)``."""
    low = high = grid.count
    for block in range(_first(grid, output, start), grid.count):
        begin, end = _window(grid, block, output)
        if begin >= stop:
            break
        if end > start:
            low, high = min(low, block), block + 1
    return range(low, high)


def _first(grid: AxisGrid, output: TiedAxis, start: int) -> int:
    """Return a block before which all blocks end before ``start``: no window is longer than the first."""
    length = output.size(grid.block_size(0))
    stride = max(1, output.at(grid.stride))
    return min(grid.count - 1, max(0, (start - length) // stride))


def _raw_weights(grid: AxisGrid, block: int, output: TiedAxis, start: int, stop: int, how: Blending) -> NDArray[np.float64]:
    begin, end = _window(grid, block, output)
    at = np.arange(start, stop)
    inside = (at >= begin) & (at < end)
    if how == "gaussian":
        sigma = SIGMA * (end - begin)
        raw = np.maximum(LEAST_WEIGHT, np.exp(-0.5 * ((at + 0.5 - (begin + end) / 2) / sigma) ** 2))
    else:
        raw = np.ones(at.size)
        # The ramp spans the overlap of two neighbours; at the ends of the axis there is no neighbour.
        overlap = max(1, output.size(grid.block_size(0)) - output.at(grid.stride))
        if block:
            raw = np.minimum(raw, (at + 0.5 - begin) / overlap)
        if block + 1 < grid.count:
            raw = np.minimum(raw, (end - at - 0.5) / overlap)
    result: NDArray[np.float64] = np.where(inside, np.maximum(raw, 0), 0.0)
    return result


@attrs.frozen(kw_only=True, eq=False)
class Blended:
    """An output blended from uncropped blocks that a store holds side by side, read region by region."""

    tiles: Readable
    ties: tuple[AxisTie | None, ...]
    """How each axis follows the grids; None where the axis is not cut."""

    grids: tuple[AxisGrid, ...]
    how: Blending

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``, as float32."""
        parts: list[list[tuple[int, int, int, int, NDArray[np.float64] | None]]] = []
        for tie, low, high in zip(self.ties, start, stop, strict=True):
            if tie is None:
                parts.append([(low, high, low, high, None)])
                continue
            grid, tied = self.grids[tie.grid], tie.tied
            along: list[tuple[int, int, int, int, NDArray[np.float64] | None]] = []
            for block in _blocks(grid, tied, low, high):
                begin, end = _window(grid, block, tied)
                first, last = max(low, begin), min(high, end)
                place = tile(grid, block, tied)[0]
                along.append((first, last, place + first - begin, place + last - begin, weights(grid, block, tied, first, last, self.how)))
            parts.append(along)
        total = np.zeros([b - a for a, b in zip(start, stop, strict=True)], np.float32)
        for some in product(*parts):
            part = self.tiles.read([p[2] for p in some], [p[3] for p in some]).astype(np.float32)
            for axis, (_, _, _, _, weight) in enumerate(some):
                if weight is not None:
                    part *= weight.astype(np.float32).reshape([-1 if n == axis else 1 for n in range(part.ndim)])
            total[tuple(slice(p[0] - a, p[1] - a) for p, a in zip(some, start, strict=True))] += part
        return total
