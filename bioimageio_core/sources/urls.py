"""URLs that fsspec opens, with their time limit; one place for packages, weights and images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from ..errors import BioimageioError, SourceError
from ..text import in_brief, without_secrets
from ..time_limits import time_limit
from . import hugging_face, zenodo
from .internal_addresses import client

__all__ = [
    "file_system",
    "is_url",
    "list_url",
    "missing_package",
    "open_url",
    "path_of_url",
    "protocol_of",
    "server_failure",
    "server_status",
    "server_time_limit",
    "storage_options",
    "url_errors",
]


def is_url(text: str) -> bool:
    """Return whether ``text`` is a URL, which fsspec opens, and not a local path."""
    return "://" in text


def protocol_of(url: str) -> str:
    """Return the part of a URL before ``://``, in lower case."""
    return url.partition("://")[0].lower()


def path_of_url(url: str) -> str:
    """Return a relative path for the content of a URL that ends in the name of the file; URLs with different queries differ in it.

    Some servers append ``/content`` to the name of the file.
    """
    query = url.partition("?")[2]
    folder, _, name = without_secrets(url).partition("?")[0].removesuffix("/content").replace("://", "/").rpartition("/")
    apart = [hashlib.sha256(query.encode()).hexdigest()[:16]] if query else []
    return "/".join([folder, *apart, name])


@contextmanager
def url_errors(url: str) -> Iterator[None]:
    """Turn whatever fails while a URL is read into a SourceError that names it."""
    try:
        yield
    except BioimageioError:
        raise
    except ImportError as error:
        raise SourceError(missing_package(url, error)) from None
    except Exception as error:  # file systems raise what the libraries under them raise
        cause = _cause(error)
        if isinstance(cause, SourceError):
            raise cause from None
        reason = server_failure(error) or in_brief(cause, named=True)
        raise SourceError(f"{url} cannot be read: {reason}") from None


EXTRAS = {"hf": "hf", "s3": "s3", "s3a": "s3"}
"""Extras of this distribution that bring what a protocol needs."""


def missing_package(url: str, error: ImportError) -> str:
    """Return what to do where the package of a protocol is not installed."""
    extra = EXTRAS.get(protocol_of(url))
    remedy = f": pip install 'bioimageio-runtime[{extra}]'" if extra else ""
    return f"{url} needs a package that is not installed ({error}){remedy}"


def server_failure(error: BaseException) -> str | None:
    """Return what a server did wrong: it answered with an error, or not at all; None where something else failed.

    For either, fsspec raises FileNotFoundError, with the cause chained to it.
    """
    for cause in _causes(error):
        status, reason = _status(cause)
        if status is not None:
            return f"the server answered {status} {reason}".strip()
        if isinstance(cause, TimeoutError) or "TimeoutException" in _kinds(cause):  # of httpx
            return (
                f"the server sent nothing for {server_time_limit():g} s; the environment variable BMZ_TIMEOUT sets another limit in seconds"
            )
        if "ClientConnectorError" in _kinds(cause):  # of aiohttp
            place = f"{getattr(cause, 'host', '')}:{getattr(cause, 'port', '')}"
            known = getattr(getattr(cause, "os_error", None), "strerror", None)
            return f"the server {place} cannot be reached ({in_brief(known or cause)})"
    return None


def server_status(error: BaseException) -> int | None:
    """Return the status with which a server answered, of an error and its causes; None where none did."""
    return next((status for cause in _causes(error) if (status := _status(cause)[0]) is not None), None)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _kinds(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: BaseException) -> tuple[int | None, str]:
    """Return the status and reason of a server's answer, of exceptions of aiohttp, httpx and requests; None where there is none."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status, str(getattr(error, "message", ""))
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if isinstance(status, int):
        return status, str(getattr(response, "reason_phrase", None) or getattr(response, "reason", ""))
    return None, ""


def _cause(error: Exception) -> BaseException:
    return error.__cause__ if isinstance(error, FileNotFoundError) and error.__cause__ is not None else error


def server_time_limit() -> float:
    """Return for how many seconds a server may send nothing; the time of a complete download is not limited."""
    return time_limit() or 60


def storage_options(url: str) -> dict[str, Any]:
    """Return the arguments with which fsspec opens a URL, so that a server that sends nothing is given up.

    Everything that is read from URLs is opened with them: packages, weights and images.
    """
    protocols = [p for p in ("http", "https", hugging_face.PROTOCOL) if f"{p}://" in url.lower()]
    options = {p: _hub_options() if p == hugging_face.PROTOCOL else _http_options() for p in protocols}
    return options if "::" in url else options[protocols[0]] if protocols else {}


def _http_options() -> dict[str, Any]:
    import aiohttp

    # Without a timeout of its own, aiohttp ends every download after five minutes.
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=server_time_limit(), sock_read=server_time_limit())
    return {"client_kwargs": {"timeout": timeout}, "get_client": client}


def _hub_options() -> dict[str, Any]:
    hugging_face.import_hub(server_time_limit())
    return dict(hugging_face.hub_options())


def file_system(url: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path there."""
    import fsspec

    protocol = protocol_of(url)
    if protocol == zenodo.PROTOCOL:
        return _record_files(url)
    files, path = fsspec.core.url_to_fs(url, **storage_options(url))
    return (hugging_face.HubFiles(files, url, server_time_limit()) if protocol == hugging_face.PROTOCOL else files), path


def _record_files(url: str) -> tuple[Any, str]:
    from .zenodo_files import RecordFiles

    server, _ = file_system(zenodo.server())
    return RecordFiles(server, server_time_limit()), RecordFiles._strip_protocol(url)


def list_url(url: str) -> list[str] | None:
    """Return the sorted names of the files in a folder; None where the folder does not exist."""
    with url_errors(url):
        files, path = file_system(url)
        files.invalidate_cache(path)
        if not files.isdir(path):
            return None
        return sorted(str(entry["name"]).rpartition("/")[2] for entry in files.ls(path, detail=True) if entry["type"] == "file")


@contextmanager
def open_url(url: str) -> Iterator[IO[bytes]]:
    """Open a URL for reading; errors while it is read are SourceErrors as well."""
    with url_errors(url):
        files, path = file_system(url)
        with files.open(path, "rb") as file:
            yield file
