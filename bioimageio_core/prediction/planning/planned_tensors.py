"""Inputs and outputs of a plan: shapes, steps, and the grid that cuts each axis."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from ...blocks import AxisGrid, AxisTie, TiedAxis
from ...typing import AxisId
from ..data.bind_inputs import BoundInput
from ..data.blending import Blending, tile, tile_count
from ..model.processing_steps import Step
from ..model.tensor_spec import TensorIO
from .outputs.storage_dtype import StorageDtype

__all__ = ["PlannedInput", "PlannedOutput", "all_steps"]


@attrs.frozen(kw_only=True)
class PlannedInput:
    """An input: its image, the grids that cut its axes, and its preprocessing."""

    bound: BoundInput
    ties: tuple[AxisTie | None, ...]
    """How each axis of ``bound.axes`` follows the grids; None where no grid covers the axis."""

    steps: tuple[Step, ...]

    @property
    def id(self) -> str:
        """Id of the tensor."""
        return self.bound.tensor.id

    def cut_axes(self, grids: tuple[AxisGrid, ...]) -> set[AxisId]:
        """Return the axes that are cut into several blocks."""
        return {a for a, tie in zip(self.bound.axes, self.ties, strict=True) if tie is not None and grids[tie.grid].count > 1}


@attrs.frozen(kw_only=True)
class PlannedOutput:
    """An output: its shape and chunks, the grids that cut its axes, and its postprocessing."""

    tensor: TensorIO
    axes: tuple[AxisId, ...]
    """Extra axes of the image, then those of the tensor."""

    shape: tuple[int, ...]
    """Size along each of `axes`; -1 where the network determines it."""

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None
    """Shape of a file of several chunks, a multiple of `chunks`; None if each chunk is a file."""

    storage_dtype: StorageDtype
    codec: str
    """Compression of chunks."""

    blend: Blending | None
    """How overlapping blocks are blended; None if the overlap is cropped."""

    ties: tuple[AxisTie | None, ...]
    """How each of `axes` follows the grids; None where the size does not depend on the image."""

    origin: tuple[int, ...]
    """Start within the output of the complete image; nonzero only for a region of interest."""

    steps: tuple[Step, ...]
    """Steps that run on every block."""

    late_steps: tuple[Step, ...]
    """Steps that run after all blocks: from the first one that needs statistics of the output, the whole output, or neighbouring blocks,
    or that changes the shape of the output."""

    unchanged: PlannedOutput | None = None
    """The output before a late step changes its shape; None where none does."""

    @property
    def id(self) -> str:
        """Id of the tensor."""
        return self.tensor.id

    @property
    def of_regions(self) -> PlannedOutput:
        """The output as regions write it: before late steps change its shape."""
        return self if self.unchanged is None else self.unchanged

    @property
    def needs_complete(self) -> bool:
        """Whether a late step needs the complete output, so that no part can be predicted alone; labels are those of the part."""
        cut = [a.id for a in self.tensor.axes if a.kind == "space"]
        return any(s.own_measures or s.sees_whole(cut) or (s.needs_halo(cut) and s.needs.objects is None) for s in self.late_steps)

    @property
    def labelling(self) -> Step | None:
        """The step that labels objects; None where none does."""
        return next((step for step in self.late_steps if step.needs.objects is not None), None)

    @property
    def has_late_pass(self) -> bool:
        """Whether a pass over the output follows after all blocks are computed."""
        return bool(self.late_steps) or self.blend is not None

    @property
    def extra(self) -> int:
        """Number of extra axes."""
        return len(self.axes) - len(self.tensor.axes)

    @property
    def data_dependent(self) -> bool:
        """Whether the network determines the shape."""
        return -1 in self.shape

    @property
    def unit(self) -> tuple[int, ...]:
        """Shape that is written at once: a shard, or a chunk."""
        return self.shards or self.chunks

    def place(self, grid: AxisGrid, block: int, tied: TiedAxis) -> tuple[int, int]:
        """Return ``(start, stop)`` of a block in the array of regions: its core, or its uncropped output if it is blended later."""
        return grid.core(block, tied) if self.blend is None else tile(grid, block, tied)

    def region_shape(self, grids: tuple[AxisGrid, ...]) -> tuple[int, ...]:
        """Return the shape of the array that regions are written to: the output, or uncropped blocks side by side."""
        if self.blend is None:
            return self.shape
        return tuple(n if tie is None else tile_count(grids[tie.grid], tie.tied) for n, tie in zip(self.shape, self.ties, strict=True))

    def region_chunks(self, grids: tuple[AxisGrid, ...]) -> tuple[int, ...]:
        """Return the chunks of the array that regions are written to."""
        if self.blend is None:
            return self.unit
        return tuple(n if t is None else t.tied.size(grids[t.grid].block_size(0)) for n, t in zip(self.chunks, self.ties, strict=True))


def all_steps(inputs: Iterable[PlannedInput], outputs: Iterable[PlannedOutput]) -> tuple[tuple[str, Step], ...]:
    """Return the steps of all tensors, each after the id of its tensor."""
    steps = [(i.id, step) for i in inputs for step in i.steps]
    return (*steps, *((o.id, step) for o in outputs for step in (*o.steps, *o.late_steps)))
