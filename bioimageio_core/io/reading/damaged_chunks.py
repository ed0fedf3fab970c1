"""Errors that name the chunk of a zarr array that cannot be read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...errors import SourceError
from ...sources.urls import server_failure
from ...text import in_brief
from ..places_of_arrays import places_of

if TYPE_CHECKING:
    import zarr

__all__ = ["reading_error"]


def reading_error(array: zarr.Array[Any], index: tuple[slice, ...], error: Exception) -> SourceError:
    """Return the error of a region that cannot be read; it names the first chunk that is the reason, if a chunk is.

    Args:
        array: The array.
        index: The region, with start and stop in range.
        error: What was raised when it was read.

    """
    failure = server_failure(error)
    if failure is None and (_is_local(array) or not isinstance(error, OSError)):
        for chunk in _chunks(array, index):
            reason = _failure(array, chunk)
            if reason is not None:
                numbers = ", ".join(map(str, chunk))
                return SourceError(
                    f"chunk ({numbers}) of {_location(array)} cannot be read, its file {_key(array, chunk)} is damaged ({reason}): "
                    f"restore it from a backup (without the file, its pixels are {array.fill_value})"
                )
    return SourceError(f"{_location(array)} cannot be read: {failure or in_brief(error, named=True)}")


def _is_local(array: zarr.Array[Any]) -> bool:
    from zarr.storage import LocalStore

    return isinstance(array.store, LocalStore)


def _location(array: zarr.Array[Any]) -> str:
    return next((place.location.rstrip("/") for place in places_of(array)), str(array.store_path))


def _chunks(array: zarr.Array[Any], index: tuple[slice, ...]) -> Iterator[tuple[int, ...]]:
    return itertools.product(*(range(s.start // c, -(-s.stop // c)) for s, c in zip(index, array.chunks, strict=True)))


def _failure(array: zarr.Array[Any], chunk: tuple[int, ...]) -> str | None:
    """Return why a chunk cannot be read; None where it can."""
    part = tuple(slice(n * c, min((n + 1) * c, size)) for n, c, size in zip(chunk, array.chunks, array.shape, strict=True))
    try:
        array[part]
    except Exception as error:  # stores and codecs raise errors of many kinds
        return in_brief(error, named=True)
    return None


def _key(array: zarr.Array[Any], chunk: tuple[int, ...]) -> str:
    """Return the name of the file that a chunk lies in: its own, or that of its shard."""
    stored = array.shards or array.chunks
    return array.metadata.encode_chunk_key(tuple(n * c // s for n, c, s in zip(chunk, array.chunks, stored, strict=True)))
