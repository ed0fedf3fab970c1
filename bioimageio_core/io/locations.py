"""Paths and URLs of images: which are local, and how the rest is reached."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BioimageioError, MissingRequirementError, SourceError
from ..file_kinds import stem
from ..places import absolute_path, local_path
from ..sources import urls
from ..text import in_brief

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["exists", "file_system", "join", "local_path", "opening_errors", "parent", "stem", "within_archive", "zarr_store"]

GONE = (404, 410)
"""Statuses with which a server says that there is nothing."""

TOO_MANY_REQUESTS = 429
"""Status with which a server asks for fewer requests."""


def file_system(location: str) -> tuple[Any, str]:
    """Return the fsspec file system of a path or URL, and the path within it.

    Raises:
        MissingRequirementError: The protocol needs a package that is not installed.
        SourceError: The protocol is unknown.

    """
    local = local_path(location)
    if local is not None:
        from fsspec.implementations.local import LocalFileSystem

        return LocalFileSystem(), str(LocalFileSystem._strip_protocol(absolute_path(local)))
    with _protocol_errors(location):
        files, path = urls.file_system(location)
    return files, str(path)


def zarr_store(location: str, *, read_only: bool) -> Store:
    """Return the zarr store at a path or URL, without touching it.

    Raises:
        MissingRequirementError: The protocol needs a package that is not installed.
        SourceError: The protocol is unknown.

    """
    from zarr.storage import FsspecStore, LocalStore

    local = local_path(location)
    if local is not None:
        return LocalStore(local, read_only=read_only)
    with _protocol_errors(location):
        kind = FsspecStore
        if read_only:
            from .remote_store import ReadOnlyStore

            kind = ReadOnlyStore
        return kind.from_url(location, storage_options=urls.storage_options(location), read_only=read_only)


@contextmanager
def _protocol_errors(location: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingRequirementError(urls.missing_package(location, error)) from error
    except ValueError as error:
        if isinstance(error, BioimageioError):
            raise
        raise SourceError(f"{location} cannot be opened: {error}") from error


def exists(files: Any, path: str, *, shown: str | None = None) -> bool:
    """Return whether there is something at a path of an fsspec file system.

    Args:
        files: The file system.
        path: The path.
        shown: What to call it in messages; by default the path.

    Raises:
        SourceError: That cannot be found out: the place cannot be read, or its server cannot be reached. Of either, fsspec's own
            ``exists`` says that there is nothing.

    """
    try:
        files.info(path)
    except BioimageioError:
        raise
    except Exception as error:  # libraries of object stores raise errors of their own
        if not _is_absence(error, files):
            raise SourceError(f"{shown or path} cannot be read: {urls.server_failure(error) or in_brief(error, named=True)}") from error
        return False
    return True


def _is_absence(error: BaseException, files: Any) -> bool:
    """Return whether an error of a file system says that there is nothing, and not that it could not look."""
    from fsspec.implementations.local import LocalFileSystem

    if isinstance(error, FileNotFoundError | NotADirectoryError):  # over HTTP, also of every failure, which is its cause
        return error.__cause__ is None or _is_absence(error.__cause__, files)
    if isinstance(error, PermissionError):  # of object stores, where the name is missing and the user may not list
        return not isinstance(files, LocalFileSystem)
    if isinstance(error, OSError):
        return error.errno == errno.ENAMETOOLONG
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status < 500 and status != TOO_MANY_REQUESTS
    return isinstance(error, ValueError)  # the path is none that the file system could have


@contextmanager
def opening_errors(location: str, kind: str) -> Iterator[None]:
    """Turn whatever fails while an image is opened into a SourceError that names it.

    Args:
        location: Path or URL of the image.
        kind: What it is read as, such as ``TIFF``.

    """
    try:
        yield
    except BioimageioError:
        raise
    except Exception as error:  # readers raise errors of many kinds on damaged files
        failure = urls.server_failure(error)
        if isinstance(error, FileNotFoundError) and (failure is None or urls.server_status(error) in GONE):
            raise SourceError(f"{location} does not exist") from error
        raise SourceError(f"{location} cannot be read{f': {failure}' if failure else f' as {kind}: {in_brief(error)}'}") from error


def join(location: str, *names: str) -> str:
    """Return the location of something below a folder, also one in an archive (``zip://folder::archive.zip``)."""
    first, chain, beneath = location.partition("::")
    if chain and "://" not in first:  # a cache, as in simplecache::s3://bucket, names nothing itself
        return f"{first}::{join(beneath, *names)}"
    head = first if first.endswith("://") else first.rstrip("/") + "/"
    return head + "/".join(name.strip("/") for name in names) + chain + beneath


def parent(location: str) -> str | None:
    """Return the location of the folder that holds something, also one in an archive (``zip://folder::archive.zip``); None at the top."""
    first, chain, beneath = location.partition("::")
    if chain and "://" not in first:
        folder = parent(beneath)
        return None if folder is None else f"{first}::{folder}"
    scheme, mark, path = first.rpartition("://")
    above, slash, name = path.rstrip("/").rpartition("/")
    if not name or (not slash and mark and not chain):
        return None
    return f"{scheme}{mark}{above or slash or ('' if chain else '.')}{chain}{beneath}"


def within_archive(location: str, endings: Sequence[str]) -> str | None:
    """Return the URL of a path that leads into a zip archive, as in ``a.zarr.zip/labels``; None where it leads into none.

    Args:
        location: Path or URL.
        endings: Of names of archives, in lower case.

    """
    if "::" in location:
        return None
    parts = location.rstrip("/").split("/")
    for n, part in enumerate(parts, start=1):
        archive = "/".join(parts[:n])
        if part.lower().endswith(tuple(endings)):
            local = local_path(archive)
            if local is not None and Path(local).is_dir():
                continue
            return f"zip://{'/'.join(parts[n:])}::{archive if local is None else Path(local).absolute()}"
    return None
