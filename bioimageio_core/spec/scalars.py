"""How single values of a document become values of Python types, as leniently as the format is read elsewhere."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import Any, Literal

import attrs

from .fields import found
from .structuring import Handler

__all__ = ["NonFinite", "Strict", "literal_handler", "scalar_handler"]

_TRUE = frozenset(["1", "true", "yes", "on", "t", "y"])
_FALSE = frozenset(["0", "false", "no", "off", "f", "n"])
_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,4300}(?:\.0*)?\s*")


@attrs.frozen
class Strict:
    """Marks an ``Annotated`` type that takes values of exactly its base type."""


@attrs.frozen
class NonFinite:
    """Marks an ``Annotated`` float that may be infinite or NaN."""


def scalar_handler(type_: type, *, strict: bool = False, finite: bool = True) -> Handler:
    """Return the handler of str, int, float, bool or None."""
    if strict:
        return _strictly(type_)
    if type_ is float:
        return _finite_float if finite else _any_float
    return {str: _str, int: _int, bool: _bool, type(None): _none}[type_]


def literal_handler(allowed: tuple[Any, ...]) -> Handler:
    """Return the handler of a ``Literal``: by equality, so that 1.0 and True pass for 1."""
    by_value = {value: value for value in allowed}

    def handle(value: Any) -> Any:
        try:
            return by_value[value]
        except (KeyError, TypeError):
            raise ValueError(f"expected {_one_of(allowed, value)}, found {found(value)}") from None

    return handle


def _one_of(allowed: tuple[Any, ...], value: Any) -> str:
    if len(allowed) <= 12:
        return found(allowed[0]) if len(allowed) == 1 else f"one of {', '.join(map(found, allowed))}"
    close = get_close_matches(str(value), list(map(str, allowed)), n=3)
    return f"one of {', '.join(map(found, close or allowed[:3]))}, ... ({len(allowed)} in all)"


def _strictly(type_: type) -> Handler:
    name = _NAMES[type_]

    def handle(value: Any) -> Any:
        if value.__class__ is not type_:
            raise ValueError(f"expected {name}, found {found(value)}")
        return value

    return handle


_NAMES: dict[type, Literal["a string", "an integer", "a number", "a boolean", "null"]] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}


def _str(value: Any) -> Any:
    if value.__class__ is str:
        return value
    if isinstance(value, str):
        return str(value)
    raise ValueError(f"expected a string, found {found(value)}")


def _int(value: Any) -> Any:
    if value.__class__ is int:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value.strip().partition(".")[0])
    raise ValueError(f"expected an integer, found {found(value)}")


def _any_float(value: Any) -> Any:
    if value.__class__ is float:
        return value
    if isinstance(value, (int, float, str)):
        text = value.strip().lower().replace(".inf", "inf").replace(".nan", "nan") if isinstance(value, str) else value
        try:
            return float(text)
        except (ValueError, OverflowError):
            pass
    raise ValueError(f"expected a number, found {found(value)}")


def _finite_float(value: Any) -> Any:
    number = _any_float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {found(value)}")
    return number


def _bool(value: Any) -> Any:
    if value.__class__ is bool:
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise ValueError(f"expected a boolean, found {found(value)}")


def _none(value: Any) -> Any:
    if value is not None:
        raise ValueError(f"expected null, found {found(value)}")
    return None
