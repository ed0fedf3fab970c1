"""Inputs and outputs as a plan has them: their shapes and steps, and which grid cuts each axis."""

from __future__ import annotations

import attrs

from ...blocks import AxisGrid, AxisTie, TiedAxis
from ...typing import AxisId
from ..data.bind_inputs import BoundInput
from ..data.blending import Blending, tile, tile_count
from ..model.processing_steps import Step
from ..model.tensor_spec import TensorIO
from .outputs.storage_dtype import StoredAs

__all__ = ["PlannedInput", "PlannedOutput"]


@attrs.frozen(kw_only=True)
class PlannedInput:
    """An input, where its axes are cut, and its preprocessing."""

    bound: BoundInput
    ties: tuple[AxisTie | None, ...]
    """For each axis of ``bound.axes``; None where only other inputs have the axis."""

    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        """Id of the tensor."""
        return self.bound.tensor.id

    def cut_axes(self, grids: tuple[AxisGrid, ...]) -> set[AxisId]:
        """Return the axes that several blocks span."""
        return {a for a, tie in zip(self.bound.axes, self.ties, strict=True) if tie is not None and grids[tie.grid].count > 1}


@attrs.frozen(kw_only=True)
class PlannedOutput:
    """An output: its shape and chunks, where its axes are cut, and its postprocessing."""

    tensor: TensorIO
    axes: tuple[AxisId, ...]
    """Extra axes of the image, then those of the tensor."""

    shape: tuple[int, ...]
    """-1 where the network decides."""

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    """Multiples of `chunks` that are written as one file; None where each chunk is one."""

    stored: StoredAs
    codec: str
    """How chunks are compressed."""

    blend: Blending | None
    """How overlapping blocks are blended; None where the overlap is cropped."""

    ties: tuple[AxisTie | None, ...]
    """For each of `axes`; None where the size of the axis is its own."""

    origin: tuple[int, ...]
    """Where it begins in the output of the whole image; 0 but for a region of interest."""

    steps: tuple[Step, ...]
    """Ops that run on every block."""

    late_steps: tuple[Step, ...]
    """Ops that run after all blocks: from the first one on that needs statistics of the output, all of it, or pixels of other blocks."""

    @property
    def id(self) -> str:
        """Id of the tensor."""
        return self.tensor.id

    @property
    def has_late_pass(self) -> bool:
        """Whether a pass over the output follows once all blocks are computed."""
        return bool(self.late_steps) or self.blend is not None

    @property
    def extra(self) -> int:
        """Number of extra axes."""
        return len(self.axes) - len(self.tensor.axes)

    @property
    def data_dependent(self) -> bool:
        """Whether the network decides on the shape."""
        return -1 in self.shape

    @property
    def unit(self) -> tuple[int, ...]:
        """Shape of what is written at once: a shard, or a chunk."""
        return self.shards or self.chunks

    def place(self, grid: AxisGrid, block: int, tied: TiedAxis) -> tuple[int, int]:
        """Return ``(start, stop)`` of what is kept of a block where blocks are written: its core, or all of it to be blended later."""
        return grid.core(block, tied) if self.blend is None else tile(grid, block, tied)

    def region_shape(self, grids: tuple[AxisGrid, ...]) -> tuple[int, ...]:
        """Return the shape of the array that regions are written to: that of the output, or of all blocks side by side."""
        if self.blend is None:
            return self.shape
        return tuple(n if tie is None else tile_count(grids[tie.grid], tie.tied) for n, tie in zip(self.shape, self.ties, strict=True))

    def region_chunks(self, grids: tuple[AxisGrid, ...]) -> tuple[int, ...]:
        """Return the chunks of the array that regions are written to."""
        if self.blend is None:
            return self.unit
        return tuple(n if t is None else t.tied.size(grids[t.grid].block_size(0)) for n, t in zip(self.chunks, self.ties, strict=True))
