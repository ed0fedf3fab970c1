"""Costs of input and output of blocks: bytes held in memory, bytes read."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import attrs

from ....blocks import AxisGrid, TiedAxis

__all__ = ["IoCosts", "TensorIoCosts"]

COPIES_IN, COPIES_OUT = 5, 3
"""Largest number of simultaneous float32 copies of inputs and outputs, in addition to the copy in the dtype of the store; measured."""

DECODED = 5
"""Largest number of copies of a chunk during and after decoding, including fragmentation of memory; measured.
Large chunks are read one by one."""


@attrs.frozen(kw_only=True)
class TensorIoCosts:
    """Input or output costs of one tensor."""

    tensor: str
    fixed: int
    """Number of elements along axes that belong to no axis group."""

    itemsize: int
    """Bytes per element: of the image, or of the storage dtype of an output."""

    chunks: tuple[tuple[str, int, int], ...] = ()
    """Id, chunk size and size of each axis of the image; empty for outputs and for images without chunks."""

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a decoded chunk; 0 without chunks."""
        return prod(min(chunk, size) for _, chunk, size in self.chunks) * self.itemsize if self.chunks else 0


@attrs.frozen(kw_only=True)
class IoCosts:
    """Input and output costs of all tensors of a prediction."""

    inputs: tuple[TensorIoCosts, ...]
    outputs: tuple[TensorIoCosts, ...]

    def bytes_in_flight(self, grids: Sequence[AxisGrid], spans: Sequence[int] | None = None) -> int:
        """Return the bytes that the largest region holds while it is read, padded, predicted, cropped, compressed and written.

        Args:
            grids: All grids.
            spans: Number of blocks of a region along each grid; None for one block.

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
        """Bytes of chunks that a region holds while it is read, in addition to its pixels."""
        return DECODED * sum(tensor.chunk_bytes for tensor in self.inputs)

    def bytes_read(self, grids: Sequence[AxisGrid]) -> float:
        """Return the average number of bytes that a block reads, in complete chunks."""
        total = 0.0
        for tensor in self.inputs:
            touched = float(tensor.fixed * tensor.itemsize)
            chunks = {axis: (chunk, size) for axis, chunk, size in tensor.chunks}
            for grid in grids:
                for tied in _tied(grid.group.inputs, tensor.tensor):
                    read = tied.size(grid.block_size(0))
                    chunk, size = chunks.get(tied.axis, (1, read))
                    # A window of n pixels at a random position overlaps n / c + 1 - 1 / c chunks on average.
                    touched *= min(float(size), read + chunk - 1)
            total += touched
        return total


def _tied(axes: Sequence[TiedAxis], tensor: str) -> list[TiedAxis]:
    return [t for t in axes if t.tensor == tensor]
