"""Compression of chunks, by name."""

from __future__ import annotations

from typing import Any

from ...errors import InputError

__all__ = ["DEFAULT", "check_codec", "compressors"]

DEFAULT = "lz4"
"""The codec of outputs: three times as fast as zstd on floats whose bits are sorted by significance, and no larger."""

LEVELS = {"lz4": (0, 9), "zstd": (0, 22), "gzip": (0, 9), "blosc": (0, 9)}
"""Levels of each codec."""

DEFAULT_LEVELS = {"lz4": 5, "zstd": 0, "gzip": 5, "blosc": 5}


def check_codec(codec: str) -> tuple[str, int]:
    """Return name and level of a codec given as ``NAME`` or ``NAME:LEVEL``; ``none`` has level 0.

    Raises:
        InputError: There is no such codec, or it has no such level.

    """
    name, _, level = codec.partition(":")
    if name == "none" and not level:
        return name, 0
    if name not in LEVELS or (level and not level.isdecimal()):
        raise InputError(f"codec is {codec!r}: expected none, or one of {', '.join(LEVELS)}, optionally with a level, as in zstd:9")
    chosen = int(level) if level else DEFAULT_LEVELS[name]
    low, high = LEVELS[name]
    if not low <= chosen <= high:
        raise InputError(f"codec is {codec!r}: expected a level from {low} to {high}")
    return name, chosen


def compressors(codec: str, zarr_format: int) -> Any:
    """Return the argument ``compressors`` of zarr for a codec.

    Raises:
        InputError: There is no such codec.

    """
    name, level = check_codec(codec)
    if name == "none":
        return None
    if zarr_format == 2:
        import numcodecs  # type: ignore[import-untyped]

        return {
            "lz4": lambda: numcodecs.Blosc(cname="lz4", clevel=level, shuffle=numcodecs.Blosc.BITSHUFFLE),
            "zstd": lambda: numcodecs.Zstd(level=level),
            "gzip": lambda: numcodecs.GZip(level=level),
            "blosc": lambda: numcodecs.Blosc(cname="zstd", clevel=level, shuffle=numcodecs.Blosc.SHUFFLE),
        }[name]()
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    made: dict[str, Any] = {
        "lz4": lambda: BloscCodec(cname="lz4", clevel=level, shuffle="bitshuffle"),
        "zstd": lambda: ZstdCodec(level=level),
        "gzip": lambda: GzipCodec(level=level),
        "blosc": lambda: BloscCodec(cname="zstd", clevel=level, shuffle="shuffle"),
    }
    return made[name]()
