"""OME-Zarr images made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import zarr
from numpy.typing import NDArray

__all__ = ["POSITION", "SIZE", "ome", "write_image"]

SIZE, POSITION = (0.5, 0.25), (10.0, 20.0)
"""Size of a pixel along y and x, and the position of the first one, in micrometres."""


def ome(path: Path) -> dict[str, Any]:
    """Return the attributes of a group that OME-Zarr defines."""
    attributes: dict[str, Any] = dict(zarr.open_group(str(path), mode="r").attrs)
    return attributes.get("ome", attributes)


def write_image(path: Path, data: NDArray[Any], version: str) -> Path:
    """Write an OME-Zarr image with a pixel size and a position."""
    zarr_format: Literal[2, 3] = 2 if version == "0.4" else 3
    group = zarr.create_group(str(path), zarr_format=zarr_format)
    group.create_array("0", data=data, chunks=(64, 64))
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    placed = [{"type": "scale", "scale": list(SIZE)}, {"type": "translation", "translation": list(POSITION)}]
    multiscale = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": placed}]}
    content: dict[str, Any] = {"multiscales": [multiscale]}
    group.attrs.update({"ome": {"version": "0.5", **content}} if zarr_format == 3 else content)
    return path
