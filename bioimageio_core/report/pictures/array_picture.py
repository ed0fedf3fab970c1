"""A plane of a labelled array as a picture of its own."""

from __future__ import annotations

from ...errors import InputError
from ...labelled_arrays import LabelledArray
from ..plain_text import sizes_in_words
from .array_planes import array_to_show, plane_picture
from .png_picture import PngPicture

__all__ = ["array_picture"]

SIDE = 1024
"""Pixels of the longer side at most."""


def array_picture(array: LabelledArray) -> PngPicture:
    """Return the middle along z, and the first position along other axes, of at most 1024 x 1024 pixels.

    Labels have a colour each, probabilities the colours of all pictures from 0 to 1, other values are grey between percentiles.

    Raises:
        InputError: The array lacks the axes y and x, or has no pixels.

    """
    shown = array_to_show(array.compute() if hasattr(array.data, "dask") else array)
    if shown is None:
        sizes = sizes_in_words(array.axes, array.shape) or "a single number"
        raise InputError(f"a picture shows a plane along y and x: found {sizes}")
    middle = {"z": array.sizes["z"] // 2} if "z" in array.axes else {}
    return PngPicture(plane_picture(shown, SIDE, full=True)(middle, 0))
