"""An OME-Zarr image of 20,480 x 20,480 pixels with labels, with and without coarser levels; most of it is empty, to be written fast."""

from __future__ import annotations

from pathlib import Path

import zarr

__all__ = ["GAIN", "PIXEL", "SIZE", "SQUARE", "write_large"]

SIZE, SQUARE = 20_480, 1_024
"""Pixels along each axis of the image, and of a square of one label."""

GAIN, PIXEL = 100, 0.25
"""Grey value for each label, and micrometres of a pixel."""


def write_large(path: Path, *, levels: int) -> Path:
    """Write labels, squares on the diagonal that are numbered from 1, and an image of `GAIN` times their numbers."""
    _write(path, "uint16", levels, GAIN, {})
    zarr.create_group(str(path / "labels"), attributes={"ome": {"version": "0.5", "labels": ["cells"]}})
    _write(path / "labels" / "cells", "uint32", levels, 1, {"image-label": {"version": "0.5"}})
    return path


def _write(path: Path, dtype: str, levels: int, gain: int, more: dict[str, object]) -> None:
    group = zarr.create_group(str(path))
    datasets = []
    for n in range(levels):
        size, square = SIZE >> n, SQUARE >> n
        array = group.create_array(str(n), shape=(size, size), chunks=(1024, 1024), dtype=dtype, fill_value=0)
        for k in range(SIZE // SQUARE):
            at = slice(k * square, (k + 1) * square)
            array[at, at] = (k + 1) * gain
        datasets.append({"path": str(n), "coordinateTransformations": [{"type": "scale", "scale": [PIXEL * 2**n] * 2}]})
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}], **more}
