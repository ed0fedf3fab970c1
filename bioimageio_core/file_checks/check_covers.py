"""Checks that covers can be read, are small enough, and have the expected aspect ratio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..spec.node import Issue, Loc
from .image_sizes import image_size

__all__ = ["cover_problems"]

LARGEST_COVER = 500_000
"""Bytes that the format asks covers to stay below."""

_TOLERANCE = 0.02
"""Allowed relative difference of the aspect ratio: a pixel of rounding, or a thin frame."""


def cover_problems(path: Path, loc: Loc, *, square_too: bool) -> Iterator[Issue]:
    """Yield a problem if an image has no readable header (an error), is large, or has another aspect ratio than 2:1 or, if allowed, 1:1."""
    try:
        size = image_size(path)
    except ValueError as error:
        yield Issue(loc=loc, message=f"expected an image, found {error}")
        return
    bytes_ = path.stat().st_size
    if bytes_ >= LARGEST_COVER:
        yield Issue(loc=loc, message=f"expected less than 500 kB, found {bytes_ / 1000:.0f} kB", severity="warning")
    if size is None:
        return
    width, height = size
    if not any(abs(width / height / ratio - 1) <= _TOLERANCE for ratio in ((2, 1) if square_too else (2,))):
        wanted = "2:1 or 1:1" if square_too else "2:1"
        message = f"expected an aspect ratio (width to height) of {wanted}, found {width} x {height} pixels"
        yield Issue(loc=loc, message=message, severity="warning")
