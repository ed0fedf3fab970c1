"""Values as error messages show them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["format_value", "shorten"]

LONGEST = 80
"""Characters of a value that are shown."""


def format_value(value: object) -> str:
    """Return ``value`` as error messages show it: on one line, short, in the words of documents."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return f"a mapping with {_listed('key', [shorten(str(key)) for key in value])}" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"the list {shorten(str(list(value)))}" if value else "an empty list"
    return shorten(repr(value))


def shorten(text: str) -> str:
    """Return text on one line, cut off where it is long."""
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _listed(noun: str, items: list[str]) -> str:
    more = ", ..." if len(items) > 6 else ""
    return f"the {noun} {items[0]}" if len(items) == 1 else f"the {noun}s {', '.join(items[:6])}{more}"
