"""Reads ``.npy`` files."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...io import Image, Scene, SceneChoice
from ...io.reading.npy import open_npy

__all__ = ["NpyReader"]


@attrs.frozen
class NpyReader:
    """Reads ``.npy`` files."""

    def sniff(self, location: str) -> bool:
        """Return whether it is such a file; no other reader has its suffix."""
        return True

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the only image."""
        return (Scene(number=0),)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open the image."""
        return open_npy(location, level, scene)
