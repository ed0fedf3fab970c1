"""A PNG file in memory, which notebooks show."""

from __future__ import annotations

import os

from .picture_file import write_picture

__all__ = ["PngPicture"]


class PngPicture(bytes):
    """The content of a PNG file."""

    def _repr_png_(self) -> bytes:
        """Return the picture; IPython and other notebooks call this."""
        return bytes(self)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the picture to a file.

        Raises:
            InputError: The name does not end in ``.png``.
            OutputError: The file exists, or cannot be written.

        """
        write_picture(os.fspath(path), bytes(self), overwrite=overwrite)

    def __repr__(self) -> str:
        width, height = (int.from_bytes(self[n : n + 4], "big") for n in (16, 20))
        return f"<PngPicture {width} x {height} pixels, {len(self)} bytes>"
