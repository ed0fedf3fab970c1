"""How much zips may unpack to, since a small zip can fill a disk."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from ..errors import SourceError

__all__ = ["ALWAYS_ALLOWED", "LARGEST_RATIO", "MOST_MEMBERS", "check_free_space", "check_unpacked_size"]

ALWAYS_ALLOWED = 1 << 30
"""Bytes that any zip may unpack to, however small it is."""

LARGEST_RATIO = 100
"""Largest ratio of unpacked to packed size of larger zips: parameters and images are hardly compressible."""

MOST_MEMBERS = 20_000
"""Files in the zip of a model: its directory is read for each file that the description names."""


def check_unpacked_size(archive: zipfile.ZipFile, packed: int, name: str) -> None:
    """Refuse a zip that unpacks to more than files of models do.

    Args:
        archive: The zip.
        packed: Its size in bytes.
        name: Name of the zip in messages.

    Raises:
        SourceError: By its directory, which zipfile obeys, it unpacks to too much.

    """
    total = sum(info.file_size for info in archive.infolist())
    if total > max(ALWAYS_ALLOWED, LARGEST_RATIO * packed):
        raise SourceError(
            f"{name} has {packed} bytes and would unpack to {total}, unlike weights: expected at most {LARGEST_RATIO} times as many"
        )


def check_free_space(folder: Path, size: int, name: str) -> None:
    """Refuse to write a file for which a disk has no space.

    Raises:
        SourceError: Fewer than `size` bytes are free where the folder is.

    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise SourceError(f"{name} needs {size} bytes, but only {free} are free at {folder}: make space there, or name another place")
