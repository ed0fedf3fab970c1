"""Arrays as what writers of image files get: a layout, and a function that reads regions."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from bioimageio_core.io import ImageLayout, ImageLevel
from bioimageio_core.typing import FrozenMapping

__all__ = ["ReadArrays", "image_to_write"]


@attrs.define
class ReadArrays:
    """Reads regions of levels, and counts how often each pixel is read."""

    levels: tuple[NDArray[Any], ...]
    counts: list[NDArray[np.uint8]] = attrs.field(init=False)
    largest: int = 0
    """Bytes of the largest region."""

    lock: Any = attrs.field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self.counts = [np.zeros(level.shape, np.uint8) for level in self.levels]

    def __call__(self, index: tuple[slice, ...], level: int) -> NDArray[Any]:
        array = self.levels[level]
        assert len(index) == array.ndim
        for part, size in zip(index, array.shape, strict=True):
            assert part.step in (None, 1)
            assert part.indices(size)[0] < part.indices(size)[1]
        with self.lock:
            self.counts[level][index] += 1
            self.largest = max(self.largest, array[index].nbytes)
        return array[index]


def image_to_write(
    array: NDArray[Any],
    axes: Sequence[str],
    *,
    chunks: Sequence[int] | None = None,
    coarser: Sequence[NDArray[Any]] = (),
    pixel_size: dict[str, tuple[float, str | None]] | None = None,
    position: dict[str, float] | None = None,
    **more: Any,
) -> tuple[ImageLayout, ReadArrays]:
    """Return an image with the pixels of an array, and its levels, all with the same chunks."""
    arrays = (array, *coarser)
    image = ImageLayout(
        name=more.pop("name", "probability"),
        axes=tuple(axes),
        dtype=array.dtype,
        levels=tuple(ImageLevel(shape=a.shape, chunks=tuple(chunks or a.shape)) for a in arrays),
        pixel_size=FrozenMapping(pixel_size or {}),
        position=FrozenMapping(position or {}),
        **more,
    )
    return image, ReadArrays(arrays)
