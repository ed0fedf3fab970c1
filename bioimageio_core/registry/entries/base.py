"""The base of all entries, and the validators of their fields.

An invalid entry raises TypeError or ValueError in the hook that builds it, which becomes a failure of that plugin.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

import attrs

from ...structuring.class_fields import has_fields
from ...typing import ModelFormat

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "NAME_IN_WORDS",
    "NAME_PATTERN",
    "DescriptionEntry",
    "EntryBase",
    "called_with",
    "is_a",
    "is_arguments",
    "is_description",
    "is_name",
    "names",
    "some_of",
]

NAME_PATTERN = r"[A-Za-z][A-Za-z0-9_.\-]*"
"""Regular expression of the names that entries may have."""

NAME_IN_WORDS = "a letter followed by letters, digits, '_', '-' or '.'"


def is_name(_instance: Any, attribute: Any, value: Any) -> None:
    """Accept a name: a letter, then letters, digits, ``_``, ``-`` and ``.``."""
    if not isinstance(value, str):
        raise TypeError(f"{attribute.name}: expected a string, found {type(value).__name__}")
    if re.fullmatch(NAME_PATTERN, value) is None:
        raise ValueError(f"{attribute.name}: expected {NAME_IN_WORDS}, found {value!r}")


def names(_instance: Any, attribute: Any, value: Any) -> None:
    """Accept a tuple of strings."""
    if not isinstance(value, tuple) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{attribute.name}: expected a tuple of strings, found {value!r}")


def some_of(*allowed: str) -> Callable[[Any, Any, Any], None]:
    """Accept a tuple of one or more of these strings."""

    def validate(instance: Any, attribute: Any, value: Any) -> None:
        names(instance, attribute, value)
        if not value or not set(value) <= set(allowed):
            raise ValueError(f"{attribute.name}: expected some of {', '.join(map(repr, allowed))}, found {value!r}")

    return validate


def is_a(kind: type, words: str) -> Callable[[Any, Any, Any], None]:
    """Accept values of exactly one type, which ``words`` name."""

    def validate(_instance: Any, attribute: Any, value: Any) -> None:
        if type(value) is not kind:
            raise TypeError(f"{attribute.name}: expected {words}, found {value!r}")

    return validate


def is_arguments(_instance: Any, attribute: Any, value: Any) -> None:
    """Accept a class of arguments, or None."""
    if value is not None and not has_fields(value):
        raise TypeError(f"{attribute.name}: expected a class of arguments or None, found {value!r}")


def called_with(*arguments: str) -> Callable[[Any, Any, Any], None]:
    """Accept callables that can be called with these arguments by position."""

    def validate(_instance: Any, attribute: Any, value: Any) -> None:
        if not callable(value):
            raise TypeError(f"{attribute.name}: expected a function, found {type(value).__name__}")
        try:
            signature = inspect.signature(value)
        except (TypeError, ValueError):  # of some builtins
            return
        try:
            signature.bind(*arguments)
        except TypeError:
            wanted = f"({', '.join(arguments)})"
            raise TypeError(f"{attribute.name}: expected a function that can be called with {wanted}, found {signature}") from None

    return validate


def is_description(_instance: Any, attribute: Any, value: Any) -> None:
    """Accept a mapping from format versions of models to classes."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{attribute.name}: expected a mapping from format versions to classes, found {type(value).__name__}")
    if not value:
        raise ValueError(f"{attribute.name}: expected a class for at least one of {', '.join(get_args(ModelFormat))}, found none")
    for version, cls in value.items():
        if version not in get_args(ModelFormat):
            raise ValueError(f"{attribute.name}: expected format versions of {', '.join(get_args(ModelFormat))}, found {version!r}")
        if not has_fields(cls):
            raise TypeError(f"{attribute.name}: expected a description class for {version}, found {cls!r}")


@attrs.frozen(kw_only=True)
class EntryBase:
    """The base of all entries."""

    name: str = attrs.field(validator=is_name)
    """Name in descriptions and options; only one plugin can register a name."""

    summary: str = attrs.field(default="", validator=is_a(str, "a string"))
    """A few words for lists."""


@attrs.frozen(kw_only=True)
class DescriptionEntry(EntryBase):
    """The base of entries that bring classes of descriptions."""

    configure: Callable[[Converter], None] | None = attrs.field(default=None, validator=attrs.validators.optional(called_with("converter")))
    """Registers structure and unstructure hooks for types of its own on a cattrs converter; None: its classes need none.

    It is called with each converter that reads or writes its classes, and with no other.
    """

    def classes(self) -> Iterator[tuple[str, type]]:
        """Yield each class that descriptions are read with, after its place in the entry, such as ``kwargs``."""
        raise NotImplementedError

    def check_names(self) -> None:
        """Check that classes that name the entry name this one.

        Raises:
            ValueError: A class has another name, or none.

        """
