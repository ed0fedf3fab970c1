"""The file ``config.xml`` that deepImageJ 1.x keeps beside a model, as it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from xml.parsers import expat
from xml.sax.saxutils import escape

import attrs

from bioimageio_core.typing import FrozenMapping

from .quantities import absent

__all__ = ["SECTIONS", "LegacyConfig", "looks_legacy", "parse_legacy", "read_legacy", "write_legacy"]

T = TypeVar("T")

SECTIONS: Mapping[str, tuple[str, ...]] = FrozenMapping(
    {
        "ModelInformation": ("Name", "Author", "URL", "Credit", "Version", "Date", "Reference"),
        "ModelTest": ("InputSize", "OutputSize", "MemoryPeak", "Runtime", "PixelSize"),
        "ModelCharacteristics": (
            "ModelTag",
            "SignatureDefinition",
            "InputTensorDimensions",
            "NumberOfInputs",
            "InputNames",
            "InputOrganization",
            "NumberOfOutputs",
            "OutputNames",
            "OutputOrganization",
            "Channels",
            "FixedPatch",
            "MinimumSize",
            "PatchSize",
            "FixedPadding",
            "Padding",
            "PreprocessingFile",
            "PostprocessingFile",
            "slices",
        ),
    }
)
"""Sections and the elements in them; names and organizations are numbered from 0."""

LARGEST = 2**20
"""Bytes of the largest file that is read; real ones have two thousand."""

PARENTS = ("Model", *SECTIONS, "ModelCharacteritics")
LEAVES = tuple(leaf for leaves in SECTIONS.values() for leaf in leaves)


@attrs.frozen
class LegacyConfig:
    """Elements by name, in the order of the file; their text without the space around it."""

    elements: FrozenMapping[str, str]

    def text(self, name: str) -> str | None:
        """Return the text of an element; None where it is missing, or stands for an unknown value."""
        found = self.elements.get(name)
        return None if found is None or absent(found) else found

    def value(self, name: str, parse: Callable[[str], T]) -> T | None:
        """Return the parsed text of an element; None where it has none.

        Raises:
            ValueError: It cannot be parsed; the sentence names the element.

        """
        found = self.text(name)
        if found is None:
            return None
        try:
            return parse(found)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def looks_legacy(path: Path) -> bool:
    """Return whether the first bytes of a file are those of a ``config.xml`` of deepImageJ."""
    if not path.is_file() or path.suffix.lower() != ".xml":
        return False
    with path.open("rb") as file:
        start = file.read(4096)
    return re.search(rb"<(?:Model|ModelInformation|ModelTest|ModelCharacterist?ics)\s*>", start) is not None


def read_legacy(path: Path) -> LegacyConfig:
    """Read a file.

    Raises:
        ValueError: It is not XML, is hostile, or is of another kind.

    """
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    return parse_legacy(content)


def parse_legacy(content: bytes) -> LegacyConfig:
    """Return the elements of a file, wherever in it they are: sections may be missing, or spelt as before version 1.0.

    Raises:
        ValueError: It is not XML, is hostile, or is of another kind.

    """
    if len(content) > LARGEST:
        raise ValueError(f"expected a configuration of at most {LARGEST} bytes, found more")
    reader = _Elements()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.EntityDeclHandler = reader.entity
    try:
        parser.Parse(_with_root(content), True)
    except expat.ExpatError as error:
        raise ValueError(f"expected valid XML, found a fault in line {error.lineno}: {expat.ErrorString(error.code)}") from None
    if not any(name in LEAVES or re.fullmatch(r"(?:In|Out)put(?:Names|Organization)\d+", name) for name in reader.found):
        raise ValueError("expected elements of a deepImageJ configuration, such as InputTensorDimensions, found none")
    return LegacyConfig(FrozenMapping(reader.found))


def write_legacy(config: LegacyConfig) -> str:
    """Return the text of a file: indented, a line for each element, since the reader of deepImageJ 1.x skips every other node."""
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="no"?>', "<Model>"]
    left = dict(config.elements)
    for section, names in SECTIONS.items():
        last = section == "ModelCharacteristics"
        own = [name for name in left if re.sub(r"\d+$", "", name) in names or (last and not _known(name))]
        lines.append(f"    <{section}>")
        lines += [f"        <{name}>{escape(left[name])}</{name}>" for name in own]
        lines.append(f"    </{section}>")
    return "\n".join([*lines, "</Model>", ""])


def _known(name: str) -> bool:
    return re.sub(r"\d+$", "", name) in LEAVES


def _with_root(content: bytes) -> bytes:
    """Return the content within a root where it begins with an element that is none: such files are about."""
    first = re.search(rb"<([A-Za-z]+)\d*\s*/?>", content)
    if first is None or first[1].decode() not in (*LEAVES, *SECTIONS, "ModelCharacteritics"):
        return content
    declaration = re.match(rb"\s*<\?xml[^>]*\?>", content)
    start = declaration.end() if declaration else 0
    return content[:start] + b"<Model>" + content[start:] + b"</Model>"


@attrs.define
class _Elements:
    """Takes the events of a parser; no entity is declared, let alone expanded."""

    found: dict[str, str] = attrs.Factory(dict)
    _open: list[str] = attrs.Factory(list)
    _text: list[str] = attrs.Factory(list)

    def start(self, name: str, attributes: Iterable[Any]) -> None:
        if not self._open and name != "Model":
            raise ValueError(f"expected the root Model, found {name!r}")
        if self._open and self._open[-1] not in PARENTS:
            raise ValueError(f"expected text in {self._open[-1]}, found the element {name!r}")
        self._open.append(name)
        self._text = []

    def end(self, name: str) -> None:
        self._open.pop()
        if name in PARENTS:
            return
        if name in self.found:
            raise ValueError(f"expected {name} once, found it twice")
        self.found[name] = " ".join("".join(self._text).split())

    def characters(self, text: str) -> None:
        self._text.append(text)

    def doctype(self, *declared: Any) -> None:
        raise ValueError("expected no document type declaration, found one: entities are not read")

    def entity(self, *declared: Any) -> None:
        raise ValueError("expected no entity declarations, found one")
