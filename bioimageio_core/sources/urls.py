"""URLs that fsspec opens."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from ..errors import SourceError

__all__ = ["file_system", "is_url", "list_url", "open_url", "path_of_url", "protocol_of", "url_errors"]


def is_url(text: str) -> bool:
    """Return whether fsspec, not the local file system, has to open ``text``."""
    return "://" in text


def protocol_of(url: str) -> str:
    """Return what stands before ``://``, in lower case."""
    return url.partition("://")[0].lower()


def path_of_url(url: str) -> str:
    """Return a path for the content of a URL: its own, with queries told apart, ending in the name of the file.

    Some servers put ``/content`` behind the name of the file.
    """
    plain, _, query = url.partition("?")
    folder, _, name = plain.removesuffix("/content").replace("://", "/").rpartition("/")
    apart = [hashlib.sha256(query.encode()).hexdigest()[:16]] if query else []
    return "/".join([folder, *apart, name])


@contextmanager
def url_errors(url: str) -> Iterator[None]:
    """Turn whatever fails while a URL is read into a SourceError that names it."""
    try:
        yield
    except SourceError:
        raise
    except ImportError as error:
        extra = _EXTRAS.get(protocol_of(url))
        remedy = f"; install bioimageio-runtime[{extra}]" if extra else ""
        raise SourceError(f"{url} needs a package that is not installed: {error}{remedy}") from None
    except Exception as error:  # file systems raise what the libraries under them raise
        raise SourceError(f"{url} cannot be read: {_reason(error)}") from None


_EXTRAS = {"http": "http", "https": "http", "s3": "s3", "s3a": "s3"}
"""Extras of this distribution that bring what a protocol needs."""


def _reason(error: BaseException) -> str:
    """Return why something failed: fsspec says of whatever a server did that the file was not found, and chains the cause."""
    cause: BaseException | None = error
    while cause is not None:
        status = getattr(cause, "status", None)
        if isinstance(status, int):
            return f"the server answered {status} {getattr(cause, 'message', '')}".strip()
        if isinstance(cause, TimeoutError):
            return f"nothing came for {_patience():g} s; the environment variable BMZ_TIMEOUT names another number of seconds"
        cause = cause.__cause__
    told = error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ is not None else error
    return " ".join(f"{type(told).__name__}: {told}".split())


def _patience() -> float:
    """Return for how many seconds a server may say nothing; how long a whole download takes is not limited."""
    written = os.environ.get("BMZ_TIMEOUT", "").strip()
    try:
        seconds = float(written or 60)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise SourceError(f"the environment variable BMZ_TIMEOUT is {written!r}: expected a number of seconds above 0, such as 60")
    return seconds


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path there."""
    import fsspec

    if protocol_of(url) not in ("http", "https"):
        return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]
    import aiohttp

    # Without this, aiohttp ends every download after five minutes.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_patience(), sock_read=_patience())
    return fsspec.core.url_to_fs(url, client_kwargs={"timeout": timeout})  # type: ignore[no-any-return]


def list_url(url: str) -> list[str] | None:
    """Return the names of the files in a folder, sorted; None where there is no such folder."""
    with url_errors(url):
        files, path = file_system(url)
        files.invalidate_cache(path)
        if not files.isdir(path):
            return None
        return sorted(str(entry["name"]).rpartition("/")[2] for entry in files.ls(path, detail=True) if entry["type"] == "file")


@contextmanager
def open_url(url: str) -> Iterator[IO[bytes]]:
    """Open a URL for reading; what fails while it is read is a SourceError, too."""
    with url_errors(url):
        files, path = file_system(url)
        with files.open(path, "rb") as file:
            yield file
