"""Sinks, to which the regions of an output are written: memory, an array of a zarr store, or an array of intermediate results."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from ...io import ArraySpec, ChunkStore
from ..data.tensor_view import Readable

__all__ = ["MemorySink", "ReadableSink", "ScratchSink", "Sink", "StoreSink"]


class Sink(Protocol):
    """Receives the regions of an output; called from several threads, never twice for a chunk."""

    @property
    def is_picklable(self) -> bool:
        """Whether other processes can write to it."""
        ...

    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a region of complete chunks, given along the axes of the output."""
        ...


class ReadableSink(Sink, Readable, Protocol):
    """A sink that later passes read."""


class MemorySink:
    """A numpy array, created at the first write, which determines its dtype; a size of -1 is taken from a single write.

    Elements that are never written are 0.

    Args:
        shape: Shape of the output.
        dtype: Dtype of the array if nothing is written.

    """

    is_picklable = False

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self._shape, self._dtype = shape, dtype
        self._array: NDArray[Any] | None = None
        self._lock = Lock()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array; sizes of -1 are 0 until it is written."""
        return tuple(max(n, 0) for n in self._shape) if self._array is None else self._array.shape

    @property
    def array(self) -> NDArray[Any]:
        """The array."""
        if self._array is None:
            self._array = np.zeros(self.shape, self._dtype)
        return self._array

    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a region."""
        with self._lock:
            if self._array is None:
                shape = tuple(b if n < 0 else n for n, b in zip(self._shape, region.shape, strict=True))
                self._array = np.zeros(shape, region.dtype)
        self._array[tuple(slice(a, a + n) for a, n in zip(start, region.shape, strict=True))] = region

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]


@attrs.frozen(kw_only=True, eq=False)
class StoreSink:
    """An array of a zarr store."""

    is_picklable = True
    store: ChunkStore
    name: str

    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a region of complete chunks."""
        self.store.write(self.name, start, region)

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return self.store.read(self.name, tuple(slice(a, b) for a, b in zip(start, stop, strict=True)))


class ScratchSink:
    """An array of intermediate results, created by the first write, which determines its dtype.

    Args:
        store: The store of intermediate results.
        spec: The array; its dtype applies only if nothing is written.

    """

    is_picklable = True

    def __init__(self, store: ChunkStore, spec: ArraySpec) -> None:
        self._store, self._spec = store, spec
        self._made = False
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._store, self._spec)

    def write(self, start: tuple[int, ...], region: NDArray[Any]) -> None:
        """Write a region of complete chunks."""
        self._make(str(region.dtype))
        self._store.write(self._spec.name, start, region)

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        self._make(self._spec.dtype)
        return self._store.read(self._spec.name, tuple(slice(a, b) for a, b in zip(start, stop, strict=True)))

    def _make(self, dtype: str) -> None:
        with self._lock:
            if not self._made:
                self._store.ensure(self._spec.of_dtype(dtype))
                self._made = True
