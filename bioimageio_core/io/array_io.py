"""Reading and writing of a zarr array: in the calling thread where that is faster, else with zarr's own threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..resources import allotted_cores
from .chunk_files import ChunkFiles

if TYPE_CHECKING:
    import zarr

__all__ = ["ArrayIO"]

SMALL = 2**18
"""Bytes of a chunk up to which further threads cost more than they gain: about what is coded while a task changes threads twice."""


class ArrayIO:
    """Reads and writes regions of an array; used by several threads at once, as long as no two write to one chunk.

    Args:
        array: The array.

    """

    def __init__(self, array: zarr.Array[Any]) -> None:
        self.array = array
        self._files = ChunkFiles.of(array)
        self._small = prod(array.chunks) * array.dtype.itemsize <= SMALL
        self._busy: list[None] = []
        self._cores = allotted_cores()

    @property
    def in_files(self) -> bool:
        """Whether chunks are read and written as files, so that several take as long as each alone."""
        return self._files is not None

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region; there is one slice per axis, without step."""
        index = tuple(slice(*s.indices(n)[:2]) for s, n in zip(index, self.array.shape, strict=True))
        with self._counted():
            files = self._chosen(index)
            return np.asarray(self.array[index]) if files is None else files.read(index)

    def write(self, index: tuple[slice, ...], block: NDArray[Any]) -> None:
        """Write complete chunks (or shards)."""
        with self._counted():
            files = self._chosen(index)
            if files is None:
                _without_search(self.array, block)[index] = block
            else:
                files.write(index, block)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._busy.append(None)  # lists do this in one step for all threads
        try:
            yield
        finally:
            self._busy.pop()

    def _chosen(self, index: tuple[slice, ...]) -> ChunkFiles | None:
        """Return the files where chunks are small, or there is a single one, or enough threads are at work to use all cores."""
        if self._files is None:
            return None
        if self._small or 2 * len(self._busy) >= self._cores:
            return self._files
        single = all(s.start // c == (s.stop - 1) // c for s, c in zip(index, self.array.chunks, strict=True))
        return self._files if single else None


def _without_search(array: zarr.Array[Any], block: NDArray[Any]) -> zarr.Array[Any]:
    """Return the array as it writes a block fastest: without searching each chunk for a value that is not the fill value.

    zarr does not store chunks that hold the fill value alone. If the first value of each chunk is another one, no chunk is such,
    and the search can be skipped, by an option that zarr has since 3.1.6.
    """
    first = block[tuple(slice(None, None, n) for n in array.chunks)]
    if not hasattr(array, "with_config") or not (first != array.fill_value).all():
        return array
    return array.with_config({"write_empty_chunks": True})
