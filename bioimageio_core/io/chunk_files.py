"""The chunks of a local zarr array, read and written as the files that they are, in the calling thread.

zarr passes each chunk through an event loop and further threads. Where many threads read and write, they queue for that loop and for
Python's lock: it takes half as long again as decoding and encoding do. The layout of the files is fixed by the specifications
(https://zarr-specs.readthedocs.io), and the codecs are those of numcodecs, which zarr uses, too.

This covers what most images and all outputs without shards are: chunks in row-major order, at most compressed. zarr does the rest.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..durability import start_writing
from .bounded_codecs import bounded

if TYPE_CHECKING:
    import zarr

__all__ = ["PARTIAL", "ChunkFiles"]

PARTIAL = ".partial"
"""How names of files end that are still being written; zarr ends them alike."""

SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
"""Numbers of Blosc for its filters."""


class ChunkFiles:
    """The files of a local array; used by several threads and processes at once, as long as no two write to one chunk.

    Args:
        array: The array.
        folder: The folder of the array.
        compressors: Its codecs from numcodecs, in the order in which they compress.
        stored: The dtype of stored values, with their byte order.

    """

    def __init__(self, array: zarr.Array[Any], folder: str, compressors: tuple[Any, ...], stored: np.dtype[Any]) -> None:
        self._folder, self._compressors, self._stored = folder, compressors, stored
        self._key = array.metadata.encode_chunk_key
        self._chunks, self._dtype = tuple(array.chunks), np.dtype(array.dtype)
        self._fill = np.asarray(0 if array.fill_value is None else array.fill_value, stored)
        self._decoders = tuple(bounded(codec, array) for codec in reversed(compressors))

    @classmethod
    def of(cls, array: zarr.Array[Any]) -> ChunkFiles | None:
        """Return the files of an array; None where it is not local, or stored in another way than this class knows."""
        from zarr.storage import LocalStore

        if not isinstance(array.store, LocalStore) or array.shards is not None or array.dtype.kind not in "biufc" or not array.ndim:
            return None
        if array.filters or (array.metadata.zarr_format == 2 and array.order != "C"):
            return None
        stored = np.dtype(array.dtype)
        if array.metadata.zarr_format == 3:
            serializer = _configured(array.serializer)
            if serializer is None or serializer.pop("id") != "bytes":
                return None
            stored = stored.newbyteorder(serializer.get("endian", "little"))
        compressors = tuple(map(_compressor, array.compressors))
        if None in compressors:
            return None
        return cls(array, os.path.join(array.store.root, array.path), compressors, stored)  # noqa: PTH118

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region; there is one slice per axis, with start and stop in range and no step.

        Raises:
            OSError: A file cannot be read.
            Exception: A codec does not take what a file holds.

        """
        region = np.empty([s.stop - s.start for s in index], self._dtype)
        for chunk, of_chunk, of_region in self._parts(index):
            try:
                stored: Any = _content(self._file(chunk))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):  # chunks of fill value are not stored
                region[of_region] = self._fill
                continue
            for codec in self._decoders:
                stored = codec.decode(stored)
            region[of_region] = np.frombuffer(stored, self._stored).reshape(self._chunks)[of_chunk]
        return region

    def write(self, index: tuple[slice, ...], block: NDArray[Any]) -> None:
        """Write complete chunks; files appear complete or not at all, and chunks of fill value alone have none.

        Args:
            index: One slice per axis, from a multiple of the chunk to another one, or to the end of the array.
            block: Its values.

        Raises:
            OSError: A file cannot be written.

        """
        for chunk, of_chunk, of_block in self._parts(index):
            values = np.ascontiguousarray(block[of_block], self._stored)
            if values.shape != self._chunks:  # at the end of the array
                whole = np.full(self._chunks, self._fill)
                whole[of_chunk] = values
                values = whole
            if self._is_fill(values):
                with suppress(FileNotFoundError):
                    os.unlink(self._file(chunk))  # noqa: PTH108  (of a million chunks)
                continue
            encoded: Any = values
            for codec in self._compressors:
                encoded = codec.encode(encoded)
            _replace(self._file(chunk), encoded)

    def _file(self, chunk: tuple[int, ...]) -> str:
        return f"{self._folder}/{self._key(chunk)}"

    def _is_fill(self, values: NDArray[Any]) -> bool:
        """Return whether a chunk holds the fill value alone, bit for bit; the first value rules out most chunks."""
        fill = self._fill.tobytes()
        return values.ravel()[:1].tobytes() == fill and values.tobytes() == fill * values.size

    def _parts(self, index: tuple[slice, ...]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
        """Yield the chunks that a region meets: their numbers, the part of each, and where it lies in the region."""
        along = [list(_cuts(s.start, s.stop, chunk)) for s, chunk in zip(index, self._chunks, strict=True)]
        for cuts in product(*along):
            numbers, of_chunk, of_region = zip(*cuts, strict=True)
            yield numbers, of_chunk, of_region


def _cuts(start: int, stop: int, chunk: int) -> Iterator[tuple[int, slice, slice]]:
    """Yield the chunks of one axis that a range meets: number, part of the chunk, part of the range."""
    for number in range(start // chunk, -(-stop // chunk)):
        begin = number * chunk
        low, high = max(start, begin), min(stop, begin + chunk)
        yield number, slice(low - begin, high - begin), slice(low - start, high - start)


def _configured(codec: Any) -> dict[str, Any] | None:
    """Return a codec of zarr as the configuration that numcodecs knows: its id and its options; None where there is none."""
    if not hasattr(codec, "to_dict"):
        return None
    document: Mapping[str, Any] = codec.to_dict()
    return {"id": document["name"], **document.get("configuration", {})}


def _compressor(codec: Any) -> Any:
    """Return the codec of numcodecs for a compressor of an array; None where there is none."""
    import numcodecs  # type: ignore[import-untyped]

    if isinstance(codec, numcodecs.abc.Codec):  # of zarr 2
        return codec
    configured = _configured(codec)
    if configured is None or configured["id"] not in ("blosc", "gzip", "zstd"):
        return None
    if configured["id"] == "blosc":  # values are shuffled by their own size, which numcodecs takes from the array
        configured.pop("typesize")
        configured["shuffle"] = SHUFFLES[configured["shuffle"]]
    return numcodecs.get_codec(configured)


def _content(path: str) -> bytes:
    """Return the content of a file, with as few calls of the system as possible: each may wait for Python's lock."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        size = os.fstat(file).st_size
        content = os.read(file, size)
        while len(content) < size and (more := os.read(file, size - len(content))):  # a call reads at most 2 GiB
            content += more
        return content
    finally:
        os.close(file)


def _replace(path: str, content: Any) -> None:
    """Write a file that takes its name when it is complete."""
    temporary = f"{path}.{uuid.uuid4().hex}{PARTIAL}"
    mode = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        file = os.open(temporary, mode, 0o666)
    except FileNotFoundError:  # the first chunk of a folder
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        file = os.open(temporary, mode, 0o666)
    try:
        try:
            left = memoryview(content).cast("B")
            while left:
                left = left[os.write(file, left) :]
            start_writing(file)
        finally:
            os.close(file)
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
