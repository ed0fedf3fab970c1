"""Unstructure hooks: structured values as trees of new dicts, lists and scalars.

By hand for classes, since cattrs writes all fields or all that differ from their defaults,
and documents are written back with the keys that they had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from datetime import date, time
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

from cattrs import Converter

from .class_fields import fields_of, has_fields
from .freezing import thaw
from .node import Node

__all__ = ["add_unstructure_hooks"]

_SCALARS = (str, int, float, bool, type(None))


def add_unstructure_hooks(converter: Converter) -> None:
    """Register the unstructure hooks of everything that descriptions are made of."""
    converter.register_unstructure_hook_factory(has_fields, lambda cls: _class_hook(cls, converter))

    def items(values: Any) -> list[Any]:
        return [converter.unstructure(item) for item in values]

    def entries(values: Mapping[Any, Any]) -> dict[Any, Any]:
        return {key if key.__class__ is str else converter.unstructure(key): converter.unstructure(item) for key, item in values.items()}

    converter.register_unstructure_hook_func(_is_a(list, tuple), items)
    converter.register_unstructure_hook_func(_is_a(Set), lambda values: sorted(items(values), key=repr))  # the same text each time
    converter.register_unstructure_hook_func(_is_a(Mapping), entries)
    for path in (PurePath, Path):
        converter.register_unstructure_hook(path, PurePath.as_posix)
    converter.register_unstructure_hook(str, _string)
    converter.register_unstructure_hook_func(_is_a(date, time), lambda value: value.isoformat())


def _string(value: str) -> Any:
    """Return a plain string for one of a subclass: cattrs takes enumerations of strings for strings."""
    if value.__class__ is str:
        return value
    return value.value if isinstance(value, Enum) else str(value)


def _is_a(*classes: type) -> Callable[[Any], bool]:
    return lambda type_: isinstance(type_, type) and issubclass(type_, classes)


def _class_hook(cls: Any, converter: Converter) -> Callable[[Any], Any]:
    """Write those fields that the document had set, that differ from their default, or that identify the class."""
    if hasattr(cls, "as_tree"):
        return lambda value: value.as_tree()
    fields = fields_of(cls)
    is_node = issubclass(cls, Node)

    def unstructure(value: Any) -> Any:
        written = value.written.keys if is_node else ()
        tree: dict[str, Any] = {}
        for field in fields:
            content = getattr(value, field.name)
            if field.required or field.is_constant or field.key in written or content != field.default_value():
                tree[field.key] = content if content.__class__ in _SCALARS else converter.unstructure(content)
        if is_node:
            for key, content in value.written.unknown.items():
                tree[key] = thaw(content)
        return tree

    return unstructure
