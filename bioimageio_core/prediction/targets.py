"""Where outputs go: memory, a zarr store, or a temporary store."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..io import ArraySpec, TemporaryStore

__all__ = ["MemoryTarget", "ScratchTarget"]


class MemoryTarget:
    """A numpy array, made at the first write, when its dtype is known; grows out of -1 in its shape where there is a single write."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._array: NDArray[Any] | None = None
        self._lock = Lock()

    @property
    def array(self) -> NDArray[Any]:
        """What was written."""
        assert self._array is not None
        return self._array

    def write(self, name: str, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write a region."""
        with self._lock:
            if self._array is None:
                shape = tuple(b if n < 0 else n for n, b in zip(self._shape, block.shape, strict=True))
                self._array = np.empty(shape, block.dtype)
        self._array[tuple(slice(a, a + n) for a, n in zip(start, block.shape, strict=True))] = block

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a region."""
        return self.array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]


class ScratchTarget:
    """An array in a temporary store, made at the first write, when its dtype is known."""

    def __init__(self, store: TemporaryStore, *, name: str, shape: tuple[int, ...], chunks: tuple[int, ...], axes: tuple[str, ...]) -> None:
        self._store, self._name, self._shape, self._chunks, self._axes = store, name, shape, chunks, axes
        self._made = False
        self._lock = Lock()

    def write(self, name: str, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write whole chunks."""
        with self._lock:
            if not self._made:
                self._store.create(
                    ArraySpec(name=self._name, shape=self._shape, dtype=str(block.dtype), axes=self._axes, chunks=self._chunks)
                )
                self._made = True
        self._store.write(self._name, start, block)

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a region."""
        return self._store.read(self._name, tuple(slice(a, b) for a, b in zip(start, stop, strict=True)))
