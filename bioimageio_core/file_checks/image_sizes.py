"""Sizes of images, from the first bytes of their files."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import IO

__all__ = ["image_size"]


def image_size(path: Path) -> tuple[int, int] | None:
    """Return width and height in pixels of a PNG, JPEG, GIF or TIFF; None for an SVG, which has any size.

    Raises:
        ValueError: The file is none of these, or its header is broken.

    """
    with path.open("rb") as file:
        start = file.read(1024)
        for magics, read in _READERS:
            if start.startswith(magics):
                file.seek(0)
                try:
                    width, height = read(file)
                except (struct.error, KeyError, OverflowError, OSError):
                    raise ValueError("a header that ends too early") from None
                if width < 1 or height < 1:
                    raise ValueError(f"a header that says {width} x {height} pixels")
                return width, height
    if b"<svg" in start.lower():
        return None
    raise ValueError("no header of a PNG, JPEG, GIF, TIFF or SVG")


def _png(file: IO[bytes]) -> tuple[int, int]:
    length, kind, width, height = struct.unpack(">8xI4sII", file.read(24))
    if (length, kind) != (13, b"IHDR"):
        raise ValueError("a PNG without its header")
    return width, height


def _gif(file: IO[bytes]) -> tuple[int, int]:
    width, height = struct.unpack("<6xHH", file.read(10))
    return width, height


_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG whose segments start with precision, height and width."""


def _jpeg(file: IO[bytes]) -> tuple[int, int]:
    file.seek(2)
    while True:
        marker = file.read(2)
        if len(marker) < 2 or marker[0] != 0xFF:
            raise ValueError("a JPEG without its header")
        if marker[1] == 0xFF:  # fills up
            file.seek(-1, 1)
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if marker[1] in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        if length < 2:
            raise ValueError("a JPEG with a broken segment")
        file.seek(length - 2, 1)


def _tiff(file: IO[bytes]) -> tuple[int, int]:
    order = "<" if file.read(2) == b"II" else ">"
    version, first = struct.unpack(f"{order}HI", file.read(6))
    big = version == 43
    if big:
        (first,) = struct.unpack(f"{order}Q", file.read(8))
    file.seek(first)
    (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", file.read(8 if big else 2))
    sizes: dict[int, int] = {}
    for _ in range(min(count, 4096)):
        entry = file.read(20 if big else 12)
        tag, kind = struct.unpack(f"{order}HH", entry[:4])
        if tag in (256, 257):
            value = entry[12:] if big else entry[8:]
            (sizes[tag],) = struct.unpack(f"{order}H", value[:2]) if kind == 3 else struct.unpack(f"{order}I", value[:4])
    return sizes[256], sizes[257]


_READERS: tuple[tuple[tuple[bytes, ...], Callable[[IO[bytes]], tuple[int, int]]], ...] = (
    ((b"\x89PNG\r\n\x1a\n",), _png),
    ((b"GIF87a", b"GIF89a"), _gif),
    ((b"\xff\xd8\xff",), _jpeg),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff),
)
