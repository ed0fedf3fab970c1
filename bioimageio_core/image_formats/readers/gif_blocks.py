"""The blocks of a GIF file, to find out whether its end is missing: decoders give the frames that are there."""

from __future__ import annotations

from typing import IO

__all__ = ["is_complete_gif"]

EXTENSION, FRAME, END = b"!", b",", b";"
"""What a block begins with."""

TABLE = 0x80
"""The flag of a table of colours; the lower three bits tell its size."""


def is_complete_gif(file: IO[bytes]) -> bool:
    """Return whether a GIF file has the block that ends it.

    Args:
        file: The open file, at its beginning.

    """
    header = file.read(13)
    if len(header) < 13:
        return False
    _skip_table(file, header[10])
    while kind := file.read(1):
        if kind == END:
            return True
        if kind == EXTENSION:
            file.read(1)
            _skip_data(file)
        elif kind == FRAME:
            described = file.read(9)
            _skip_table(file, described[-1] if described else 0)
            file.read(1)
            _skip_data(file)
    return False


def _skip_table(file: IO[bytes], flags: int) -> None:
    if flags & TABLE:
        file.read(3 * 2 ** ((flags & 7) + 1))


def _skip_data(file: IO[bytes]) -> None:
    """Skip pieces of data, each after its size; the last one has the size 0."""
    while size := file.read(1):
        if size == b"\0":
            return
        file.read(size[0])
