"""Writes pictures: PNG, JPEG and BMP files."""

from __future__ import annotations

from math import prod
from pathlib import Path

import attrs
import numpy as np

from ...io import ImageLayout, ReadRegion
from .stored_values import as_option, check_has_planes, masks_as_bytes, stored_dtype

__all__ = ["PictureWriter"]

MOST_PIXELS = 100_000_000
"""Pictures are written, and opened by viewers, as a whole."""

QUALITY = 95


@attrs.frozen(kw_only=True)
class PictureWriter:
    """Writes one plane as a picture, grey or in colour."""

    format_name: str
    dtypes: tuple[str, ...]
    channels: tuple[int, ...]
    """Numbers of channels: 1 is grey, 3 are red, green and blue, the fourth is opacity."""

    lossy: bool = False
    longest: int = 2**31 - 1
    """Pixels along an axis."""

    def check(self, image: ImageLayout) -> None:
        """Refuse an image that is no such picture.

        Raises:
            ValueError: It has several planes, another number of channels, another dtype or too many pixels.

        """
        what, name = f"{self.format_name} holds", repr(image.name)
        check_has_planes(image, self.format_name)
        *leading, height, width = image.shape
        other = [axis for axis in image.axes if axis not in ("channel", "y", "x") and image.size(axis) > 1]
        if other:
            raise ValueError(
                f"{what} one plane: {name} has shape {image.shape} along {', '.join(image.axes)}; write it as .ome.tif or zarr"
            )
        if prod(leading) not in self.channels:
            counts = " or ".join(map(str, self.channels))
            raise ValueError(f"{what} {counts} channels: {name} has {prod(leading)}; write it as .ome.tif or zarr")
        if self.lossy and (image.labels or image.dtype.kind == "b"):
            raise ValueError(f"{what} approximate values, which are no labels: {name} has labels; write them as .png or .ome.tif")
        allowed = self.dtypes if prod(leading) == 1 else ("uint8",)
        if stored_dtype(image).name not in allowed:
            labels = image.labels and image.dtype.kind in "iu"
            advised = allowed[-1] if labels else "uint8"
            values = "" if labels or image.dtype.kind != "f" else ", which stores 0 to 1, or value_range= (--value-range), as 0 to 255"
            raise ValueError(f"{what} pixels of {' or '.join(allowed)}: {name} is {image.dtype}; choose {as_option(advised)}{values}")
        if height * width > MOST_PIXELS or max(height, width) > self.longest:
            longest = f", at most {self.longest} along an axis" if self.longest < MOST_PIXELS else ""
            raise ValueError(
                f"{what} up to {MOST_PIXELS // 10**6} million pixels here{longest}: {name} has {height} x {width}; "
                "write it as .ome.tif or zarr"
            )

    def write(self, image: ImageLayout, read: ReadRegion, path: Path) -> None:
        """Write a picture."""
        from PIL import Image

        pixels = masks_as_bytes(image, read)(tuple(slice(0, n) for n in image.shape), 0)
        pixels = pixels.reshape(-1, *pixels.shape[-2:])
        plane = pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)
        options = {"quality": QUALITY} if self.lossy else {}
        Image.fromarray(np.ascontiguousarray(plane)).save(path, format=self.format_name, **options)
