"""Structure hooks of single values.

By hand, since the format is lenient in its own way: it takes ``"3"`` and ``3.0`` for 3 and ``yes`` for true, but no number for a string,
while cattrs calls ``int``, ``bool`` and ``str`` on anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

import attrs

from ..text import close_names
from .format_value import format_value

__all__ = ["NonFinite", "Strict", "StructureHook", "literal_hook", "scalar_hook", "structure_enum"]

StructureHook: TypeAlias = "Callable[[Any, Any], Any]"
"""``(value of the tree, type) -> structured value``, as cattrs calls it."""

_TRUE = frozenset(["1", "true", "yes", "on", "t", "y"])
_FALSE = frozenset(["0", "false", "no", "off", "f", "n"])
_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,4300}(?:\.0*)?\s*")


@attrs.frozen
class Strict:
    """Marks an ``Annotated`` type that takes values of exactly its base type."""


@attrs.frozen
class NonFinite:
    """Marks an ``Annotated`` float that may be infinite or NaN."""


def scalar_hook(type_: Any, *, strict: bool = False, finite: bool = True) -> StructureHook:
    """Return the structure hook of str, int, float, bool or None."""
    if strict:
        return _strict_hook(type_)
    if type_ is float:
        return _finite_float if finite else _any_float
    return {str: _str, int: _int, bool: _bool, type(None): _none}[type_]


def literal_hook(allowed: tuple[Any, ...]) -> StructureHook:
    """Return the structure hook of a ``Literal``: by equality, so that 1.0 and True are accepted as 1."""
    by_value = {value: value for value in allowed}

    def structure(value: Any, _: Any) -> Any:
        try:
            return by_value[value]
        except (KeyError, TypeError):
            raise ValueError(f"expected {_one_of(allowed, value)}, found {format_value(value)}") from None

    return structure


def _one_of(allowed: tuple[Any, ...], value: Any) -> str:
    """Return in words which values are allowed: all if they are few, else those that are close to ``value``."""
    if len(allowed) <= 12:
        return format_value(allowed[0]) if len(allowed) == 1 else f"one of {', '.join(map(format_value, allowed))}"
    close = close_names(value, allowed, most=3)
    return f"one of {', '.join(map(format_value, close or allowed[:3]))}, ... ({len(allowed)} in all)"


def _strict_hook(type_: Any) -> StructureHook:
    name = _NAMES[type_]

    def structure(value: Any, _: Any) -> Any:
        if value.__class__ is not type_:
            raise ValueError(f"expected {name}, found {format_value(value)}")
        return value

    return structure


_NAMES = {str: "a string", int: "an integer", float: "a number", bool: "a boolean", type(None): "null"}


# The type that cattrs passes can be a subclass, such as an enumeration of strings, since cattrs finds hooks of scalars by inheritance.


def _str(value: Any, type_: Any) -> Any:
    if value.__class__ is type_:
        return value
    if _is_subclass(type_, str):
        return _as_subclass(value, type_, _str, str)
    if isinstance(value, str):
        return str(value)
    raise ValueError(f"expected a string, found {format_value(value)}")


def _int(value: Any, type_: Any) -> Any:
    if value.__class__ is type_:
        return value
    if _is_subclass(type_, int):
        return _as_subclass(value, type_, _int, int)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.strip().partition(".")[0])
    raise ValueError(f"expected an integer, found {format_value(value)}")


def _any_float(value: Any, _: Any) -> Any:
    if value.__class__ is float:
        return value
    if isinstance(value, (int, float, str)):
        text = value.strip().lower().replace(".inf", "inf").replace(".nan", "nan") if isinstance(value, str) else value
        try:
            return float(text)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"expected a number, found {format_value(value)}")


def _finite_float(value: Any, type_: Any) -> Any:
    if _is_subclass(type_, float):
        return _as_subclass(value, type_, _finite_float, float)
    number = _any_float(value, type_)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {format_value(value)}")
    return number


def _bool(value: Any, _: Any) -> Any:
    if value.__class__ is bool:
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ValueError(f"expected a boolean, found {format_value(value)}")


def _none(value: Any, _: Any) -> Any:
    if value is not None:
        raise ValueError(f"expected null, found {format_value(value)}")
    return None


def _is_subclass(type_: Any, base: type) -> bool:
    return type_ is not base and isinstance(type_, type) and issubclass(type_, base)


def _as_subclass(value: Any, cls: Any, hook: StructureHook, base: type) -> Any:
    return structure_enum(value, cls) if issubclass(cls, Enum) else cls(hook(value, base))


def structure_enum(value: Any, cls: Any) -> Any:
    """Return a member of an enumeration by its value; by hand only for a message that lists the values."""
    try:
        return cls(value)
    except ValueError:
        raise ValueError(f"expected {_one_of(tuple(m.value for m in cls), value)}, found {format_value(value)}") from None
