"""Reads pictures: PNG, JPEG, BMP, GIF and WebP."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...io import Image, Scene, SceneChoice, check_single, lazy_image
from .picture_files import PictureArray, describe_picture

__all__ = ["PictureReader"]


@attrs.frozen
class PictureReader:
    """Reads pictures with Pillow, each as one image: the frames of an animation are its time axis, since they have one size."""

    def sniff(self, location: str) -> bool:
        """Return whether Pillow knows a file."""
        try:
            return bool(describe_picture(location).shape)
        except Exception:  # of a file of another kind
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the only image."""
        return (Scene(number=0),)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open the picture; its pixels are decoded at the first read, all at once, and kept while it is open.

        Raises:
            SourceError: Its colours are not red, green and blue, or it has more pixels than Pillow decodes.
            MissingRequirementError: It has 16 bits for each colour, and imagecodecs is not installed.

        """
        check_single(scene, level, location)
        picture = describe_picture(location)
        return lazy_image(
            PictureArray,
            location,
            picture,
            axes=picture.axes,
            channel_names=picture.channel_names,
            pixel_size=picture.pixel_size,
            chunks=picture.chunks,
            one_at_a_time=True,
        )
