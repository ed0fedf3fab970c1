"""Files that a card shows: covers and documentation, as far as they are at hand."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import attrs

from ..errors import SourceError
from ..sources import Package

__all__ = ["CoverCard", "covers", "data_url", "documentation_text"]

LARGEST_COVER = 2_000_000
"""Bytes up to which a cover is part of a page."""

LARGEST_DOCUMENTATION = 1_000_000
"""Bytes up to which documentation is part of a page."""

_TYPES = {".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml"}
"""Media types that browsers show; within an ``img``, SVG runs no scripts and loads nothing."""


@attrs.frozen(kw_only=True)
class CoverCard:
    """A picture of a resource."""

    source: str
    data_url: str | None = attrs.field(default=None, repr=False)
    """The picture itself; None where it is not at hand, too large, or nothing that browsers show."""


def covers(sources: Sequence[str], package: Package) -> tuple[CoverCard, ...]:
    """Return the covers, with those that lie in the package on this machine."""
    return tuple(CoverCard(source=source, data_url=_data_url(source, package)) for source in sources)


def documentation_text(source: str | None, package: Package) -> str | None:
    """Return the text of the documentation if it lies in the package on this machine."""
    content = None if source is None else _content(source, package, LARGEST_DOCUMENTATION)
    return None if content is None else content.decode("utf-8", "replace")


def _data_url(source: str, package: Package) -> str | None:
    media_type = _TYPES.get(Path(source).suffix.lower())
    content = None if media_type is None else _content(source, package, LARGEST_COVER)
    return None if media_type is None or content is None else data_url(media_type, content)


def data_url(media_type: str, content: bytes) -> str:
    """Return a URL that holds a file itself."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _content(source: str, package: Package, limit: int) -> bytes | None:
    """Return a file that lies within the package; what lies outside is not for others to see."""
    if not package.holds(source):
        return None
    size = package.size_of(source)
    if size is None or size > limit:
        return None
    try:
        return package.local(source).read_bytes()
    except (SourceError, OSError):
        return None
