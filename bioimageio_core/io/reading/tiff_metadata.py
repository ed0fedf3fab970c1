"""Metadata of TIFF files: axes, names of channels and sizes of pixels, from OME, ImageJ or plain tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.etree import ElementTree as ET

from ...axis_names import LETTERS, SPACE, parse_axes
from ...errors import AxesError
from ...typing import AxisId, FrozenMapping
from ...units import conversion, in_named_unit
from .image import PixelSize

if TYPE_CHECKING:
    import tifffile

__all__ = ["AXES", "is_measured", "series_axes", "tiff_metadata", "tiff_position"]

Sizes: TypeAlias = dict[AxisId, PixelSize]

AXES: Mapping[str, AxisId] = FrozenMapping(
    {
        **{letter: LETTERS[letter.lower()] for letter in "TCZYXS"},
        "A": "angle",
        "P": "phase",
        "R": "tile",
        "H": "lifetime",
        "E": "channel",  # wavelengths
        "L": "exposure",
        "V": "event",
        "M": "mosaic",
    }
)
"""Axes by the letters of tifffile, except I and Q: they may be depth, time or samples, which only the user knows."""

UNITS: Mapping[int, str] = FrozenMapping({2: "inch", 3: "centimeter"})
"""Units of the tag ResolutionUnit; 1 is none."""

SCREENS = (72, 96)
"""Pixels per inch that software writes where nothing was measured: those of screens. One pixel per unit says as little.
Scanners have other numbers, such as 300, which count."""


def is_measured(per_inch: float) -> bool:
    """Return whether a resolution in pixels per inch may be that of an image: not one of screens, and not nothing."""
    return per_inch > 0 and round(per_inch, 1) not in SCREENS


def series_axes(letters: str, count: int) -> tuple[AxisId, ...] | None:
    """Return the axes of a series from their letters in tifffile; None where one is not known, or occurs twice."""
    if len(letters) != count or not set(letters) <= set(AXES):
        return None
    try:
        return parse_axes([AXES[letter] for letter in letters])
    except AxesError:
        return None


def tiff_metadata(tiff: tifffile.TiffFile, series: int = 0) -> tuple[Sizes, tuple[str, ...] | None]:
    """Return the sizes of the pixels of the finest level, and the names of channels; metadata that cannot be read count as absent.

    Args:
        tiff: An open file.
        series: Number of the series.

    """
    try:
        page = tiff.series[series].keyframe
        if tiff.ome_metadata:
            return _ome(tiff.ome_metadata, series)
        if tiff.imagej_metadata:
            return _imagej(tiff, page), _imagej_channels(tiff)
        return _tags(page), None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError, SyntaxError):
        return {}, None


def _ome(xml: str, image: int) -> tuple[Sizes, tuple[str, ...] | None]:
    # Text is read as text: as a number, the channel "0" would have no name, and "0405" another one.
    pixels = _children(_children(ET.fromstring(xml), "Image")[image], "Pixels")[0]  # noqa: S314 (expat bounds what entities expand to)
    sizes: Sizes = {}
    for letter in "XYZ":
        size = pixels.get(f"PhysicalSize{letter}")
        if size is not None:
            sizes[letter.lower()] = in_named_unit(float(size), pixels.get(f"PhysicalSize{letter}Unit", "µm"))
    interval = pixels.get("TimeIncrement")
    if interval is not None:
        sizes["time"] = in_named_unit(float(interval), pixels.get("TimeIncrementUnit", "s"))
    names = [channel.get("Name", "") for channel in _children(pixels, "Channel")]
    return sizes, tuple(names) if names and all(names) else None


def tiff_position(tiff: tifffile.TiffFile, series: int, sizes: Mapping[AxisId, PixelSize]) -> dict[AxisId, float]:
    """Return the position of the first plane of an OME-TIFF file in the units of the sizes of pixels, where both are known.

    Args:
        tiff: An open file.
        series: Number of the series.
        sizes: Sizes of the pixels of the finest level.

    """
    found: dict[AxisId, float] = {}
    try:
        if not tiff.ome_metadata:
            return found
        pixels = _children(_children(ET.fromstring(tiff.ome_metadata), "Image")[series], "Pixels")[0]  # noqa: S314 (as above)
        for plane in _children(pixels, "Plane")[:1]:
            for axis in SPACE:
                written = plane.get(f"Position{axis.upper()}")
                factor = conversion(plane.get(f"Position{axis.upper()}Unit"), sizes.get(axis, (0.0, None))[1])
                if written is not None and factor is not None:
                    found[axis] = float(written) * factor
    except (KeyError, TypeError, ValueError, IndexError, SyntaxError):
        return {}
    return found


def _children(element: ET.Element, name: str) -> list[ET.Element]:
    """Return the children of an element with this name, in the namespace of any version of OME."""
    return [child for child in element if child.tag.rpartition("}")[2] == name]


def _imagej(tiff: tifffile.TiffFile, page: tifffile.TiffPage) -> Sizes:
    """Return sizes from the metadata of ImageJ: ``unit`` is that of all spatial axes without one of their own."""
    metadata = tiff.imagej_metadata or {}
    unit = _imagej_unit(metadata.get("unit"))
    sizes = _tags(page) if unit is None else {}
    if unit is not None:
        for axis, length in _pixel_lengths(page).items():
            sizes[axis] = in_named_unit(length, _imagej_unit(metadata.get(f"{axis}unit")) or unit)
    if "spacing" in metadata:
        sizes["z"] = in_named_unit(float(metadata["spacing"]), _imagej_unit(metadata.get("zunit")) or unit)
    if metadata.get("finterval"):
        sizes["time"] = in_named_unit(float(metadata["finterval"]), _imagej_unit(metadata.get("tunit")) or "second")
    return sizes


def _imagej_channels(tiff: tifffile.TiffFile) -> tuple[str, ...] | None:
    """Return the names of channels that the labels of slices are, where they repeat for each plane and time; channels vary fastest."""
    metadata = tiff.imagej_metadata or {}
    count, labels = int(metadata.get("channels", 1)), [str(label).strip() for label in metadata.get("Labels", ())]
    names = tuple(labels[:count])
    repeats = len(labels) >= count > 1 and all(label == names[n % count] for n, label in enumerate(labels))
    return names if repeats and all(names) else None


def _imagej_unit(written: Any) -> str | None:
    r"""Return a unit of ImageJ, which escapes characters beyond ASCII, as in ``\u00B5m``."""
    return None if written is None else re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), str(written))


def _tags(page: tifffile.TiffPage) -> Sizes:
    """Return sizes from the tags of any TIFF file."""
    tag = page.tags.get("ResolutionUnit")
    unit = UNITS.get(2 if tag is None else int(tag.value))
    if unit is None:
        return {}
    inch = 2.54 if unit == "centimeter" else 1.0
    lengths = _pixel_lengths(page).items()
    return {axis: (length, unit) for axis, length in lengths if length != 1 and is_measured(inch / length)}


def _pixel_lengths(page: tifffile.TiffPage) -> dict[AxisId, float]:
    """Return the lengths of pixels in a unit that other metadata name."""
    tags = page.tags
    found = {}
    for axis in SPACE[1:]:
        tag = tags.get(f"{axis.upper()}Resolution")
        if tag is not None and all(tag.value):
            found[axis] = tag.value[1] / tag.value[0]
    return found
