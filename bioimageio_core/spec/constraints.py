"""What a check says of the values that it accepts, in the words of JSON Schema, beside the code that checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["caseless", "said_by", "says", "whole"]

F = TypeVar("F", bound="Callable[..., Any]")


def says(schema: Mapping[str, Any]) -> Callable[[F], F]:
    """Mark a check with the JSON Schema of what it accepts; that may be more than the check accepts, never less.

    Keywords that are about another type of value do not hurt: each keyword of JSON Schema is about one type.
    What has a ``title`` is long: it is written once, as a definition of that name.
    """

    def mark(check: F) -> F:
        vars(check)["json_schema"] = dict(schema)
        return check

    return mark


def said_by(check: Any) -> dict[str, Any]:
    """Return the JSON Schema that a check was marked with; empty if there is none."""
    return dict(getattr(check, "json_schema", {}))


def whole(pattern: str) -> str:
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
