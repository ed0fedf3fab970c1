"""Packages as they are written: folders and zips that appear when they are complete."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

import attrs

from ..atomic_files import atomic_file, atomic_folder
from ..errors import BioimageioError, InputError, OutputError, SourceError
from ..sources.member_names import DESCRIPTION_NAMES

__all__ = ["PackageTarget", "check_target", "new_folder", "open_target"]

_DATE = (1980, 1, 1, 0, 0, 0)
"""Date of all files in zips, so that equal packages have equal bytes; the earliest date that zips can have."""

_LEVEL = 6
_OTHER_SUFFIXES = (".7z", ".gz", ".tar", ".tgz", ".yaml", ".yml")


class PackageTarget(Protocol):
    """A package that is being written."""

    def copy(self, name: str, path: Path) -> str:
        """Write a copy of a file, and return the SHA-256 of what was written."""

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""


@attrs.frozen
class _Folder:
    path: Path

    def copy(self, name: str, path: Path) -> str:
        place = self.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with _reading(path) as source, place.open("xb") as target:
            return _copy(source, target, path)

    def write(self, name: str, content: bytes) -> None:
        with (self.path / name).open("xb") as target:
            target.write(content)


@attrs.frozen
class _Zip:
    file: zipfile.ZipFile

    def copy(self, name: str, path: Path) -> str:
        with _reading(path) as source, self.file.open(_member(name, path.stat().st_size), "w") as target:
            return _copy(source, target, path)

    def write(self, name: str, content: bytes) -> None:
        with self.file.open(_member(name, len(content)), "w") as target:
            target.write(content)


def _member(name: str, size: int) -> zipfile.ZipInfo:
    """Return the header of a file in a zip, without anything that differs between machines or days."""
    info = zipfile.ZipInfo(name, date_time=_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3  # POSIX
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.file_size = size
    return info


@contextmanager
def _reading(path: Path) -> Iterator[IO[bytes]]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    with file:
        yield file


def _copy(source: IO[bytes], target: IO[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    while True:
        try:
            part = source.read(1 << 20)
        except OSError as error:
            raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
        if not part:
            return digest.hexdigest()
        digest.update(part)
        target.write(part)


def check_target(path: Path, *, overwrite: bool, marks: Collection[str] = DESCRIPTION_NAMES) -> None:
    """Refuse to write where something exists that must not be replaced.

    Args:
        path: A zip or folder.
        overwrite: Whether an existing package may be replaced.
        marks: Names of files, of which a folder must hold one to be replaced.

    Raises:
        OutputError: Something exists, and ``overwrite`` is false or it is not a package.
        InputError: The name is that of another kind of file.

    """
    if path.suffix.lower() in _OTHER_SUFFIXES:
        raise InputError(f"{path} is not a name for a package: expected a name that ends in .zip, or the name of a folder")
    if not os.path.lexists(path):
        return
    if not overwrite:
        raise OutputError(f"{path} exists already: choose another name, or overwrite it with overwrite=True (--overwrite)")
    if _is_zip(path):
        if path.is_dir():
            raise OutputError(f"{path} is a folder: expected a zip to overwrite, or another name")
    elif not path.is_dir() or path.is_symlink():
        raise OutputError(f"{path} is not a folder: expected a folder to overwrite, or another name")
    elif any(path.iterdir()) and not any((path / name).is_file() for name in marks):
        raise OutputError(f"{path} holds no description, so it is not overwritten: choose another name, or remove it first")


@contextmanager
def open_target(path: Path, *, overwrite: bool) -> Iterator[PackageTarget]:
    """Open a zip (by the suffix .zip) or a folder for writing; it appears under its name when it is complete.

    Raises:
        OutputError: It exists, or cannot be written; nothing is left behind.

    """
    check_target(path, overwrite=overwrite)
    with _output_errors(path), _zip(path, overwrite) if _is_zip(path) else _folder(path, overwrite) as target:
        yield target


@contextmanager
def new_folder(path: Path, *, overwrite: bool, marks: Collection[str] = DESCRIPTION_NAMES) -> Iterator[Path]:
    """Open a new folder for writing; it appears under its name when it is complete.

    Args:
        path: The folder.
        overwrite: Replace an existing folder, if it holds one of ``marks``.
        marks: Names of files.

    Raises:
        OutputError: It exists, or cannot be written; nothing is left behind.

    """
    check_target(path, overwrite=overwrite, marks=marks)
    with _output_errors(path), _part(path, overwrite, marks) as part:
        yield part


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BioimageioError:
        raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


@contextmanager
def _zip(path: Path, overwrite: bool) -> Iterator[PackageTarget]:
    with atomic_file(path, overwrite=overwrite) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as opened:
            yield _Zip(opened)
        check_target(path, overwrite=overwrite)


@contextmanager
def _folder(path: Path, overwrite: bool) -> Iterator[PackageTarget]:
    with _part(path, overwrite, DESCRIPTION_NAMES) as part:
        yield _Folder(part)


@contextmanager
def _part(path: Path, overwrite: bool, marks: Collection[str]) -> Iterator[Path]:
    with atomic_folder(path, overwrite=overwrite) as part:
        yield part
        check_target(path, overwrite=overwrite, marks=marks)
