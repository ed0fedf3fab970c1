"""One resolution of an image as an array with its axes in the order of viewers; pixels are read where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..io import Image
from ..io.reading.chunk_cache import ChunkCache
from ..typing import AxisId

__all__ = ["LevelArray", "level_array", "read_index"]

ORDER = {"channel": 0, "time": 2, "z": 3, "y": 4, "x": 5}
"""Place of each axis; all others come between channels and time."""

CACHED = 2**25
"""Bytes of decoded chunks that are kept for each level: neighbouring tiles of a viewer share chunks."""


@attrs.frozen(kw_only=True, eq=False)
class LevelArray:
    """An image with axes channel, others, time, z, y, x, as far as it has them; dask and viewers index it like numpy."""

    image: Image
    axes: tuple[AxisId, ...]
    _numbers: tuple[int, ...]
    """For each of `axes`, its number among the axes of the image."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each of `axes`."""
        return tuple(self.image.shape[n] for n in self._numbers)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the image."""
        return self.image.dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the unit of storage; None where there is none."""
        return None if self.image.chunks is None else tuple(self.image.chunks[n] for n in self._numbers)

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Return a region; the index has a slice of step 1, or a number, for each axis."""
        return read_index(self.read, index, self.ndim)

    def read(self, box: Sequence[slice]) -> NDArray[Any]:
        """Return a region with a slice of step 1 along each of `axes`."""
        wanted = dict(zip(self._numbers, box, strict=True))
        region = self.image.read(tuple(wanted.get(n, slice(0, 1)) for n in range(len(self.image.shape))))
        dropped = [n for n in range(region.ndim) if n not in wanted]
        ordered = region.transpose([*self._numbers, *dropped])
        return ordered.reshape([ordered.shape[n] for n in range(self.ndim)])


def read_index(read: Callable[[Sequence[slice]], NDArray[Any]], index: Any, ndim: int) -> NDArray[Any]:
    """Return what an index of slices of step 1 and numbers chooses, by a function that reads slices of all axes."""
    given = index if isinstance(index, tuple) else (index,)
    given = (*given, *(slice(None),) * (ndim - len(given)))
    region = read([slice(one, one + 1) if isinstance(one, int | np.integer) else one for one in given])
    return region[tuple(0 if isinstance(one, int | np.integer) else slice(None) for one in given)]


def level_array(image: Image) -> LevelArray:
    """Return an image as an array for viewers.

    Axes of size 1 are left out, but for y and x.

    Args:
        image: An image with known axes.

    """
    assert image.axes is not None
    kept = [n for n, axis in enumerate(image.axes) if image.shape[n] > 1 or axis in ("y", "x")]
    numbers = tuple(sorted(kept, key=lambda n: ORDER.get((image.axes or ())[n], 1)))
    return LevelArray(image=_cached(image), axes=tuple(image.axes[n] for n in numbers), numbers=numbers)


def _cached(image: Image) -> Image:
    """Return an image that keeps the chunks that were read last, if it is stored in chunks and complete."""
    if image.chunks is None or image.start or image.picked or image.location is None:
        return image
    reader = ChunkCache(image.reader, shape=image.shape, chunks=image.chunks, dtype=image.dtype, limit=CACHED)
    return attrs.evolve(image, reader=reader)
