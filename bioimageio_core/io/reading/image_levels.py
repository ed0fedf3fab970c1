"""All resolutions of an image."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...errors import SourceError
from .image import Image
from .image_opening import open_image
from .scenes import SceneChoice

__all__ = ["open_levels"]

MOST_LEVELS = 64
"""Levels that are looked for."""


def open_levels(source: Any, *, scene: SceneChoice = None) -> Iterator[Image]:
    """Yield an image at each of its resolutions, the finest first, without reading pixels.

    Args:
        source: What `open_image` opens.
        scene: Number or name of the image in a file of several.

    Raises:
        SourceError: There is no such image, or it cannot be read.
        MissingRequirementError: A package that reads this kind of file is not installed.

    """
    for number in range(MOST_LEVELS):
        try:
            yield open_image(source, level=number, scene=scene)
        except SourceError:
            if number == 0:
                raise
            return
