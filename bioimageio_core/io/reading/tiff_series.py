"""Scenes of TIFF files, which tifffile calls series: positions and appended pages are images; side images of slides are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .scenes import Scene

if TYPE_CHECKING:
    import tifffile

__all__ = ["series_of_tiff"]

SIDE_IMAGES = frozenset({"thumbnail", "label", "macro", "map", "overview", "preview", "probability"})
"""Names of images that slide scanners store beside the slide, in lower case (Aperio, Hamamatsu, Philips, PerkinElmer, Ventana)."""


def series_of_tiff(tiff: tifffile.TiffFile) -> tuple[Scene, ...]:
    """Return the series of an open TIFF file; the levels of a pyramid are one series."""
    return tuple(_described(number, one) for number, one in enumerate(tiff.series))


def _described(number: int, found: tifffile.TiffPageSeries) -> Scene:
    size = " x ".join(map(str, found.shape))
    # A page that calls itself a reduced version of another, and is no level of its pyramid, is a thumbnail.
    is_side_image = found.name.lower() in SIDE_IMAGES or bool(found.keyframe.is_reduced)
    return Scene(number=number, name=found.name, summary=f"{found.axes} {size}, {found.dtype}", is_side_image=is_side_image)
