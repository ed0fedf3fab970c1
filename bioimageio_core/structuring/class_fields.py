"""The fields of classes made by attrs or as dataclasses, resolved: their types, and their keys in documents."""

from __future__ import annotations

import dataclasses
import keyword
import typing
from functools import cache
from typing import Any, Literal, get_args, get_origin

import attrs

from .node import Node

__all__ = ["FieldInfo", "fields_of", "has_fields", "key_of", "keys_in_words"]


@attrs.frozen(kw_only=True)
class FieldInfo:
    """A field of a class, resolved."""

    name: str
    key: str
    """Its key in documents."""

    type: Any
    default: Any
    """The value, an `attrs.Factory` that makes it, or `attrs.NOTHING`."""

    validator: Any = None
    attribute: Any = None
    """What attrs passes to the validator."""

    has_converter: bool = False
    """An attrs converter makes the value, so that any type will do."""

    is_constant: bool
    """The type is a literal of one value: always written, since it names the class of the mapping."""

    @property
    def required(self) -> bool:
        """Whether documents have to set the field."""
        return self.default is attrs.NOTHING

    def default_value(self) -> Any:
        """Return the default; `attrs.NOTHING` where there is none, or where it depends on other fields."""
        if not isinstance(self.default, attrs.Factory):  # type: ignore[arg-type]
            return self.default
        return attrs.NOTHING if self.default.takes_self else self.default.factory()


def has_fields(type_: Any) -> bool:
    """Return whether a type is a class that is read from a mapping: a `Node`, another attrs class or a dataclass."""
    return isinstance(type_, type) and (attrs.has(type_) or dataclasses.is_dataclass(type_))


def key_of(name: str) -> str:
    """Return the key in documents for the name of a field."""
    return name[:-1] if name.endswith("_") and keyword.iskeyword(name[:-1]) else name


_FIRST = ("format_version", "type", "name", "id")


def fields_of(cls: Any) -> tuple[FieldInfo, ...]:
    """Return the fields that documents can set, in the order in which they are written: first those that identify the class.

    Raises:
        NameError: An annotation names something that does not exist.

    """
    return _fields_of(cls)


@cache
def _fields_of(cls: Any) -> tuple[FieldInfo, ...]:
    found = _attrs_fields(cls) if attrs.has(cls) else _dataclass_fields(cls)
    return tuple(sorted(found, key=lambda field: _FIRST.index(field.key) if field.key in _FIRST else len(_FIRST)))


def _attrs_fields(cls: Any) -> list[FieldInfo]:
    # Classes that old releases of attrs make from a mapping have no annotations.
    types: dict[str, Any] = {a.name: a.type for a in attrs.fields(cls)} | typing.get_type_hints(cls, include_extras=True)
    return [
        FieldInfo(
            name=a.name,
            key=key_of(a.alias),
            type=types[a.name],
            default=a.default,
            validator=a.validator,
            attribute=a,
            has_converter=a.converter is not None,
            is_constant=_is_constant(types[a.name]),
        )
        for a in attrs.fields(cls)
        if a.init and not (a.name == "written" and issubclass(cls, Node))
    ]


def _dataclass_fields(cls: Any) -> list[FieldInfo]:
    types = typing.get_type_hints(cls, include_extras=True)
    missing = dataclasses.MISSING
    return [
        FieldInfo(
            name=f.name,
            key=key_of(f.name),
            type=types[f.name],
            default=f.default
            if f.default is not missing
            else attrs.NOTHING
            if f.default_factory is missing
            else attrs.Factory(f.default_factory),
            is_constant=_is_constant(types[f.name]),
        )
        for f in dataclasses.fields(cls)
        if f.init
    ]


def _is_constant(type_: Any) -> bool:
    return get_origin(type_) is Literal and len(get_args(type_)) == 1


def keys_in_words(fields: tuple[FieldInfo, ...]) -> str:
    """Return the keys that a mapping with these fields must have; those that it may have where none is required."""
    keys = [field.key for field in fields if field.required] or [field.key for field in fields]
    return f"the key {keys[0]}" if len(keys) == 1 else f"the keys {', '.join(keys[:6])}{', ...' if len(keys) > 6 else ''}"
