"""Readers: the source of an image, as one function of an index."""

from __future__ import annotations

from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..lazy import Lazy

__all__ = ["ArrayReader", "HandleReader", "Reader", "as_declared", "dtype_with_nan", "materialise", "without_mask"]


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
    """Return a copy of a part of an array-like object as numpy; a dask array is computed in this thread, unless it is persisted.

    Masked elements become NaN: see `dtype_with_nan`.
    """
    if hasattr(part, "dims") and hasattr(part, "data"):
        part = part.data
    if hasattr(part, "dask") and hasattr(part, "compute"):
        # Blocks are read within a task: a pool within a pool would oversubscribe the cores, or deadlock.
        part = part.compute(scheduler=_client_of(part).get if persisted else "synchronous")
    return without_mask(part) if isinstance(part, np.ma.MaskedArray) else np.array(part)


def dtype_with_nan(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the floating point dtype that holds all values of a dtype and NaN; float64 where integers have more than 16 bits."""
    return dtype if dtype.kind == "f" else np.result_type(dtype, np.float32)


def without_mask(masked: np.ma.MaskedArray[Any, Any]) -> NDArray[Any]:
    """Return a copy of a masked array with NaN in place of masked elements, of floating point where there are any."""
    if not np.ma.is_masked(masked):
        return np.array(masked.data)
    return np.ma.filled(masked.astype(dtype_with_nan(masked.dtype)), np.nan)


def as_declared(region: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return a region in the dtype that its image declares.

    Raises:
        SourceError: It has NaN, as masked elements of a block without a declared mask, or other values, that the dtype cannot hold.

    """
    if np.can_cast(region.dtype, dtype, "safe") or region.dtype.kind == dtype.kind == "f":
        return region.astype(dtype, copy=False)
    if region.dtype.kind == "f" and np.isnan(region).any():
        raise SourceError(f"an image of dtype {dtype} has masked pixels or NaN, which this dtype cannot hold: convert the image to float32")
    with np.errstate(invalid="ignore"):
        declared = region.astype(dtype)
    if not np.array_equal(declared, region):
        raise SourceError(
            f"an image that declares the dtype {dtype} has regions of {region.dtype} with values that {dtype} cannot hold: "
            f"declare {region.dtype} (dtype= of dask's map_blocks), or convert the image with astype()"
        )
    return declared


def _client_of(array: Any) -> Any:
    """Return the client of the cluster that holds results of a dask array."""
    from distributed import futures_of

    return futures_of(array)[0].client
