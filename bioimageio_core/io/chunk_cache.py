"""Decoded chunks of an image that are kept for a while, since neighbouring blocks read the same ones."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from itertools import product
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .readers import Reader

__all__ = ["ChunkCache"]

Key = tuple[int, ...]


class ChunkCache:
    """A reader that keeps the chunks that were used last; called from several threads, of which one decodes a chunk that others want.

    Pickling leaves the chunks behind.

    Args:
        reader: What reads the image.
        shape: Its shape.
        chunks: Its chunks.
        dtype: Its dtype.
        limit: Bytes that are kept at most.

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
        for key in product(*(range(s.start // c, -(-s.stop // c)) for s, c in zip(index, self._chunks, strict=True))):
            chunk = self._chunk(key)
            begin = [k * c for k, c in zip(key, self._chunks, strict=True)]
            low = [max(s.start, b) for s, b in zip(index, begin, strict=True)]
            high = [min(s.stop, b + n) for s, b, n in zip(index, begin, chunk.shape, strict=True)]
            into = tuple(slice(a - s.start, z - s.start) for a, z, s in zip(low, high, index, strict=True))
            region[into] = chunk[tuple(slice(a - b, z - b) for a, z, b in zip(low, high, begin, strict=True))]
        return region

    def _chunk(self, key: Key) -> NDArray[Any]:
        with self._lock:
            known = self._kept.get(key)
            if known is not None:
                self._kept.move_to_end(key)
            else:
                promised: Future[NDArray[Any]] = Future()
                self._kept[key] = promised
        if known is not None:
            return known.result()
        try:
            chunk = self._reader.read(
                tuple(slice(k * c, min((k + 1) * c, n)) for k, c, n in zip(key, self._chunks, self._shape, strict=True))
            )
        except BaseException as error:
            with self._lock:
                self._kept.pop(key, None)
            promised.set_exception(error)
            raise
        promised.set_result(chunk)
        with self._lock:
            self._bytes += chunk.nbytes
            while self._bytes > self._limit and len(self._kept) > 1:
                oldest = next(k for k, f in self._kept.items() if k != key)
                future = self._kept[oldest]
                if not future.done():  # somebody decodes it just now
                    break
                del self._kept[oldest]
                self._bytes -= 0 if future.exception() else future.result().nbytes
        return chunk


def _remade(reader: Reader, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: np.dtype[Any], limit: int) -> ChunkCache:
    return ChunkCache(reader, shape=shape, chunks=chunks, dtype=dtype, limit=limit)
