"""The JSON Schema of the values that a check accepts, beside the code of the check."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["anchored", "caseless", "json_schema", "schema_of"]

F = TypeVar("F", bound="Callable[..., Any]")


def json_schema(schema: Mapping[str, Any]) -> Callable[[F], F]:
    """Mark a check, or a class, with the JSON Schema of what it accepts; that may be more than the check accepts, never less.

    Keywords for another type of value do no harm: each keyword of JSON Schema applies to one type.
    A schema with a ``title`` is long: it is written once, as a definition of that name.
    """

    def mark(check: F) -> F:
        check.__json_schema__ = dict(schema)  # type: ignore[attr-defined]
        return check

    return mark


def schema_of(check: Any) -> dict[str, Any]:
    """Return the JSON Schema that a check or a class was marked with; empty if there is none."""
    return dict(getattr(check, "__json_schema__", {}))


def anchored(pattern: str) -> str:
    """Return a regular expression that matches strings from end to end, as JSON Schema searches for patterns anywhere."""
    return f"^(?:{pattern})$"


def caseless(pattern: str) -> str:
    """Return a regular expression without flags that takes letters in either case, as JSON Schema has no flags.

    Only ranges of lower-case letters are widened within brackets.
    """
    parts = re.findall(r"\\.|\[(?:\\.|[^\]\\])*\]|.", pattern, re.DOTALL)
    return "".join(
        part.replace("a-z", "A-Za-z") if part[0] == "[" else f"[{part.upper()}{part}]" if len(part) == 1 and part.islower() else part
        for part in parts
    )
