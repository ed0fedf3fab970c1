"""Planes of TIFF files: how many OME-XML declares, which need memory before a pixel is read, and whether the file has them."""

from __future__ import annotations

import re
from contextlib import nullcontext
from math import prod
from typing import TYPE_CHECKING

from ...errors import SourceError

if TYPE_CHECKING:
    import tifffile

__all__ = ["MOST_PLANES", "check_last_page", "check_planes"]

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


def check_last_page(tiff: tifffile.TiffFile, location: str) -> None:
    """Refuse a file whose last page names a further one beyond the end of the file, which tifffile takes for the end of the pages.

    Raises:
        SourceError: The file ends early.

    """
    if tiff.is_ndpi or any(series.kind == "imagej" for series in tiff.series):  # whose next pages need not be looked at
        return
    place, file = tiff.pages.next_page_offset, tiff.filehandle
    if place is None:
        return
    with file.lock or nullcontext():
        file.seek(place)
        following = int.from_bytes(file.read(tiff.tiff.offsetsize), "little" if tiff.byteorder == "<" else "big")
    if following >= file.size:
        raise SourceError(f"{location} ends early: its last page names a further one at byte {following}, the file has {file.size} bytes")


def _planes(pixels: str) -> int:
    return prod(int(size) for size in re.findall(r"\bSize[ZCT]\s*=\s*[\"'](\d{1,30})[\"']", pixels))
