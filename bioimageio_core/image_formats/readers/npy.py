"""Reads ``.npy`` files."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...io import Image, Scene, SceneChoice
from ...io.locations import file_system
from ...io.reading.npy import MAGIC, open_npy

__all__ = ["NpyReader"]


@attrs.frozen
class NpyReader:
    """Reads ``.npy`` files."""

    def sniff(self, location: str) -> bool:
        """Return whether a file begins as such files do."""
        try:
            files, path = file_system(location)
            with files.open(path, "rb") as file:
                return bool(file.read(len(MAGIC)) == MAGIC)
        except Exception:  # of a folder, or a server that does not answer, which an error says when it is opened
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the only image."""
        return (Scene(number=0),)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open the image."""
        return open_npy(location, level, scene)
