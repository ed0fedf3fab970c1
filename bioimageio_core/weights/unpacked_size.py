"""A limit to what a zip of weights may become in memory."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

from ..errors import ModelRunError

__all__ = ["check_unpacked_size"]

GROWTH = 4
"""Frameworks do not compress tensors, and tools that do so afterwards gain little: trained weights are noise."""

ALWAYS = 2**26
"""Bytes that are never too many: parts of small models, such as code, compress well."""


def check_unpacked_size(path: str | Path) -> None:
    """Refuse a zip that is much larger unpacked than packed: loading it would fill the memory.

    Files that are no zips, or are broken, are left for their framework to judge.

    Raises:
        ModelRunError: It is.

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
            f"{file.name} has {packed} bytes that unpack to {unpacked}, which no weights do: "
            "it is not loaded, since it could fill the memory"
        )
