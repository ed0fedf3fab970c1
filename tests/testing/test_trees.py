"""What the kit makes up for the types that classes of plugins may have."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date
from pathlib import Path
from typing import Any, Literal, NewType

import attrs
import pytest
from cattrs import Converter

from bioimageio_core.spec.node import Node, node
from bioimageio_core.testing.strategies import kit_settings
from bioimageio_core.testing.trees import TreeReader, trees

hypothesis = pytest.importorskip("hypothesis")


class Colour(enum.Enum):
    RED = "red"


class Opaque:
    """A type of which nothing is made up."""

    def __init__(self, value: Any) -> None:
        self.value = value


@attrs.frozen
class Plain:
    n: int
    next: Plain | None = None


@dataclasses.dataclass
class Data:
    paths: list[Path] = dataclasses.field(default_factory=list)


@node
class Kwargs(Node):
    colour: Colour
    plain: Plain
    data: Data = attrs.field(factory=Data)
    days: frozenset[date] = frozenset()
    shares: dict[Literal["a"], NewType("Share", float)] = attrs.field(factory=dict)  # type: ignore[valid-type]
    opaque: Opaque | None = None


def configure(converter: Converter) -> None:
    """Register what a plugin would."""
    converter.register_structure_hook(Opaque, lambda value, _: Opaque(value))
    converter.register_unstructure_hook(Opaque, lambda opaque: opaque.value)


def test_every_type() -> None:
    """Trees have values for each field, and are read as values of their types."""
    reader, seen = TreeReader(version="0.5", configure=configure), set()

    @kit_settings(200)
    @hypothesis.given(trees(Kwargs, reader))
    def check(tree: dict[str, Any]) -> None:
        read = reader.structure(Kwargs, tree)
        assert isinstance(read.colour, Colour)
        assert isinstance(read.plain, Plain)
        seen.update(key for key, value in tree.items() if value)
        assert reader.unstructure(read).keys() >= tree.keys()

    check()
    assert seen == {"colour", "plain", "data", "days", "shares", "opaque"}
