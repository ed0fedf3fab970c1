"""Images from TIFF, OME-TIFF and ImageJ TIFF files."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...axis_names import parse_axes
from ...errors import AxesError, MissingRequirementError
from ...typing import AxisId, FrozenMapping
from ..lazy import Lazy
from ..locations import opening_errors, stem
from .image import Image, checked_dtype
from .readers import HandleReader
from .tiff_pages import open_tiff_array

if TYPE_CHECKING:
    import tifffile

__all__ = ["open_tiff"]


def open_tiff(location: str, level: int | None) -> Image:
    """Open the first series of a TIFF file.

    Contiguous uncompressed files on a local disk are memory mapped; from others only the strips or TIFF tiles of a region are read.

    Args:
        location: Path or URL.
        level: Level of the pyramid, 0 (the finest) where None.

    Raises:
        MissingRequirementError: tifffile is not installed.
        SourceError: The file does not exist or is not a TIFF file, or its server does not answer.

    """
    if importlib.util.find_spec("tifffile") is None:
        raise MissingRequirementError(f"{location} needs tifffile to be read: pip install 'bioimageio-runtime[images]'")
    handle = Lazy(open_tiff_array, location, level)
    with opening_errors(location, "TIFF"):
        array = handle()
        series = array.series
        axes = _axes(series.axes, len(series.shape))
        chunks = array.chunks
    shape = tuple(int(n) for n in series.shape)
    sizes, names = _metadata(array.tiff, level or 0, shape, axes)
    if names is not None and (axes is None or "channel" not in axes or shape[axes.index("channel")] != len(names)):
        names = None
    name = stem(location)
    return Image(
        name=name,
        shape=shape,
        dtype=checked_dtype(series.dtype, name),
        axes=axes,
        channel_names=names,
        chunks=chunks,
        pixel_size=FrozenMapping({axis: size for axis, size in sizes.items() if axis in (axes or ())}),
        reader=HandleReader(handle=handle),
    )


def _axes(letters: str, count: int) -> tuple[AxisId, ...] | None:
    # Pages without metadata are I or Q in tifffile: they may be depth, time or samples, which only the user knows.
    if len(letters) != count or not set(letters) <= set("TCZYXS"):
        return None
    try:
        return parse_axes(letters)
    except AxesError:
        return None


def _metadata(
    tiff: tifffile.TiffFile, level: int, shape: tuple[int, ...], axes: tuple[AxisId, ...] | None
) -> tuple[dict[AxisId, tuple[float, str | None]], tuple[str, ...] | None]:
    """Return pixel sizes and channel names; metadata that cannot be read counts as absent."""
    try:
        if tiff.ome_metadata:
            return _ome(tiff.ome_metadata, level, shape, axes)
        if tiff.imagej_metadata:
            return _imagej(tiff), None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError, SyntaxError):
        pass
    return {}, None


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def _ome(
    xml: str, level: int, shape: tuple[int, ...], axes: tuple[AxisId, ...] | None
) -> tuple[dict[AxisId, tuple[float, str | None]], tuple[str, ...] | None]:
    import tifffile

    pixels: Mapping[str, Any] = _first(tifffile.xml2dict(xml)["OME"]["Image"])["Pixels"]
    sizes: dict[AxisId, tuple[float, str | None]] = {}
    for letter in "XYZ":
        size = pixels.get(f"PhysicalSize{letter}")
        if size is not None:
            axis = letter.lower()
            # A level of the pyramid has larger pixels than the finest level, which the metadata describe.
            shrunk = pixels[f"Size{letter}"] / shape[axes.index(axis)] if level and axes and axis in axes else 1.0
            sizes[axis] = float(size) * shrunk, str(pixels.get(f"PhysicalSize{letter}Unit", "µm"))
    if pixels.get("TimeIncrement") is not None:
        sizes["time"] = float(pixels["TimeIncrement"]), str(pixels.get("TimeIncrementUnit", "s"))
    channels = pixels.get("Channel", ())
    channels = channels if isinstance(channels, list) else [channels]
    names = tuple(str(channel["Name"]) for channel in channels if channel.get("Name"))
    return sizes, names if names and len(names) == len(channels) else None


def _imagej(tiff: tifffile.TiffFile) -> dict[AxisId, tuple[float, str | None]]:
    metadata = tiff.imagej_metadata or {}
    unit = str(metadata["unit"]).replace("\\u00B5", "µ") if "unit" in metadata else None
    sizes: dict[AxisId, tuple[float, str | None]] = {}
    tags = tiff.pages[0].tags
    for axis, tag in (("x", "XResolution"), ("y", "YResolution")):
        if tag in tags and unit is not None:
            pixels, length = tags[tag].value
            if pixels and length:
                sizes[axis] = length / pixels, unit
    if "spacing" in metadata:
        sizes["z"] = float(metadata["spacing"]), unit
    if metadata.get("finterval"):
        sizes["time"] = float(metadata["finterval"]), "s"
    return sizes
