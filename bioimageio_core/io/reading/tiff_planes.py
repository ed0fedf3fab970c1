"""Numbers of planes that OME-XML declares, which need memory before a pixel is read."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING

from ...errors import SourceError

if TYPE_CHECKING:
    import tifffile

__all__ = ["MOST_PLANES", "check_planes"]

MOST_PLANES = 10_000_000
"""Planes of a file; tifffile keeps an entry for each."""


def check_planes(tiff: tifffile.TiffFile, location: str) -> None:
    """Refuse a file whose metadata declare more planes than a file can hold.

    Raises:
        SourceError: Its OME-XML declares more than `MOST_PLANES` planes.

    """
    described = tiff.ome_metadata or ""
    planes = sum(_planes(pixels) for pixels in re.findall(r"<(?:\w+:)?Pixels\s[^>]*>", described))
    if planes > MOST_PLANES:
        raise SourceError(f"{location} declares {planes} planes in its OME-XML: expected at most {MOST_PLANES} in one file")


def _planes(pixels: str) -> int:
    return prod(int(size) for size in re.findall(r"\bSize[ZCT]\s*=\s*[\"'](\d{1,30})[\"']", pixels))
