"""Files that a card embeds: covers and documentation, if they are in the package on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs

from ...errors import SourceError
from ...sources import Package
from ..html.data_url import data_url

__all__ = ["CoverCard", "cover_cards", "documentation_text"]

LARGEST_COVER = 2_000_000
"""Bytes; a page does not embed a larger cover."""

LARGEST_DOCUMENTATION = 1_000_000
"""Bytes; a page does not embed a longer documentation."""

_MEDIA_TYPES = {".gif": "image/gif", ".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".svg": "image/svg+xml"}
"""Media types that browsers show; within an ``img``, SVG runs no scripts and loads nothing."""


@attrs.frozen(kw_only=True)
class CoverCard:
    """A picture of a resource."""

    source: str
    data_url: str | None = attrs.field(default=None, repr=False)
    """The picture itself; None if it is not on this machine, is too large, or has a type that browsers do not show."""


def cover_cards(sources: Sequence[str], package: Package) -> tuple[CoverCard, ...]:
    """Return a card for each cover, with the picture if it is in the package on this machine."""
    return tuple(CoverCard(source=source, data_url=_cover_url(source, package)) for source in sources)


def documentation_text(source: str | None, package: Package) -> str | None:
    """Return the text of the documentation if it is in the package on this machine."""
    content = None if source is None else _read(source, package, LARGEST_DOCUMENTATION)
    return None if content is None else content.decode("utf-8", "replace")


def _cover_url(source: str, package: Package) -> str | None:
    media_type = _MEDIA_TYPES.get(Path(source).suffix.lower())
    content = None if media_type is None else _read(source, package, LARGEST_COVER)
    return None if media_type is None or content is None else data_url(media_type, content)


def _read(source: str, package: Package, limit: int) -> bytes | None:
    """Return a file of at most `limit` bytes that is within the package; a page must not publish files from elsewhere."""
    if not package.holds(source):
        return None
    size = package.size_of(source)
    if size is None or size > limit:
        return None
    try:
        return package.local(source).read_bytes()
    except (SourceError, OSError):
        return None
