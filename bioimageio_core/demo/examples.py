"""A model and images to try things with, which need no network connection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..errors import InputError, OutputError
from ..io.writing.output_store import holds_something
from .run import model_folder
from .synthetic import nuclei_block

__all__ = ["example_image", "example_model"]

PIXEL_SIZE = 0.5
"""Micrometres per pixel along y and x."""

STEP = 2.0
"""Micrometres between planes."""

SHIFT = 4
"""Pixels by which the nuclei of a plane lie further along y than those of the plane before."""

CHUNK = 512


def example_model() -> Path:
    """Return the folder of a model that finds nuclei in fluorescence images: one channel, ONNX weights, one output ``probability``."""
    return model_folder()


def example_image(path: str | os.PathLike[str], shape: tuple[int, ...] = (1024, 1024), *, overwrite: bool = False) -> Path:
    """Write an image of synthetic nuclei as OME-Zarr, and return its path.

    Pixels are uint16 counts of a camera, 0.5 micrometres along y and x; planes are 2 micrometres apart.

    Args:
        path: Folder to write, as in ``cells.ome.zarr``.
        shape: Size along y and x, or along z, y and x.
        overwrite: Replace an existing folder.

    Raises:
        InputError: The shape lacks two or three positive sizes.
        OutputError: The folder exists.

    """
    import zarr

    if len(shape) not in (2, 3) or not all(isinstance(n, int) and n > 0 for n in shape):
        raise InputError(f"shape {shape!r}: expected positive sizes along y and x, or along z, y and x, as in (1024, 1024)")
    target = Path(path).expanduser()
    if holds_something(str(target)) and not overwrite:
        raise OutputError(f"{target} exists: give overwrite=True or another name")
    axes = "zyx"[-len(shape) :]
    group = zarr.create_group(str(target), overwrite=overwrite)
    chunks = (1,) * (len(shape) - 2) + (min(CHUNK, shape[-2]), min(CHUNK, shape[-1]))
    array = group.create_array("0", shape=shape, chunks=chunks, dtype="uint16", dimension_names=tuple(axes))
    for plane in range(shape[0] if len(shape) == 3 else 1):
        for y in range(0, shape[-2], CHUNK):
            height = min(CHUNK, shape[-2] - y)
            pixels, _ = nuclei_block(0, y + SHIFT * plane, 0, height, shape[-1])
            array[(plane,) * (len(shape) - 2) + (slice(y, y + height),)] = pixels
    scale = [STEP if axis == "z" else PIXEL_SIZE for axis in axes]
    described: list[dict[str, Any]] = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in axes]
    levels: list[dict[str, Any]] = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"name": target.name, "axes": described, "datasets": levels}]}
    return target
