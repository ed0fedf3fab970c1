"""Writes hyperstacks of ImageJ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...io import ImageLayout, ImageLevel, ReadRegion
from ...units import METRES, conversion, unit_symbol
from .plane_rows import plane_rows
from .stored_values import as_option, check_has_planes, masks_as_bytes, stored_dtype

__all__ = ["ImagejTiffWriter"]

DTYPES = ("uint8", "uint16", "float32")
ORDER = ("time", "z", "channel", "y", "x")
"""Axes of a hyperstack; another axis may be in place of the channels."""

MOST_PIXELS = 2**31 - 1
"""Pixels of a plane, which is one array of Java."""

MOST_BYTES = 2**32 - 2**24
"""Larger files have the metadata of the first plane only, as ImageJ itself writes and reads them."""

MOST_COLOURS = 7
"""Channels that ImageJ shows at once."""

ROWS = 1024


@attrs.frozen
class ImagejTiffWriter:
    """Writes TIFF as ImageJ does: the planes of a hyperstack behind each other, not compressed, with the calibration of ImageJ."""

    def check(self, image: ImageLayout) -> None:
        """Refuse an image that no hyperstack can hold.

        Raises:
            ValueError: It has no planes y, x, planes that are too large, or another dtype than uint8, uint16 and float32.

        """
        check_has_planes(image, "ImageJ")
        dtype = stored_dtype(image)
        if dtype.name not in DTYPES:
            advised = "float32" if dtype.kind == "f" else "uint16"
            raise ValueError(
                f"ImageJ holds uint8, uint16 and float32: {image.name!r} is {dtype}; choose {as_option(advised)}, "
                "or write OME-TIFF (.ome.tif)"
            )
        if prod(image.shape[-2:]) > MOST_PIXELS:
            raise ValueError(
                f"ImageJ holds planes of up to {MOST_PIXELS} pixels: {image.name!r} has {image.shape[-2]} x {image.shape[-1]}; "
                "write OME-TIFF (.ome.tif), which Bio-Formats reads in part"
            )

    def write(self, image: ImageLayout, read: ReadRegion, path: Path) -> None:
        """Write an image, some rows of a plane at a time."""
        import tifffile

        dtype = stored_dtype(image)
        channels = _channels(image)
        shape = (image.size("time"), image.size("z"), channels, *image.shape[-2:])
        with tifffile.TiffWriter(path, imagej=True) as tiff:
            tiff.write(
                _rows(image, masks_as_bytes(image, read)),
                shape=shape,
                dtype=dtype,
                photometric="minisblack",
                truncate=prod(shape) * dtype.itemsize > MOST_BYTES,
                **_resolution(image),
                metadata=_metadata(image, channels),
            )


def _channels(image: ImageLayout) -> int:
    return prod(n for n, axis in zip(image.shape, image.axes, strict=True) if axis not in ("time", "z", "y", "x"))


def _rows(image: ImageLayout, read: ReadRegion) -> Iterator[NDArray[Any]]:
    """Yield rows of all planes, in the order of a hyperstack: channels vary fastest, then z."""
    order = sorted(range(len(image.axes)), key=lambda n: ORDER.index(image.axes[n]) if image.axes[n] in ORDER else ORDER.index("channel"))
    back = np.argsort(order)

    def ordered(index: tuple[slice, ...], level: int) -> NDArray[Any]:
        return read(tuple(index[n] for n in back), level).transpose(order)

    level = image.levels[0]
    moved = ImageLevel(shape=tuple(level.shape[n] for n in order), chunks=tuple(level.chunks[n] for n in order))
    hyperstack = attrs.evolve(image, axes=tuple(image.axes[n] for n in order), levels=(moved,))
    return plane_rows(hyperstack, ordered, 0, ROWS)


def _unit(image: ImageLayout) -> str | None:
    """Return the unit of length, which is that of x; None where the sizes of pixels are not known."""
    unit = image.pixel_size["x"][1] if {"y", "x"} <= set(image.pixel_size) else None
    return unit if unit in METRES and conversion(image.pixel_size["y"][1], unit) is not None else None


def _length(image: ImageLayout, axis: str) -> float | None:
    """Return the size of a pixel along an axis of space in the unit of x; None where it is not known."""
    size, unit = image.pixel_size.get(axis, (0.0, None))
    factor = conversion(unit, _unit(image))
    return size * factor if size and factor is not None else None


def _resolution(image: ImageLayout) -> dict[str, Any]:
    y, x = _length(image, "y"), _length(image, "x")
    return {"resolution": (1 / x, 1 / y), "resolutionunit": "NONE"} if x and y else {}


def _metadata(image: ImageLayout, channels: int) -> dict[str, Any]:
    found: dict[str, Any] = {"axes": "TZCYX", "mode": "composite" if 1 < channels <= MOST_COLOURS and not image.labels else "grayscale"}
    unit = _unit(image)
    if unit is not None:
        # Names without letters beyond ASCII, which ImageJ turns into symbols.
        symbol = unit_symbol(unit).replace("µ", "u")
        found["unit"] = symbol if symbol.isascii() else unit
        for axis in ("x", "y", "z"):
            length = _length(image, axis)
            if length is not None and axis in image.position:
                found[f"{axis}origin"] = -image.position[axis] / image.pixel_size[axis][0]
        if _length(image, "z") is not None:
            found["spacing"] = _length(image, "z")
    interval, unit = image.pixel_size.get("time", (0.0, None))
    seconds = conversion(unit, "second")
    if interval and seconds is not None:
        found["finterval"] = interval * seconds
        found["tunit"] = "sec"
    if image.channel_names is not None and len(image.channel_names) == channels:
        found["Labels"] = [*image.channel_names] * (image.size("time") * image.size("z"))
    if image.record:
        found["Info"] = json.dumps(dict(image.record), ensure_ascii=False, indent=1)
    return found
