"""How values on the command line are written; each is parsed once, by the same code for all commands."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

import click

from ..errors import InputError, YamlError

__all__ = [
    "AXIS_LENGTHS",
    "AXIS_RANGES",
    "AXIS_SIZES",
    "HALO",
    "INPUT_AXES",
    "JSON_OBJECT",
    "MEMORY",
    "NAMES",
    "NAME_VALUE",
    "NUMBER_PAIR",
    "SHARD",
]

T = TypeVar("T")


class _TextType(click.ParamType, Generic[T]):  # type: ignore[type-arg]  # generic in newer releases of click only
    """A type whose values are parsed from text by one function; a ValueError of the function becomes a usage error."""

    def __init__(self, name: str, expected: str, parse: Callable[[str], T]) -> None:
        """Make a type.

        Args:
            name: How the value is written, shown in upper case by ``--help``.
            expected: The same in a sentence for errors, with an example.
            parse: Returns the value of a text, or raises ValueError.

        """
        self.name = name
        self._expected = expected
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """Return the parsed value; values that are parsed already stay as they are."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # click converts defaults again
        try:
            return self._parse(value)
        except ValueError as error:
            detail = f" ({error})" if str(error) else ""
            self.fail(f"expected {self._expected}, found {value!r}{detail}", param, ctx)


def _assignments(text: str, key: str) -> Iterator[tuple[str, str]]:
    """Yield the two sides of each KEY=VALUE in a list with commas; spaces around them do not matter."""
    seen = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (side.strip() for side in part.partition("="))
        if not (name and equals and value):
            raise ValueError(f"{part!r} is not {key}=VALUE")
        if name in seen:
            raise ValueError(f"{name!r} is given twice")
        seen.add(name)
        yield name, value


def _by_axis(value_of: Callable[[str], T]) -> Callable[[str], dict[str, T]]:
    """Return a function that parses AXIS=VALUE for one or more axes."""

    def parse(text: str) -> dict[str, T]:
        values = {}
        for axis, value in _assignments(text, "AXIS"):
            try:
                values[axis] = value_of(value)
            except ValueError:
                raise ValueError(f"the value of {axis!r} is {value!r}") from None
        return values

    return parse


def _by_axis_or_one(value_of: Callable[[str], T]) -> Callable[[str], dict[str, T] | T]:
    """Return a function that parses AXIS=VALUE for one or more axes, or one value for all axes of space."""

    def parse(text: str) -> dict[str, T] | T:
        if "=" in text or not text.strip():
            return _by_axis(value_of)(text)
        try:
            return value_of(text)
        except ValueError:
            raise ValueError from None

    return parse


def _halo(text: str) -> dict[str, int] | int | str:
    return text if text == "measured" else _by_axis_or_one(int)(text)


def _range(text: str) -> tuple[int | None, int | None]:
    match = re.fullmatch(r"(\d*)\s*:\s*(\d*)", text)
    if match is None:
        raise ValueError
    return int(match[1]) if match[1] else None, int(match[2]) if match[2] else None


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    if match is None:
        raise ValueError
    return int(match[1]), int(match[2])


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in text.split(","))))


def _number_pair(text: str) -> tuple[float, float]:
    first, second = (float(part) for part in text.split(","))
    return first, second


def _length(text: str) -> float | tuple[float, str]:
    from ..units import parse_size

    size, unit = parse_size(text)
    return size if unit is None else (size, unit)


def _memory(text: str) -> int:
    from ..prediction.options import parse_memory

    try:
        return parse_memory(text)
    except InputError as error:
        raise ValueError(str(error)) from None


def _json_object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"it is a {type(value).__name__}")
    return value


def _input_axes(text: str) -> str | dict[str, str]:
    return dict(_assignments(text, "INPUT")) if "=" in text else text


def _name_value(text: str) -> tuple[str, Any]:
    """Return a name, and its value as YAML reads it."""
    from ..spec.yaml import load_yaml

    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        raise ValueError
    try:
        return name.strip(), load_yaml(f"value: {value}\n".encode(), source=name.strip())["value"]
    except YamlError as error:
        raise ValueError(str(error)) from None


AXIS_SIZES = _TextType("axis=pixels", "AXIS=PIXELS, as in y=512,x=512, or one number for all axes of space", _by_axis_or_one(int))
"""A mapping from axis to pixels, or a number: ``y=512,x=512``, ``512``."""

HALO = _TextType("axis=pixels", "AXIS=PIXELS, as in y=32,x=32, one number for all axes of space, or 'measured'", _halo)
"""A mapping from axis to pixels, a number, or ``measured``."""

AXIS_LENGTHS = _TextType(
    "axis=length", "AXIS=LENGTH, as in y=0.5,x=0.5 or y=0.5um,x=0.5um, or one length for all axes of space", _by_axis_or_one(_length)
)
"""A mapping from axis to a length in the unit of the axis, or with its unit; or a single one: ``y=0.5,x=0.5um``, ``0.5``."""

AXIS_RANGES = _TextType("axis=start:stop", "AXIS=START:STOP in pixels, as in y=0:512,x=100:", _by_axis(_range))
"""A mapping from axis to start and stop in pixels, None where it is open: ``y=0:512,x=100:``."""

SHARD = _TextType("i/n", "i/n, as in 3/8", _shard)
"""Number and count of parts: ``3/8``."""

MEMORY = _TextType("memory", "an amount of memory, as in '4 GB'", _memory)
"""Bytes: ``'4 GB'``, ``2GiB``."""

NAMES = _TextType("names", "names with commas between them", _names)
"""A tuple of names: ``t,z``."""

NUMBER_PAIR = _TextType("low,high", "two numbers with a comma between them, as in -1,1", _number_pair)
"""Two numbers: ``0,1``."""

JSON_OBJECT = _TextType("json", "a JSON object of arguments by name", _json_object)
"""A mapping written in JSON: ``{"merge": "max"}``."""

INPUT_AXES = _TextType("axes", "letters such as bcyx, or INPUT=LETTERS with commas between them", _input_axes)
"""Letters for all inputs, or a mapping by input: ``bcyx``, ``image=bcyx,mask=byx``."""

NAME_VALUE = _TextType("name=value", "NAME=VALUE", _name_value)
"""A name and a value, which is read as YAML: ``threshold=0.5``."""
