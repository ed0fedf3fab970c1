"""What a writer of image files does: the contract of the hook ``bioimageio_image_writers``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

import attrs
import numpy as np
from numpy.typing import NDArray

from ...typing import AxisId, FrozenMapping
from ..reading.image import PixelSize

__all__ = ["ImageLayout", "ImageLevel", "ImageWriter", "ReadRegion"]


@attrs.frozen(kw_only=True)
class ImageLevel:
    """One resolution of an image."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """Shape of the unit in which it is stored until it is written: regions of complete chunks are read fastest."""


@attrs.frozen(kw_only=True)
class ImageLayout:
    """An image to be written, all but its pixels."""

    name: str
    axes: tuple[AxisId, ...]
    """Among time, channel (or one other axis), z, y, x, in this order; a batch of size 1 may be among them."""

    dtype: np.dtype[Any]
    """Bool, integer or floating point, in native byte order."""

    levels: tuple[ImageLevel, ...]
    """The finest first; only one unless the entry says that the format holds ``levels``."""

    channel_names: tuple[str, ...] | None = None
    pixel_size: FrozenMapping[AxisId, PixelSize] = FrozenMapping()
    """Size of a pixel and the name of its unit along axes of space and time, where known."""

    position: FrozenMapping[AxisId, float] = FrozenMapping()
    """Position of the centre of the first pixel, in the units of `pixel_size`, where known."""

    labels: bool = False
    """Whether the pixels are ids of objects, or of classes, and no intensities."""

    record: Mapping[str, Any] = FrozenMapping()
    """How the image was made, as JSON values: the model, its weights, the version of this library."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the finest level."""
        return self.levels[0].shape

    def size(self, axis: AxisId) -> int:
        """Return the size along an axis; 1 where the image does not have it."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1


ReadRegion: TypeAlias = Callable[[tuple[slice, ...], int], NDArray[Any]]
"""``(index, level) -> pixels``: a region of the image at a level, one slice of step 1 per axis of the layout."""


@runtime_checkable
class ImageWriter(Protocol):
    """Writes a format of image files."""

    def check(self, image: ImageLayout) -> None:
        """Refuse an image that the format cannot hold, before anything is computed.

        Raises:
            ValueError: The format cannot hold it; one sentence that says what it holds.

        """
        ...

    def write(self, image: ImageLayout, read: ReadRegion, path: Path) -> None:
        """Write a complete image, a region at a time.

        Args:
            image: The image, which `check` accepted.
            read: Reads its pixels, in any order, from any thread.
            path: A local path that does not exist yet, with the ending that was asked for. The caller gives the file its place
                when it is complete, so that no half-written file looks whole.

        """
        ...
