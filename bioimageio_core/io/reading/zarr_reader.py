"""Reads zarr arrays; a store that is gone is an error, not an image of fill values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..array_io import ArrayIO
from ..lazy import Lazy
from .damaged_chunks import reading_error

if TYPE_CHECKING:
    import zarr

__all__ = ["OpenZarrReader", "ZarrReader"]


@attrs.frozen(kw_only=True, eq=False)
class ZarrReader:
    """Reads from a zarr array that is opened at the first read."""

    handle: Lazy[ArrayIO]

    @property
    def chunk_by_chunk(self) -> bool:
        """Whether a chunk that is read alone takes no longer than together with others."""
        return self.handle().in_files

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as a numpy array."""
        opened = self.handle()
        try:
            region = opened.read(index)
        except Exception as error:  # stores and codecs raise errors of many kinds
            raise reading_error(opened.array, index, error) from error
        return _checked(opened.array, index, region)


@attrs.frozen(kw_only=True, eq=False)
class OpenZarrReader:
    """Reads from an open zarr array."""

    array: zarr.Array[Any]

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return the region as a numpy array."""
        try:
            region = np.array(self.array[index])
        except Exception as error:  # stores and codecs raise errors of many kinds
            raise reading_error(self.array, index, error) from error
        return _checked(self.array, index, region)


def _checked(array: zarr.Array[Any], index: tuple[slice, ...], region: NDArray[Any]) -> NDArray[Any]:
    """Return a region of an array whose store is still there.

    Chunks that zarr does not find read as the fill value, and nothing is found where a mount broke or the array was moved.

    Raises:
        SourceError: A chunk reads as the fill value, and the metadata of the array are gone.

    """
    starts = [s.start for s in index]
    if _has_empty_chunk(region, starts, array.chunks, array.fill_value) and not _is_there(array):
        raise SourceError(f"{array.store_path} is gone: it was there when it was opened, but its store no longer finds it")
    return region


def _has_empty_chunk(region: NDArray[Any], starts: Sequence[int], chunks: Sequence[int], fill_value: Any) -> bool:
    """Return whether the part of a region that lies in some chunk holds the fill value alone."""
    if region.size == 0:
        return False
    edges = [[0, *range(c - s % c, n, c), n] for s, c, n in zip(starts, chunks, region.shape, strict=True)]
    # The first pixels of chunks rule out most of them at once.
    candidates = np.argwhere(_equal(region[np.ix_(*(e[:-1] for e in edges))], fill_value))
    parts = (tuple(slice(e[k], e[k + 1]) for e, k in zip(edges, at, strict=True)) for at in candidates)
    return any(bool(_equal(region[part], fill_value).all()) for part in parts)


def _equal(values: NDArray[Any], value: Any) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = values != values if value != value else values == value  # NaN differs from itself
    return equal


def _is_there(array: zarr.Array[Any]) -> bool:
    import zarr
    from zarr.storage import LocalStore

    if isinstance(array.store, LocalStore):
        name = "zarr.json" if array.metadata.zarr_format == 3 else ".zarray"
        return (array.store.root / array.path / name).exists()
    try:
        zarr.open_array(store=array.store, path=array.path, mode="r")
    except (OSError, ValueError, KeyError):
        return False
    return True
