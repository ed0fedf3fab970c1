"""Records of Zenodo, by their DOIs and addresses."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any

import attrs

from ..errors import SourceError
from .internal_addresses import check_named_url

__all__ = ["LARGEST_RECORD", "PROTOCOL", "RecordFile", "is_doi", "read_record", "record_in", "server", "url_of_record"]

PROTOCOL = "zenodo"
"""Protocol of the URLs of files: ``zenodo://RECORD/NAME``."""

PUBLIC_SERVER = "https://zenodo.org"
"""Address of Zenodo; the environment variable BMZ_ZENODO names another server with the same API."""

LARGEST_RECORD = 16 * 2**20
"""Bytes of a record, which lists its files."""

_RECORD = re.compile(
    r"(?:(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?10\.5281/zenodo\.|https?://(?:www\.)?zenodo\.org/records?/|zenodo://)"
    r"(?P<number>[0-9]+)/?(?:[?#].*)?",
    re.IGNORECASE,
)
"""A record as its DOI, as the address of its page, and as what stands before the names of its files."""

_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)10\.[0-9]{4,9}/\S+", re.IGNORECASE)
"""A DOI that says that it is one."""


@attrs.frozen(kw_only=True)
class RecordFile:
    """A file of a record."""

    name: str
    url: str
    """Of its content."""

    size: int | None
    """In bytes; None where the record does not say."""

    checksum: str
    """Algorithm and hex digits, as in ``md5:1f``; empty where the record has none."""


def record_in(text: str) -> str | None:
    """Return the number of the record that a DOI or address names; None for anything else, and for the address of a file."""
    found = _RECORD.fullmatch(text.strip())
    return None if found is None else found["number"]


def is_doi(text: str) -> bool:
    """Return whether a text says that it is a DOI: ``doi:10...``, or an address of doi.org."""
    return _DOI.fullmatch(text.strip()) is not None


def server() -> str:
    """Return the address of the server."""
    return os.environ.get("BMZ_ZENODO", "").strip().rstrip("/") or PUBLIC_SERVER


def url_of_record(number: str) -> str:
    """Return the URL at which the server describes a record."""
    return f"{server()}/api/records/{number}"


def read_record(content: bytes, url: str) -> tuple[RecordFile, ...]:
    """Return the files of a record, sorted by name.

    Args:
        content: The record as the server describes it, in JSON.
        url: Its URL.

    Raises:
        SourceError: It is no record, lists no files, or leads to an internal network.

    """
    try:
        record = json.loads(content)
        files = tuple(sorted(_files(record), key=lambda file: file.name))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceError(f"{url} is no record of Zenodo: expected JSON with the names, checksums and addresses of its files") from None
    if not files:
        raise SourceError(f"{url} lists no files: the record may be restricted, or its files under embargo")
    for file in files:
        check_named_url(file.url, url)
    return files


def _files(record: Any) -> Iterator[RecordFile]:
    for file in record.get("files") or ():
        url = str(file["links"]["self"])
        if not url.lower().startswith(("http://", "https://")):
            raise ValueError(url)
        size = file.get("size")
        yield RecordFile(
            name=str(file["key"]), url=url, size=size if isinstance(size, int) else None, checksum=str(file.get("checksum") or "").lower()
        )
