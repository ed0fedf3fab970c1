"""Readers: the source of an image, as one function of an index."""

from __future__ import annotations

from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from ..lazy import Lazy

__all__ = ["ArrayReader", "HandleReader", "Reader"]


class Reader(Protocol):
    """Reads regions; called from several threads at once."""

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region as a new array; there is one slice per axis, with start and stop in range and no step."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class ArrayReader:
    """Reads from an array-like object in memory: numpy, dask, xarray, zarr, or anything with ``__getitem__``."""

    array: Any

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as a numpy array."""
        return materialise(self.array[index])


@attrs.frozen(kw_only=True, eq=False)
class HandleReader:
    """Reads from an array-like object that is opened at the first read."""

    handle: Lazy[Any]

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as a numpy array."""
        return materialise(self.handle()[index])


def materialise(part: Any) -> NDArray[Any]:
    """Return a copy of a part of an array-like object as numpy, computing it in this thread where it is a dask array."""
    if hasattr(part, "dims") and hasattr(part, "data"):
        part = part.data
    if hasattr(part, "dask") and hasattr(part, "compute"):
        # Blocks are read within a task: a pool within a pool would oversubscribe the cores, or deadlock.
        part = part.compute(scheduler="synchronous")
    return np.array(part)
