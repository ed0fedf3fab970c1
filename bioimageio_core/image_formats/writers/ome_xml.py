"""Metadata of OME-TIFF files: https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import prod
from xml.etree import ElementTree as ET

from ...io import ImageLayout
from ...typing import FrozenMapping
from ...units import METRES, SECONDS, unit_symbol
from .stored_values import stored_dtype

__all__ = ["OME_TYPES", "ome_xml"]

OME_TYPES: Mapping[str, str] = FrozenMapping(
    {
        **{name: name for name in ("uint8", "uint16", "uint32", "int8", "int16", "int32")},
        "float32": "float",
        "float64": "double",
    }
)
"""Types of pixels in OME, by dtype."""

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
RECORD = "bioimageio-runtime/record"
"""Namespace of the annotation that holds how the image was made."""

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def ome_xml(image: ImageLayout, creator: str) -> bytes:
    """Return the description of an OME-TIFF file whose pages are the planes of an image, z varying fastest, then channels.

    An axis in place of the channels is stored as channels that are named by its positions.
    Positions are those of the first plane. Sizes whose unit is not known have the unit ``reference frame``, which is that of OME for such.

    Args:
        image: Its axes end with y and x.
        creator: Name and version of the software.

    """
    ome = ET.Element("OME", {"xmlns": NAMESPACE, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "Creator": creator})
    ome.set("xsi:schemaLocation", f"{NAMESPACE} {NAMESPACE}/ome.xsd")
    element = ET.SubElement(ome, "Image", ID="Image:0", Name=_text(image.name))
    channels = _channel_names(image)
    pixels = ET.SubElement(element, "Pixels", {"ID": "Pixels:0", "DimensionOrder": "XYZCT", "Type": OME_TYPES[stored_dtype(image).name]})
    for letter, size in zip("XYZCT", (*(image.size(axis) for axis in "xyz"), len(channels), image.size("time")), strict=True):
        pixels.set(f"Size{letter}", str(size))
    for name, value in _sizes(image).items():
        pixels.set(name, value)
    for number, channel in enumerate(channels):
        named = {"Name": _text(channel)} if channel else {}
        ET.SubElement(pixels, "Channel", {"ID": f"Channel:0:{number}", **named, "SamplesPerPixel": "1"})
    ET.SubElement(pixels, "TiffData", IFD="0", PlaneCount=str(prod(image.shape[:-2])))
    position = _position(image)
    if position:
        ET.SubElement(pixels, "Plane", {"TheZ": "0", "TheT": "0", "TheC": "0", **position})
    if image.record:
        ET.SubElement(element, "AnnotationRef", ID="Annotation:0")
        annotation = ET.SubElement(ET.SubElement(ome, "StructuredAnnotations"), "MapAnnotation", ID="Annotation:0", Namespace=RECORD)
        entries = ET.SubElement(annotation, "Value")
        for key, value in image.record.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            ET.SubElement(entries, "M", K=_text(key)).text = _text(text)
    xml: str = ET.tostring(ome, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>{xml}'.encode()


def _text(text: str) -> str:
    """Return a text without characters that XML cannot hold."""
    return _NOT_IN_XML.sub("\ufffd", text)


def _channel_names(image: ImageLayout) -> tuple[str, ...]:
    """Return a name for each channel; empty for one without a name."""
    others = [axis for axis in image.axes if axis not in ("time", "z", "y", "x")]  # all but one are of size 1
    other = max(others, key=lambda axis: (image.size(axis), axis == "channel"), default=None)
    count = 1 if other is None else image.size(other)
    if image.channel_names is not None and len(image.channel_names) == count:
        return image.channel_names
    return ("",) * count if other in (None, "channel") else tuple(f"{other} {n}" for n in range(count))


def _sizes(image: ImageLayout) -> dict[str, str]:
    found = {}
    for axis, (size, unit) in image.pixel_size.items():
        if axis in ("z", "y", "x"):
            found[f"PhysicalSize{axis.upper()}"] = repr(float(size))
            found[f"PhysicalSize{axis.upper()}Unit"] = _length(unit)
        elif axis == "time" and unit is not None and unit in SECONDS:
            found["TimeIncrement"] = repr(float(size))
            found["TimeIncrementUnit"] = unit_symbol(unit)
    return found


def _length(unit: str | None) -> str:
    return unit_symbol(unit) if unit is not None and unit in METRES else "reference frame"


def _position(image: ImageLayout) -> dict[str, str]:
    found = {}
    for axis, at in image.position.items():
        if axis in ("z", "y", "x") and axis in image.pixel_size:
            found[f"Position{axis.upper()}"] = repr(float(at))
            found[f"Position{axis.upper()}Unit"] = _length(image.pixel_size[axis][1])
    return found
