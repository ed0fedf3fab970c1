"""What goes in and out of blocks beside the network: bytes held, bytes read."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import attrs

from ....blocks import AxisGrid, TiedAxis

__all__ = ["IoCosts", "TensorIoCosts"]

COPIES_IN, COPIES_OUT = 5, 3
"""Copies of inputs and outputs as float32 that are there at once at worst, beside the one in the dtype of the store; measured."""

DECODED = 5
"""Copies of a chunk that are there at worst while it is decoded and when it was, or as gaps that it leaves in memory; measured.
Large chunks are read one by one."""


@attrs.frozen(kw_only=True)
class TensorIoCosts:
    """One tensor."""

    tensor: str
    fixed: int
    """Elements along axes that are in no group."""

    itemsize: int
    """Of the image's dtype; of outputs, of the dtype that they are stored in."""

    chunks: tuple[tuple[str, int, int], ...] = ()
    """Inputs only: id, chunk and size of each axis of the image; none where it has no chunks."""

    @property
    def chunk_bytes(self) -> int:
        """Return the bytes of a decoded chunk; 0 where there are none."""
        return prod(min(chunk, size) for _, chunk, size in self.chunks) * self.itemsize if self.chunks else 0


@attrs.frozen(kw_only=True)
class IoCosts:
    """All tensors of a prediction."""

    inputs: tuple[TensorIoCosts, ...]
    outputs: tuple[TensorIoCosts, ...]

    def bytes_in_flight(self, grids: Sequence[AxisGrid], spans: Sequence[int] | None = None) -> int:
        """Return what the largest region holds while it is read, padded, fed, cut, compressed and written.

        Args:
            grids: All grids.
            spans: How many blocks a region spans along each of them; None for one.

        """
        last = [min(n, g.count) - 1 for n, g in zip(spans or [1] * len(grids), grids, strict=True)]
        total = 0
        for tensor in self.inputs:
            size = tensor.fixed
            for grid, k in zip(grids, last, strict=True):
                for tied in _tied(grid.group.inputs, tensor.tensor):
                    size *= grid.span_window(range(k + 1), tied)[1]
            total += size * (tensor.itemsize + COPIES_IN * 4)
        for tensor in self.outputs:
            size = tensor.fixed
            for grid, k in zip(grids, last, strict=True):
                for tied in _tied(grid.group.outputs, tensor.tensor):
                    size *= grid.core(k, tied)[1]
            total += size * (tensor.itemsize + COPIES_OUT * 4)
        return total

    @property
    def bytes_decoding(self) -> int:
        """Return what a region holds of chunks while it is read, beside its own pixels."""
        return DECODED * sum(tensor.chunk_bytes for tensor in self.inputs)

    def bytes_read(self, grids: Sequence[AxisGrid]) -> float:
        """Return the bytes of whole chunks that a block reads on average."""
        total = 0.0
        for tensor in self.inputs:
            touched = float(tensor.fixed * tensor.itemsize)
            chunks = {axis: (chunk, size) for axis, chunk, size in tensor.chunks}
            for grid in grids:
                for tied in _tied(grid.group.inputs, tensor.tensor):
                    read = tied.size(grid.block_size(0))
                    chunk, size = chunks.get(tied.axis, (1, read))
                    # A window of n pixels at any place meets n / c + 1 - 1 / c chunks on average.
                    touched *= min(float(size), read + chunk - 1)
            total += touched
        return total


def _tied(axes: Sequence[TiedAxis], tensor: str) -> list[TiedAxis]:
    return [t for t in axes if t.tensor == tensor]
