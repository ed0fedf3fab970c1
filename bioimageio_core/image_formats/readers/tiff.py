"""Reads TIFF, OME-TIFF and ImageJ TIFF files."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...io import Image, Scene, SceneChoice
from ...io.reading.tiff import open_tiff
from ...io.reading.tiff_pages import scenes_in

__all__ = ["TiffReader"]


@attrs.frozen
class TiffReader:
    """Reads TIFF, OME-TIFF and ImageJ TIFF files."""

    def sniff(self, location: str) -> bool:
        """Return whether tifffile can open a file."""
        try:
            return bool(scenes_in(location))
        except Exception:  # of a file of another kind
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the series of a file; the levels of a pyramid are one."""
        return scenes_in(location)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open a series."""
        return open_tiff(location, level, scene)
