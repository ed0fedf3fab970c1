"""Pixels of a scene as an array with named dimensions."""

from __future__ import annotations

from typing import Any

from .czi_scene import CziScene, is_czi
from .files import open_scene

__all__ = ["DaskScene", "open_pixels"]

TILES = "M"
"""The dimension of the tiles of a mosaic."""

COLOURS = "S"
"""The dimension of the colours of a pixel."""

KEPT = ("Y", "X", "C")
"""Dimensions that stay where they have a single position; others are left out then."""


def open_pixels(location: str, number: int, level: int) -> CziScene | DaskScene:
    """Open a scene at a resolution."""
    return CziScene(location, number) if is_czi(location) else DaskScene(open_scene(location, number, level))


class DaskScene:
    """A scene as an array that bioio reads.

    Tiles of a mosaic are put together, if bioio can, and stay a dimension otherwise.
    Dimensions of a single position are left out, apart from y, x and channels; of those, where colours are channels.

    Args:
        reader: The reader of bioio, at the scene and level.

    """

    def __init__(self, reader: Any) -> None:
        data = _stitched(reader)
        colours = data.sizes.get(COLOURS, 1) > 1
        single = [name for name, size in data.sizes.items() if size == 1 and (name not in KEPT or (name == "C" and colours))]
        data = data.isel(dict.fromkeys(single, 0), drop=True)
        self._pixels = data.data
        self.dims = tuple(str(name) for name in data.dims)
        self.shape, self.dtype = self._pixels.shape, self._pixels.dtype
        self.chunks = tuple(max(along) for along in self._pixels.chunks)

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        return self._pixels[index]


def _stitched(reader: Any) -> Any:
    if TILES in reader.dims.order:
        try:
            return reader.mosaic_xarray_dask_data
        except NotImplementedError:
            pass
    return reader.xarray_dask_data
