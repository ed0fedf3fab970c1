"""Paths and URLs: which are local, and how the rest is reached."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..errors import MissingRequirementError, SourceError

if TYPE_CHECKING:
    from zarr.abc.store import Store

__all__ = ["file_system", "join", "local_path", "stem", "zarr_store"]


def local_path(location: str) -> str | None:
    """Return the path of a local file or folder, None for anything that needs a network or lives in memory."""
    if location.startswith("file://"):
        return location.removeprefix("file://").removeprefix("localhost") or "/"
    if "://" in location or "::" in location:
        return None
    return os.path.expanduser(location)  # noqa: PTH111  (text in, text out: a trailing slash or a drive stay as they are)


def file_system(location: str) -> tuple[Any, str]:
    """Return the fsspec file system of a path or URL, and the path within it.

    Raises:
        MissingRequirementError: The protocol needs a package that is not installed.
        SourceError: The protocol is unknown.

    """
    import fsspec

    local = local_path(location)
    try:
        file_system, path = fsspec.core.url_to_fs(os.path.abspath(local) if local is not None else location)  # noqa: PTH100
    except ImportError as error:
        raise MissingRequirementError(f"{location} can't be opened: {error}.") from error
    except ValueError as error:
        raise SourceError(f"{location} can't be opened: {error}.") from error
    return file_system, str(path)


def zarr_store(location: str, *, read_only: bool) -> Store:
    """Return the zarr store at a path or URL, without touching it."""
    from zarr.storage import FsspecStore, LocalStore

    local = local_path(location)
    if local is not None:
        return LocalStore(local, read_only=read_only)
    try:
        return FsspecStore.from_url(location, read_only=read_only)
    except ImportError as error:
        raise MissingRequirementError(f"{location} can't be opened: {error}.") from error
    except ValueError as error:
        raise SourceError(f"{location} can't be opened: {error}.") from error


def join(location: str, *names: str) -> str:
    """Return the location of something below a folder."""
    return "/".join([location.rstrip("/"), *(name.strip("/") for name in names)])


def stem(location: str) -> str:
    """Return the name of a file or folder up to its first dot."""
    last = location.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return last.partition(".")[0] or last
