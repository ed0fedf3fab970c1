"""Whether a class can be structured at all: asked when entries of plugins are collected, before any description names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from .class_fields import fields_of, has_fields
from .converter import ClassConverter

__all__ = ["check_class"]


def check_class(cls: type, configure: Callable[[Converter], None] | None) -> None:
    """Raise where a class cannot be structured.

    Args:
        cls: A `Node`, another attrs class or a dataclass.
        configure: Registers hooks for types of its own.

    Raises:
        TypeError: No hook takes the type of a field: the message names both.

    """
    converter = ClassConverter(configure)
    for path, type_ in _unsupported(cls, converter, ()):
        message = f"field {path} of {cls.__qualname__} is of type {type_}, which cannot be structured"
        raise TypeError(f"{message}: use another type, or register a hook with `configure`")


def _unsupported(cls: Any, converter: Converter, outer: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    """Yield the path and the type of each field without a hook; those of a class within are named in place of the field that holds it."""
    for field in fields_of(cls):
        if field.has_converter:  # the attrs converter takes any value
            continue
        try:
            converter.get_structure_hook(field.type)
        except StructureHandlerNotFoundError as error:
            inner = [
                (f"{field.name}.{path}", type_)
                for each in _classes_within(field.type)
                if each not in (*outer, cls)
                for path, type_ in _unsupported(each, converter, (*outer, cls))
            ]
            yield from inner or [(field.name, _in_words(error.type_))]


def _classes_within(type_: Any) -> Iterator[Any]:
    if has_fields(type_):
        yield type_
    for argument in get_args(type_):
        yield from _classes_within(argument)


def _in_words(type_: Any) -> str:
    return type_.__qualname__ if isinstance(type_, type) else str(type_)
