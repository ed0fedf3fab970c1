"""What bioio tells about a scene: axes, channels, sizes of pixels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.io import local_path
from bioimageio_core.typing import FrozenMapping
from bioimageio_core.units import is_pixel_size, normalised_unit

from .czi_scene import CziScene, is_czi
from .files import open_scene
from .pixels import COLOURS, DaskScene

__all__ = ["SceneMetadata", "describe"]

AXES: Mapping[str, str] = FrozenMapping(
    {
        "T": "time", "C": "channel", "Z": "z", "Y": "y", "X": "x", "M": "mosaic",
        "H": "phase", "I": "illumination", "R": "rotation", "V": "view",
    }
)  # fmt: skip
"""Axes by the dimensions of bioio, apart from samples; others are named by their letter."""

NAMES_OF_COLOURS: Mapping[int, tuple[str, ...]] = FrozenMapping({3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")})

NUMBERED = re.compile(r"Channel:\d+(:\d+)*")
"""Names that bioio makes for channels without a name."""

MICRONS = "micrometer"
"""The unit of sizes for which bioio has none."""


@attrs.frozen(kw_only=True)
class SceneMetadata:
    """What is known of a scene."""

    stem: str
    """Name of the file without its ending."""

    axes: tuple[str, ...]
    channel_names: tuple[str, ...] | None
    pixel_size: FrozenMapping[str, tuple[float, str | None]]
    chunks: tuple[int, ...]
    """Shape of the largest part that is read at once."""


def describe(location: str, number: int, level: int) -> SceneMetadata:
    """Return what is known of a scene at a resolution; reads no pixels.

    Args:
        location: Path of the file.
        number: Number of the scene.
        level: Resolution, 0 for the finest.

    Raises:
        SourceError: There is no such level.

    """
    reader = open_scene(location, number, level)
    pixels = CziScene(location, number) if is_czi(location) else DaskScene(reader)
    dims, shape = pixels.dims, dict(zip(pixels.dims, pixels.shape, strict=True))
    if isinstance(pixels, CziScene):
        pixels.close()
        tile = {"Y": reader.dims.Y, "X": reader.dims.X, COLOURS: shape.get(COLOURS, 1)}
        chunks = tuple(min(size, tile.get(name, 1)) for name, size in shape.items())
    else:
        chunks = pixels.chunks
    colours = {COLOURS: "component" if "C" in dims else "channel"}
    sizes = _sizes(reader)
    if level:
        finest = open_scene(location, number, 0)
        if _sizes(finest) == sizes:  # those of the finest level, at which pixels are smaller
            full = finest.dims
            sizes = {axis: (size * getattr(full, axis.upper()) / shape[axis.upper()], unit) for axis, (size, unit) in sizes.items()}
    if "T" in dims:
        sizes |= _interval(reader)
    return SceneMetadata(
        stem=Path(local_path(location) or location).stem,
        axes=tuple(colours.get(name) or AXES.get(name, f"dimension_{name.lower()}") for name in dims),
        channel_names=_channel_names(reader, shape),
        pixel_size=FrozenMapping(sizes),
        chunks=chunks,
    )


def _channel_names(reader: Any, shape: Mapping[str, int]) -> tuple[str, ...] | None:
    if "C" not in shape:
        return NAMES_OF_COLOURS.get(shape.get(COLOURS, 0))
    names = tuple(str(name) for name in reader.channel_names or ())
    unnamed = all(NUMBERED.fullmatch(name) or name == str(number) for number, name in enumerate(names))
    return None if unnamed else names


def _sizes(reader: Any) -> dict[str, tuple[float, str | None]]:
    """Return sizes of pixels along x, y and z; 0 and None are those that bioio does not know."""
    found = reader.physical_pixel_sizes
    sizes = {axis: getattr(found, axis.upper(), None) for axis in ("z", "y", "x")}
    return {axis: (float(size), _unit(reader, axis.upper()) or MICRONS) for axis, size in sizes.items() if size and is_pixel_size(size)}


def _interval(reader: Any) -> dict[str, tuple[float, str | None]]:
    """Return the time between two timepoints, where bioio knows it."""
    found = reader.time_interval
    interval = (found.total_seconds(), "second") if isinstance(found, timedelta) else (float(found or 0), _unit(reader, "T"))
    return {"time": interval} if is_pixel_size(interval[0]) else {}


def _unit(reader: Any, dimension: str) -> str | None:
    """Return the unit of a dimension, in the names of OME-Zarr."""
    properties = getattr(reader, "dimension_properties", None)
    unit = getattr(getattr(properties, dimension, None), "unit", None)
    return None if unit is None else normalised_unit(str(getattr(unit, "value", unit)))
