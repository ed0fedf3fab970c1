"""The XML of a ``.czmodel`` or ``.czseg`` file."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

import attrs

__all__ = ["COLOR_HANDLING", "PIXEL_TYPES", "CzmodelMetadata", "PixelType", "TrainingClass", "class_color", "dump_czmodel", "parse_czmodel"]

COLOR_HANDLING = ("ConvertToMonochrome", "SplitRgb")
VERSIONS = ("3.0.0", "3.1.0")
STATUS, FEATURE_EXTRACTOR = "Trained", "DeepNeuralNetwork"

COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0), (254, 255, 0), (0, 254, 255))
"""Red, green, blue of the first classes."""


@attrs.frozen(kw_only=True)
class PixelType:
    """What a pixel of an image is, in ZEN."""

    channels: tuple[str, ...]
    """Names of the channels, in order; one without a name is grey."""

    dtype: str


PIXEL_TYPES: dict[str, PixelType] = {
    "Gray8": PixelType(channels=("",), dtype="uint8"),
    "Gray16": PixelType(channels=("",), dtype="uint16"),
    "Gray32Float": PixelType(channels=("",), dtype="float32"),
    "Bgr24": PixelType(channels=("blue", "green", "red"), dtype="uint8"),
    "Bgr48": PixelType(channels=("blue", "green", "red"), dtype="uint16"),
    "Bgr96Float": PixelType(channels=("blue", "green", "red"), dtype="float32"),
    "Bgra32": PixelType(channels=("blue", "green", "red", "alpha"), dtype="uint8"),
    "Gray64ComplexFloat": PixelType(channels=("",), dtype="complex64"),
    "Bgr192ComplexFloat": PixelType(channels=("blue", "green", "red"), dtype="complex64"),
}


@attrs.frozen(kw_only=True)
class TrainingClass:
    """A class of a segmentation."""

    name: str
    color: tuple[int, int, int]
    """Red, green, blue."""

    label: int


@attrs.frozen(kw_only=True)
class CzmodelMetadata:
    """The content of the XML."""

    id: str
    name: str
    color_handling: str
    pixel_types: tuple[str, ...]
    """Of each channel of an image."""

    classes: tuple[TrainingClass, ...]
    border_size: int
    postprocessing: str = ""
    version: str = VERSIONS[-1]


def class_color(number: int) -> tuple[int, int, int]:
    """Return the color of a class, by its number from 0: the usual ones, then hues that follow by the golden angle."""
    if number < len(COLORS):
        return COLORS[number]
    from colorsys import hsv_to_rgb

    red, green, blue = hsv_to_rgb(number * 0.381966 % 1, 1, 1)
    return round(255 * red), round(255 * green), round(255 * blue)


def parse_czmodel(content: bytes) -> CzmodelMetadata:
    """Read the XML.

    Raises:
        ValueError: It is malformed, declares a document type or entities, or has content that the format does not allow.

    """
    root = _root(content)
    if root.tag != "Model":
        raise ValueError(f"the XML describes a {root.tag!r}: expected a 'Model'")
    version = root.get("Version")
    if version not in VERSIONS:
        raise ValueError(f"the XML is of version {version!r}: expected one of {', '.join(VERSIONS)}")
    _one_of("Status", _text(root, "Status"), (STATUS,))
    _one_of("FeatureExtractor", _text(root, "FeatureExtractor"), (FEATURE_EXTRACTOR,))
    pixel_types = tuple(_one_of("PixelType", item.get("PixelType", ""), tuple(PIXEL_TYPES)) for item in root.findall("Channels/Item"))
    if not pixel_types:
        raise ValueError("the XML lacks Channels/Item: expected one for each channel")
    return CzmodelMetadata(
        id=_text(root, "Id"),
        name=_text(root, "ModelName"),
        color_handling=_one_of("ColorHandling", _text(root, "ColorHandling"), COLOR_HANDLING),
        pixel_types=pixel_types,
        classes=tuple(_class(item, number) for number, item in enumerate(root.findall("TrainingClasses/Item"))),
        border_size=_number("BorderSize", _text(root, "BorderSize")),
        postprocessing=(root.findtext("Postprocessing") or "").strip(),
        version=str(version),
    )


def dump_czmodel(metadata: CzmodelMetadata) -> bytes:
    """Return the XML."""
    root = ET.Element("Model", Version=metadata.version)

    def add(tag: str, text: str = "") -> Any:
        element = ET.SubElement(root, tag)
        element.text = text or None
        return element

    add("Id", metadata.id)
    add("ModelName", metadata.name)
    add("Status", STATUS)
    add("FeatureExtractor", FEATURE_EXTRACTOR)
    add("Postprocessing", metadata.postprocessing)
    add("ColorHandling", metadata.color_handling)
    channels = add("Channels")
    for pixel_type in metadata.pixel_types:
        ET.SubElement(channels, "Item", PixelType=pixel_type)
    classes = add("TrainingClasses")
    for one in metadata.classes:
        red, green, blue = map(str, one.color)
        ET.SubElement(classes, "Item", colB=blue, colG=green, colR=red, LabelValue=str(one.label), Name=one.name)
    add("BorderSize", str(metadata.border_size))
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _root(content: bytes) -> Any:
    """Return the root element; entities, which can only be declared in a document type, never come into being."""

    def refuse(*_: object) -> None:
        raise ValueError("the XML declares a document type (DOCTYPE), which could pull in entities and files: expected none")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
        return ET.fromstring(content)  # noqa: S314 (what is to be feared needs a document type)
    except (expat.ExpatError, ET.ParseError, LookupError, UnicodeError) as error:
        raise ValueError(f"the XML is malformed: {error}") from None


def _text(root: Any, tag: str) -> str:
    text = root.findtext(tag)
    if text is None or not text.strip():
        raise ValueError(f"the XML lacks {tag}")
    return str(text).strip()


def _one_of(tag: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"the XML: expected {tag} to be one of {', '.join(known)}, found {value!r}")
    return value


def _number(tag: str, value: str | None, most: int = 2**31 - 1) -> int:
    if value is None or not (value.isascii() and value.isdecimal()) or len(value) > 10 or int(value) > most:
        raise ValueError(f"the XML: expected {tag} to be an integer from 0 to {most}, found {value!r}")
    return int(value)


def _class(item: Any, number: int) -> TrainingClass:
    name = item.get("Name")
    if name is None:
        raise ValueError(f"the XML: class {number + 1} has no Name")
    red, green, blue = (_number(key, item.get(key, "0"), 255) for key in ("colR", "colG", "colB"))
    return TrainingClass(name=name, color=(red, green, blue), label=_number("LabelValue", item.get("LabelValue", str(number + 1))))
