"""Pixels of a scene as a dask array."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from bioimageio_core.io import local_path

from .czi_planes import scenes_differ, with_planes_by_place
from .files import is_czi, open_scene

__all__ = ["labelled_pixels", "open_pixels"]

TILES = "M"
"""The dimension of the tiles of a mosaic."""

SAMPLES = "S"
"""The dimension of the colours of a pixel."""

KEPT = ("Y", "X", "C")
"""Dimensions that stay where they have a single position; others are left out then."""


def open_pixels(location: str, number: int, level: int) -> Any:
    """Return a scene as a dask array, with the dimensions of `labelled_pixels`."""
    return labelled_pixels(open_scene(location, number, level), location).data


def labelled_pixels(reader: Any, location: str) -> Any:
    """Return a scene as an xarray over a dask array.

    Tiles of a mosaic are put together, if the reader can, and stay a dimension otherwise.
    Dimensions of a single position are left out, apart from y, x and channels; of those, where colours are channels.

    Args:
        reader: The reader of bioio, at the scene and level.
        location: Path of the file.

    """
    data = _stitched(reader, location)
    if is_czi(location) and data.sizes.get(SAMPLES) == 3:
        # Files of ZEISS hold blue first, and bioio leaves it there.
        data = data.isel({SAMPLES: slice(None, None, -1)})
    colours = data.sizes.get(SAMPLES, 1) > 1
    single = [name for name, size in data.sizes.items() if size == 1 and (name not in KEPT or (name == "C" and colours))]
    return data.isel(dict.fromkeys(single, 0), drop=True)


def _stitched(reader: Any, location: str) -> Any:
    if TILES in reader.dims.order:
        try:
            return reader.mosaic_xarray_dask_data
        except NotImplementedError:
            pass
    elif is_czi(location) and len(reader.scenes) > 1 and find_spec("aicspylibczi") is not None:
        path = local_path(location) or location
        if scenes_differ(path):
            return with_planes_by_place(reader.xarray_dask_data, path, reader.current_scene_index)
    return reader.xarray_dask_data
