"""URLs that fsspec opens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from ..errors import SourceError

__all__ = ["is_url", "open_url", "path_of_url", "protocol_of", "url_errors"]


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
        raise SourceError(f"{url} needs a package that is not installed: {error}") from None
    except Exception as error:  # file systems raise what the libraries under them raise
        raise SourceError(f"{url} cannot be read: {type(error).__name__}: {error}") from None


@contextmanager
def open_url(url: str) -> Iterator[IO[bytes]]:
    """Open a URL for reading; what fails while it is read is a SourceError, too."""
    with url_errors(url):
        import fsspec

        with fsspec.open(url, "rb") as file:
            yield file
