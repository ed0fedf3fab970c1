"""Decoders of zarr chunks that stop at the size of a chunk: two megabytes can unpack to gigabytes.

zarr hands a chunk to its decoders as it is stored, and these unpack all of it before its size is compared with the declared one.
The decoders of an open array are replaced by ones that know how much a chunk may hold, which zarr has no public way to do.
So it is done for the releases of zarr that are tested; the earliest of them make a decoder of gzip for each chunk, which cannot be
replaced.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    import zarr

__all__ = ["bounded", "limit_decoders"]

TESTED = "3."
"""How the versions of zarr begin whose decoders are replaced."""

MARGIN = 2**20
"""Bytes beyond twice a chunk that filters and nested compression may add."""

_DECOMPRESSORS: dict[str, Callable[[Any], Any]] = {
    "gzip": lambda codec: zlib.decompressobj(31),
    "zlib": lambda codec: zlib.decompressobj(),
    "bz2": lambda codec: bz2.BZ2Decompressor(),
    "lzma": lambda codec: lzma.LZMADecompressor(format=codec.format, filters=codec.filters if codec.format == lzma.FORMAT_RAW else None),
}
"""Decompressors that stop at a size, by the id of the codec in numcodecs."""


def _declared_by_zstd(stored: bytes) -> int:
    """Return the size of the content by the header of a frame (RFC 8878, 3.1.1.1); 0 where it names none."""
    flags = stored[4] if len(stored) > 4 else 0
    is_single, field = bool(flags & 0x20), flags >> 6
    length = (1 if is_single else 0, 2, 4, 8)[field]
    start = 5 + (not is_single) + (0, 1, 2, 4)[flags & 3]
    return int.from_bytes(stored[start : start + length], "little") + (256 if field == 1 else 0)


_DECLARED: dict[str, Callable[[bytes], int]] = {
    "zstd": _declared_by_zstd,
    "blosc": lambda stored: int.from_bytes(stored[4:8], "little"),
    "lz4": lambda stored: int.from_bytes(stored[:4], "little"),
}
"""The size that a chunk declares and that its decoder allocates, for other codecs."""


@attrs.frozen
class _Bounded:
    """A compressor of numcodecs that decodes up to a size."""

    codec: Any
    most: int

    def decode(self, stored: Any, out: Any = None) -> Any:
        """Return the content of a chunk.

        Raises:
            ValueError: It has more bytes than a chunk.

        """
        rest, parts, size = bytes(stored), [], 0
        declares = _DECLARED.get(self.codec.codec_id)
        if declares is not None:
            self._check(declares(rest))
            return self.codec.decode(stored, out)
        new = _DECOMPRESSORS[self.codec.codec_id]
        while rest:
            decompressor = new(self.codec)
            parts.append(decompressor.decompress(rest, self.most + 1 - size))
            size += len(parts[-1])
            self._check(size)
            if not decompressor.eof:
                raise ValueError("it is cut short")
            rest = decompressor.unused_data
        return b"".join(parts)

    def _check(self, size: int) -> None:
        if size > self.most:
            raise ValueError(f"it unpacks to more than {self.most} bytes, unlike a chunk of this array")

    def encode(self, buffer: Any) -> Any:
        """Return a chunk as it is stored."""
        return self.codec.encode(buffer)


def bounded(codec: Any, array: zarr.Array[Any]) -> Any:
    """Return a codec of numcodecs that decodes no more than a chunk (or shard) of an array holds; one that cannot expand as it is."""
    if getattr(codec, "codec_id", None) not in _DECOMPRESSORS.keys() | _DECLARED.keys():
        return codec
    most = 2 * prod(array.shards or array.chunks) * max(1, array.dtype.itemsize) + MARGIN
    return _Bounded(codec, most)


def limit_decoders(array: zarr.Array[Any]) -> zarr.Array[Any]:
    """Let the decoders of an open array stop at the size of its chunks; return the array."""
    import zarr

    if str(zarr.__version__).startswith(TESTED):
        codecs: Any = array.async_array.codec_pipeline
        for codec in codecs:
            for name in ("_gzip_codec", "_zstd_codec", "_blosc_codec", "compressor"):
                inner = getattr(codec, name, None)
                limited = bounded(inner, array)
                if limited is not inner:
                    # The codecs are frozen, and belong to this array.
                    codec.__dict__[name] = limited
    return array
