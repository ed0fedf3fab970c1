"""How the pixels of an image are read, for people who decide which file to predict from."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np

from .image import Image
from .image_reader import OneAtATime
from .readers import ArrayReader, HandleReader

__all__ = ["HowRead", "how_read"]

HowRead: TypeAlias = Literal["in memory", "memory mapped", "by region", "as a whole"]
"""``in memory``: an array that is there already. ``memory mapped``: any region, at once. ``by region``: what is stored together is read
together. ``as a whole``: the file has one unit of storage, so every region takes all of it."""


def how_read(image: Image) -> HowRead:
    """Return how regions of an image are read; one of a file is opened for that."""
    source: Any = image.reader
    if isinstance(source, HandleReader):
        source = source.handle()
        source = source.array if isinstance(source, OneAtATime) else source
        if isinstance(source, np.memmap) or isinstance(getattr(source, "mapped", None), np.memmap):
            return "memory mapped"
        if isinstance(source, np.ndarray):  # of a file that was read to open it
            return "as a whole"
    elif isinstance(source, ArrayReader) and isinstance(source.array, np.ndarray):
        return "memory mapped" if isinstance(source.array, np.memmap) else "in memory"
    one_unit = image.chunks is not None and all(c >= n for c, n in zip(image.chunks, image.source_shape or image.shape, strict=True))
    return "as a whole" if one_unit else "by region"
