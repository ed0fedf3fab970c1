"""Series of TIFF files: positions, scenes and appended pages are images of their own; side images of slides are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .series import Series

if TYPE_CHECKING:
    import tifffile

__all__ = ["series_of_tiff"]

SIDE_IMAGES = frozenset({"thumbnail", "label", "macro", "map", "overview", "preview", "probability"})
"""Names of images that slide scanners store beside the slide, in lower case (Aperio, Hamamatsu, Philips, PerkinElmer, Ventana)."""


def series_of_tiff(tiff: tifffile.TiffFile) -> tuple[Series, ...]:
    """Return the series of an open TIFF file; the levels of a pyramid are one series."""
    return tuple(_described(number, one) for number, one in enumerate(tiff.series))


def _described(number: int, found: tifffile.TiffPageSeries) -> Series:
    size = " x ".join(map(str, found.shape))
    # A page that calls itself a reduced version of another, and is no level of its pyramid, is a thumbnail.
    is_side_image = found.name.lower() in SIDE_IMAGES or bool(found.keyframe.is_reduced)
    return Series(number=number, name=found.name, summary=f"{found.axes} {size}, {found.dtype}", is_side_image=is_side_image)
