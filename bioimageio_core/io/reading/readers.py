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
    persisted: bool = False
    """Whether it is a dask array with results on a cluster, which its client computes."""

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as a numpy array."""
        return materialise(self.array[index], persisted=self.persisted)


@attrs.frozen(kw_only=True, eq=False)
class HandleReader:
    """Reads from an array-like object that is opened at the first read."""

    handle: Lazy[Any]

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as a numpy array."""
        return materialise(self.handle()[index])


def materialise(part: Any, *, persisted: bool = False) -> NDArray[Any]:
    """Return a copy of a part of an array-like object as numpy; a dask array is computed in this thread, unless it is persisted."""
    if hasattr(part, "dims") and hasattr(part, "data"):
        part = part.data
    if hasattr(part, "dask") and hasattr(part, "compute"):
        # Blocks are read within a task: a pool within a pool would oversubscribe the cores, or deadlock.
        part = part.compute(scheduler=_client_of(part).get if persisted else "synchronous")
    return np.array(part)


def _client_of(array: Any) -> Any:
    """Return the client of the cluster that holds results of a dask array."""
    from distributed import futures_of

    return futures_of(array)[0].client
