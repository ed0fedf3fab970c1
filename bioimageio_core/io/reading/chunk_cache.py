"""A cache of decoded chunks of an image: neighbouring blocks read the same ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from itertools import product
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .readers import Reader, as_declared

__all__ = ["ChunkCache"]

Key = tuple[int, ...]

BYTES_PER_BYTE, MOST_BYTES = 4, 2**24
"""Bytes of chunks that are read together, per byte of the region that is read, and at most: many small chunks are fetched at once, but
they never take more memory than the copies of the region that follow."""


class ChunkCache:
    """A reader that caches the chunks that were used last; of several threads that need a chunk, one decodes it.

    Pickling leaves the chunks out.

    Args:
        reader: Reads the image.
        shape: Its shape.
        chunks: Its chunks.
        dtype: Its dtype.
        limit: Largest number of bytes in the cache.

    """

    def __init__(self, reader: Reader, *, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: np.dtype[Any], limit: int) -> None:
        self._reader, self._shape, self._chunks, self._dtype, self._limit = reader, shape, chunks, dtype, limit
        self._kept: OrderedDict[Key, Future[NDArray[Any]]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self._reader, self._shape, self._chunks, self._dtype, self._limit)

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region; there is one slice per axis, with start and stop in range and no step."""
        region = np.empty([s.stop - s.start for s in index], self._dtype)
        if region.size == 0:
            return region
        keys = list(product(*(range(s.start // c, -(-s.stop // c)) for s, c in zip(index, self._chunks, strict=True))))
        futures, missing = self._claim(keys)
        # Each chunk is released as soon as it is copied: together they may be far larger than the region.
        for key in [k for k, future in futures.items() if future.done()]:
            self._place(key, futures.pop(key).result(), region, index)
        try:
            for box in _boxes(missing, self._at_once(region.nbytes)):
                self._fetch(box, futures)
                for key in product(*box):
                    self._place(key, futures.pop(key).result(), region, index)
        except BaseException as error:
            self._give_up(missing, futures, error)
            raise
        for key in list(futures):  # read by other threads
            self._place(key, futures.pop(key).result(), region, index)
        return region

    def _at_once(self, wanted: int) -> int:
        """Return how many chunks are read together for a region of this many bytes."""
        if getattr(self._reader, "chunk_by_chunk", False):  # together they would be copied once more
            return 1
        return max(1, min(BYTES_PER_BYTE * wanted, MOST_BYTES) // (prod(self._chunks) * self._dtype.itemsize))

    def _place(self, key: Key, chunk: NDArray[Any], region: NDArray[Any], index: tuple[slice, ...]) -> None:
        """Copy the part of a chunk that lies in a region."""
        begin = [k * c for k, c in zip(key, self._chunks, strict=True)]
        low = [max(s.start, b) for s, b in zip(index, begin, strict=True)]
        high = [min(s.stop, b + n) for s, b, n in zip(index, begin, chunk.shape, strict=True)]
        into = tuple(slice(a - s.start, z - s.start) for a, z, s in zip(low, high, index, strict=True))
        region[into] = chunk[tuple(slice(a - b, z - b) for a, z, b in zip(low, high, begin, strict=True))]

    def _claim(self, keys: Sequence[Key]) -> tuple[dict[Key, Future[NDArray[Any]]], list[Key]]:
        """Return a future for each chunk, and the chunks that the caller has to read."""
        futures: dict[Key, Future[NDArray[Any]]] = {}
        missing = []
        with self._lock:
            for key in keys:
                if key in self._kept:
                    self._kept.move_to_end(key)
                else:
                    self._kept[key] = Future()
                    missing.append(key)
                futures[key] = self._kept[key]
        return futures, missing

    def _fetch(self, box: tuple[range, ...], futures: Mapping[Key, Future[NDArray[Any]]]) -> None:
        """Read neighbouring chunks with one call, and cache them."""
        low = [r.start * c for r, c in zip(box, self._chunks, strict=True)]
        high = [min(r.stop * c, n) for r, c, n in zip(box, self._chunks, self._shape, strict=True)]
        read = as_declared(self._reader.read(tuple(slice(a, z) for a, z in zip(low, high, strict=True))), self._dtype)
        keys = list(product(*box))
        for key in keys:
            part = tuple(slice(k * c - a, (k + 1) * c - a) for k, c, a in zip(key, self._chunks, low, strict=True))
            # A copy, since a view would keep everything that was read in memory.
            futures[key].set_result(read if len(keys) == 1 else read[part].copy())
        with self._lock:
            self._bytes += read.nbytes
            self._drop()

    def _give_up(self, missing: Sequence[Key], futures: Mapping[Key, Future[NDArray[Any]]], error: BaseException) -> None:
        """Raise an error in the threads that wait for chunks that cannot be read; the next call reads them again."""
        failed = [key for key in missing if key in futures and not futures[key].done()]
        with self._lock:
            for key in failed:
                del self._kept[key]
        for key in failed:
            futures[key].set_exception(error)

    def _drop(self) -> None:
        """Drop the chunks that were used longest ago until the rest is within the limit; chunks that are being read stay."""
        over, gone = self._bytes - self._limit, list[Key]()
        for key, future in self._kept.items():
            if over <= 0:
                break
            if future.done():
                gone.append(key)
                over -= future.result().nbytes
        if len(gone) == len(self._kept):  # the last one is kept
            gone.pop()
        for key in gone:
            self._bytes -= self._kept.pop(key).result().nbytes


def _boxes(keys: Sequence[Key], most: int) -> Iterator[tuple[range, ...]]:
    """Yield boxes of at most ``most`` chunks that together are all keys, which come in row-major order."""
    left = dict.fromkeys(keys)
    while left:
        first = next(iter(left))
        box = [range(k, k + 1) for k in first]
        for axis in reversed(range(len(first))):
            while True:
                slab = [*box[:axis], range(box[axis].stop, box[axis].stop + 1), *box[axis + 1 :]]
                if prod(map(len, box)) + prod(map(len, slab)) > most or not all(k in left for k in product(*slab)):
                    break
                box[axis] = range(box[axis].start, box[axis].stop + 1)
        for key in product(*box):
            del left[key]
        yield tuple(box)


def _remade(reader: Reader, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: np.dtype[Any], limit: int) -> ChunkCache:
    return ChunkCache(reader, shape=shape, chunks=chunks, dtype=dtype, limit=limit)
