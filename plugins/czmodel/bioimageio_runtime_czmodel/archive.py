"""The zip that all these files are: read without trust, and written as ZEN wants it."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from bioimageio_core.errors import BioimageioError
from bioimageio_core.text import in_brief
from bioimageio_core.weights.archives import check_archive

__all__ = ["Member", "OpenArchive", "first_names", "write_archive"]

LARGEST_TEXT = 1 << 22
"""Bytes of a file of metadata; those seen have a thousand."""

HEADER = 30
"""Bytes of the header of a member of a zip, before its name."""


def first_names(path: Path) -> list[str]:
    """Return the names of the members; only that of the first if the zip is cut short."""
    if not path.is_file():
        return []
    with path.open("rb") as file:
        header = file.read(HEADER)
        if len(header) < HEADER or not header.startswith(b"PK\x03\x04"):
            return []
        first = file.read(int.from_bytes(header[26:28], "little"))
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception:  # whatever zipfile makes of a broken file
        return [first.decode("utf-8", errors="replace")]


class OpenArchive:
    """The members of a zip, all of which lie in its top folder.

    Raises:
        ValueError: It is not a zip, is broken, is made to do harm, or has folders.

    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ValueError(f"{path.name} is not a file: expected a zip")
        try:
            self._zip = zipfile.ZipFile(path)
        except Exception as error:  # zipfile raises more than BadZipFile
            raise ValueError(f"it is not a zip, or is cut short: {_words(error)}") from None
        try:
            self._members = {name: info for info, name in check_archive(self._zip, path.name)}
        except BioimageioError as error:
            self._zip.close()
            raise ValueError(str(error)) from None
        folders = [name for name in self._members if "/" in name]
        if folders:
            self._zip.close()
            raise ValueError(f"it holds {folders[0]!r}: expected members without folders")

    def __enter__(self) -> OpenArchive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the members, in order."""
        return tuple(self._members)

    def text(self, name: str) -> bytes:
        """Return a small member.

        Raises:
            ValueError: It is large, or broken.

        """
        info = self._members[name]
        if info.file_size > LARGEST_TEXT:
            raise ValueError(f"{name} has {info.file_size} bytes: expected at most {LARGEST_TEXT} of metadata")
        try:
            return self._zip.read(info)
        except Exception as error:  # of zipfile and its decompressors
            raise ValueError(f"{name} cannot be read: {_words(error)}") from None

    def unpack(self, name: str, target: Path) -> None:
        """Write a member to a new file.

        Raises:
            ValueError: It is broken.

        """
        try:
            with self._zip.open(self._members[name]) as source, target.open("xb") as file:
                shutil.copyfileobj(source, file)
        except OSError:
            raise
        except Exception as error:  # of zipfile and its decompressors
            raise ValueError(f"{name} cannot be read: {_words(error)}") from None


@attrs.frozen(kw_only=True)
class Member:
    """A file to put into a zip."""

    name: str
    content: bytes | Path


def write_archive(path: Path, members: Sequence[Member]) -> None:
    """Write a zip whose members are stored, in the given order, and whose bytes depend on nothing else."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member in members:
            info = zipfile.ZipInfo(member.name)
            info.external_attr = 0o600 << 16
            info.file_size = (
                member.content.stat().st_size if isinstance(member.content, Path) else len(member.content)
            )  # large ones need ZIP64
            with archive.open(info, "w") as target:
                if isinstance(member.content, Path):
                    with member.content.open("rb") as source:
                        shutil.copyfileobj(source, target)
                else:
                    target.write(member.content)


def _words(error: Exception) -> str:
    return in_brief(error)
