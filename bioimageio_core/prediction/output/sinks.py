"""Where outputs go: memory, a zarr store, or a temporary store."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...io import ArraySpec, ChunkStore

__all__ = ["MemoryTarget", "ScratchTarget"]


class MemoryTarget:
    """A numpy array, made at the first write, when its dtype is known; grows out of -1 in its shape where there is a single write.

    What is never written is 0.

    Args:
        shape: Of the output.
        dtype: That it has where nothing is written at all.

    """

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self._shape, self._dtype = shape, dtype
        self._array: NDArray[Any] | None = None
        self._lock = Lock()

    @property
    def array(self) -> NDArray[Any]:
        """What was written."""
        if self._array is None:
            self._array = np.zeros([max(n, 0) for n in self._shape], self._dtype)
        return self._array

    def write(self, name: str, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write a region."""
        with self._lock:
            if self._array is None:
                shape = tuple(b if n < 0 else n for n, b in zip(self._shape, block.shape, strict=True))
                self._array = np.zeros(shape, block.dtype)
        self._array[tuple(slice(a, a + n) for a, n in zip(start, block.shape, strict=True))] = block

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a region."""
        return self.array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))]


class ScratchTarget:
    """An array in a store for intermediate results, made at the first write, when its dtype is known, by whichever process comes first.

    Args:
        store: Where it is.
        spec: What it is; the dtype is that of a store to which nothing was written.

    """

    def __init__(self, store: ChunkStore, spec: ArraySpec) -> None:
        self._store, self._spec = store, spec
        self._made = False
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._store, self._spec)

    def write(self, name: str, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write whole chunks."""
        self._make(str(block.dtype))
        self._store.write(self._spec.name, start, block)

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a region."""
        self._make(self._spec.dtype)
        return self._store.read(self._spec.name, tuple(slice(a, b) for a, b in zip(start, stop, strict=True)))

    def _make(self, dtype: str) -> None:
        with self._lock:
            if not self._made:
                self._store.ensure(self._spec.of_dtype(dtype))
                self._made = True
