"""Limits the unpacked size of zips of weights."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ..errors import ModelRunError

__all__ = ["check_unpacked_size"]

GROWTH = 4
"""Largest ratio of unpacked to packed size: frameworks do not compress tensors, and compression gains little on trained weights."""

ALWAYS = 2**26
"""Bytes that are always allowed: parts of small models, such as code, compress well."""


def check_unpacked_size(path: str | Path) -> None:
    """Refuse a zip that is much larger unpacked than packed: loading it would fill the memory.

    Other files and broken zips are accepted here; their framework refuses them.

    Raises:
        ModelRunError: The zip is refused.

    """
    file = Path(path)
    try:
        with ZipFile(file) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        packed = file.stat().st_size
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        return
    if unpacked > ALWAYS + GROWTH * packed:
        raise ModelRunError(
            f"{file.name} has {packed} bytes that unpack to {unpacked}, unlike weights: it is not loaded, since it could fill the memory"
        )
