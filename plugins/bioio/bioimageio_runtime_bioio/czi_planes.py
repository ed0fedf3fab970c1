"""Planes of CZI files whose scenes differ in size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["scenes_differ", "with_planes_by_place"]

SPACE = ("Y", "X", "S")
"""Dimensions of a plane, in the names of bioio."""

Region = tuple[int, int, int, int]
"""Left, top, width and height in the coordinates of the file."""


def scenes_differ(path: str) -> bool:
    """Return whether the scenes of a file have different sizes."""
    from aicspylibczi import CziFile

    with Path(path).open("rb") as file:
        return not CziFile(file).shape_is_consistent


def with_planes_by_place(data: Any, path: str, number: int) -> Any:
    """Return the xarray of a scene with planes that are read by their place in the file, and not by the number of the scene.

    aicspylibczi 4.0 takes the memory for a plane from the size of the first scene, and writes beyond it where a later one is larger.

    Args:
        data: The xarray of bioio, of which only names and sizes are used.
        path: Path of the file.
        number: Number of the scene.

    """
    import dask
    import dask.array as da
    from aicspylibczi import CziFile

    with Path(path).open("rb") as file:
        opened = CziFile(file)
        spans = opened.get_dims_shape()[number]
        box = opened.get_scene_bounding_box(spans.get("S", (number, number + 1))[0])
    region = (box.x, box.y, box.w, box.h)
    names = [str(name) for name in data.dims if name not in SPACE]
    shape = tuple(data.sizes[name] for name in SPACE if name in data.dims)
    blocks = np.empty((*(data.sizes[name] for name in names), *(1 for _ in shape)), object)
    for index in np.ndindex(blocks.shape):
        plane = {name: spans[name][0] + position for name, position in zip(names, index, strict=False) if name in spans}
        blocks[index] = da.from_delayed(dask.delayed(_read_plane)(path, region, plane, shape), shape, data.dtype)
    return data.transpose(*names, *(name for name in SPACE if name in data.dims)).copy(data=da.block(blocks.tolist()))


def _read_plane(path: str, region: Region, plane: Mapping[str, int], shape: tuple[int, ...]) -> NDArray[Any]:
    from aicspylibczi import CziFile

    with Path(path).open("rb") as file:
        return np.asarray(CziFile(file).read_mosaic(region=region, scale_factor=1.0, **plane)).reshape(shape)
