"""What all writers share: masks in formats without booleans, and checks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...io import ImageLayout, ReadRegion

__all__ = ["as_option", "check_has_planes", "check_not_empty", "masks_as_bytes", "stored_dtype"]

MASK = 255
"""The value of true where a format has no booleans: as masks of ImageJ, which viewers show in white."""


def stored_dtype(image: ImageLayout) -> np.dtype[Any]:
    """Return the dtype in a format without booleans: uint8 in place of bool, with the values 0 and 255."""
    return np.dtype(np.uint8) if image.dtype.kind == "b" else image.dtype


def masks_as_bytes(image: ImageLayout, read: ReadRegion) -> ReadRegion:
    """Return a function that reads regions in `stored_dtype`."""
    if image.dtype.kind != "b":
        return read

    def read_bytes(index: tuple[slice, ...], level: int) -> NDArray[Any]:
        return np.where(read(index, level), MASK, 0).astype(np.uint8)

    return read_bytes


def as_option(dtype: str) -> str:
    """Return how users choose a dtype, for messages."""
    return f'dtype="{dtype}" (--dtype {dtype})'


def check_not_empty(image: ImageLayout, format_name: str) -> None:
    """Refuse an image without pixels.

    Raises:
        ValueError: An axis has size 0.

    """
    if 0 in image.shape:
        raise ValueError(f"{format_name} holds images of at least one pixel: {image.name!r} has shape {image.shape}; store it as zarr")


def check_has_planes(image: ImageLayout, format_name: str) -> None:
    """Refuse an image without pixels, or without one of the axes y and x.

    Raises:
        ValueError: It has no planes.

    """
    check_not_empty(image, format_name)
    if image.axes[-2:] != ("y", "x"):
        raise ValueError(
            f"{format_name} holds planes with axes y and x: {image.name!r} has axes {', '.join(image.axes)}; store it as zarr or .npy"
        )
