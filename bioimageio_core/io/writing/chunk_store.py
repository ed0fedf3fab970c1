"""Arrays in a zarr store, written in complete chunks by many threads and processes."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import OutputError
from ...typing import AxisId, FrozenMapping
from ..array_io import ArrayIO
from ..locations import join, local_path, zarr_store
from .codecs import DEFAULT, compressors
from .run_state import RunState
from .unsynced_writes import metadata_files, remove_empty_metadata, sync_metadata
from .write_errors import writing

if TYPE_CHECKING:
    import zarr

__all__ = ["ArraySpec", "ChunkStore"]


@attrs.frozen(kw_only=True)
class ArraySpec:
    """An array to be created."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[AxisId, ...]
    """Stored as ``dimension_names``."""

    chunks: tuple[int, ...]
    shards: tuple[int, ...] | None = None
    """Multiples of `chunks`: the chunks of a shard are stored in one file, and only complete shards are written."""

    attributes: FrozenMapping[str, Any] = FrozenMapping()
    fill_value: float | int | bool = 0
    zarr_format: Literal[2, 3] = 3
    codec: str = DEFAULT
    """How chunks are compressed: ``lz4``, ``zstd``, ``zstd:9``, ``gzip:5``, ``blosc`` or ``none``."""

    def of_dtype(self, dtype: str) -> ArraySpec:
        """Return the same with another dtype."""
        return attrs.evolve(self, dtype=dtype)


def _written_axes(spec: ArraySpec) -> dict[str, Any]:
    """Return attributes and names of axes as the version of zarr stores them."""
    if spec.zarr_format == 2:
        return {
            "attributes": {**spec.attributes, "_ARRAY_DIMENSIONS": list(spec.axes)},
            "chunk_key_encoding": {"name": "v2", "separator": "/"},
        }
    return {"attributes": dict(spec.attributes), "dimension_names": spec.axes}


class ChunkStore:
    """A folder or URL with zarr arrays; pickled as its location and its run.

    Writes and reads may come from several threads and processes at once, as long as no two write to one chunk.

    Args:
        location: Path or fsspec URL.
        run: The run that writes; its state learns of the files that have to be on the disk before its tasks count as done.

    """

    __slots__ = ("__weakref__", "_arrays", "_close", "_folder", "_lock", "location", "run")

    def __init__(self, location: str, run: RunState | None = None) -> None:
        self.location, self.run = location, run
        self._arrays: dict[str, ArrayIO] = {}
        self._lock = threading.Lock()
        self._folder: str | None = None
        self._close: Callable[[], object] = bool

    def close(self) -> None:
        """Close the folder that writes of a run keep open; nothing is written or read after that."""
        with self._lock:
            self._arrays.clear()
            self._close()
            self._folder = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.location!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location, self.run)

    def create(self, spec: ArraySpec) -> None:
        """Create an array that does not exist yet.

        Raises:
            OutputError: It cannot be written, or zarr refuses the spec.

        """
        import zarr

        place = join(self.location, spec.name)
        codec = compressors(spec.codec, spec.zarr_format)
        local = local_path(self.location)
        with writing(place):
            if local is not None:
                Path(local).mkdir(parents=True, exist_ok=True)
            array = zarr.create_array(
                zarr_store(join(self.pinned, spec.name), read_only=False),
                shape=spec.shape,
                dtype=spec.dtype,
                chunks=spec.chunks,
                shards=spec.shards,
                fill_value=spec.fill_value,
                **_written_axes(spec),
                compressors=codec,
                zarr_format=spec.zarr_format,
            )
            if self.run is None:
                sync_metadata(place)
            else:  # with the first chunks: no task counts as done before
                for file in metadata_files(place):
                    self.run.writes.wrote(file)
        with self._lock:
            self._arrays[spec.name] = ArrayIO(array)

    def ensure(self, spec: ArraySpec) -> None:
        """Create an array unless it exists; several processes may call it at once with the same spec.

        Raises:
            OutputError: It cannot be written, zarr refuses the spec, or an array of this name with another shape, chunks or dtype exists.

        """
        try:
            array = self.array(spec.name) if self._may_exist(spec.name) else None
        except OutputError:
            array = None
        if array is None:
            remove_empty_metadata(join(self.location, spec.name))
            try:
                self.create(spec)
                return
            except OutputError as error:
                array = self._created_elsewhere(spec.name, error)
        with writing(join(self.location, spec.name)):
            sync_metadata(join(self.location, spec.name))  # the process that made it may have ended before it did
        if (tuple(array.shape), tuple(array.chunks), str(array.dtype)) != (spec.shape, spec.chunks, str(np.dtype(spec.dtype))):
            raise OutputError(
                f"{join(self.location, spec.name)} exists with shape {array.shape}, chunks {array.chunks} and dtype {array.dtype}: "
                f"expected {spec.shape}, {spec.chunks} and {spec.dtype}"
            )

    def _may_exist(self, name: str) -> bool:
        """Return whether there may be an array, at little cost: that of a local folder without files is not asked of zarr."""
        local = local_path(join(self.location, name))
        return local is None or os.path.isdir(local)  # noqa: PTH112  (of each array of many small outputs)

    def _created_elsewhere(self, name: str, error: OutputError) -> zarr.Array[Any]:
        """Return an array that another process created meanwhile; raise the error of its creation here if there is none."""
        try:
            return self.array(name)
        except OutputError:
            raise error from error.__cause__

    def array(self, name: str) -> zarr.Array[Any]:
        """Return an array, open for reading and writing.

        Raises:
            OutputError: There is no such array.

        """
        return self._opened(name).array

    def _opened(self, name: str) -> ArrayIO:
        import zarr

        with self._lock:
            opened = self._arrays.get(name)
            if opened is None:
                try:
                    array = zarr.open_array(store=zarr_store(join(self._pinned(), name), read_only=False), mode="r+")
                except (OSError, ValueError) as error:
                    raise OutputError(f"{self.location} has no array {name!r} that can be opened: {error}") from error
                opened = self._arrays[name] = ArrayIO(array)
            return opened

    @property
    def pinned(self) -> str:
        """The place for the writes of a run: the folder that is there now, also if it loses its name later.

        Between `RunState.check` and a write, another run may give the name to a folder of its own; Linux has paths by open folders.
        """
        with self._lock:
            return self._pinned()

    def _pinned(self) -> str:
        local = local_path(self.location)
        if self.run is None or local is None or sys.platform != "linux":
            return self.location
        if self._folder is None:
            opened = os.open(local, os.O_RDONLY | os.O_DIRECTORY)
            self._close = weakref.finalize(self, os.close, opened)  # once, whichever comes first
            self._folder = f"/proc/self/fd/{opened}"
        return self._folder

    def write(self, name: str, start: Sequence[int], block: NDArray[Any]) -> None:
        """Write complete chunks (or shards) of an array.

        Args:
            name: Name of the array.
            start: Position of the block's first pixel, a multiple of the chunk along every axis.
            block: Ends at a multiple of the chunk, or at the end of the array, along every axis.

        Raises:
            CompletedElsewhere: The store is no longer that of its run.
            OutputError: The write failed.
            ValueError: The block has another dtype, or does not consist of complete chunks.

        """
        opened = self._opened(name)
        array = opened.array
        unit = array.shards or array.chunks
        where = f"the block of shape {block.shape} at {tuple(start)}"
        if block.dtype != array.dtype:
            raise ValueError(f"{where} is {block.dtype}: expected {array.dtype}, as the array {name!r} is")
        if not len(start) == block.ndim == array.ndim:
            raise ValueError(f"{where} has another number of axes than the array {name!r}: expected {array.ndim}")
        stops = [begin + n for begin, n in zip(start, block.shape, strict=True)]
        for begin, stop, size, step in zip(start, stops, array.shape, unit, strict=True):
            if not 0 <= begin < stop <= size or begin % step or (stop % step and stop != size):
                raise ValueError(
                    f"{where} is not made of complete chunks: expected multiples of {unit} of the array {name!r} of shape {array.shape}"
                )
        index = tuple(slice(begin, stop) for begin, stop in zip(start, stops, strict=True))
        with writing(join(self.location, name)):
            if self.run is not None:
                self.run.check()
            opened.write(index, block)
        if self.run is not None:
            for file in self._files(name, array, start, stops):
                self.run.writes.wrote(file)

    def _files(self, name: str, array: zarr.Array[Any], start: Sequence[int], stops: Sequence[int]) -> Iterator[str]:
        """Yield the local files of the chunks (or shards) in a region; those of fill value alone do not exist."""
        folder = local_path(join(self.location, name))
        if folder is not None:
            unit = array.shards or array.chunks
            ranges = (range(begin // step, -(-stop // step)) for begin, stop, step in zip(start, stops, unit, strict=True))
            folder = os.path.abspath(folder)  # noqa: PTH100  (links stay as they are)
            for chunk in product(*ranges):
                yield os.path.join(folder, array.metadata.encode_chunk_key(chunk))  # noqa: PTH118  (of a million chunks)

    def read(self, name: str, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region of an array; chunks that were never written have the fill value."""
        return self._opened(name).read(index)
