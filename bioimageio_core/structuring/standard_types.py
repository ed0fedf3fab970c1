"""Structure hooks of paths and dates, which documents hold as strings."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from .format_value import format_value
from .scalars import StructureHook

__all__ = ["date_hook", "is_date", "structure_path"]


_EXAMPLES = {
    date: "a date such as 2024-05-31",
    datetime: "a date and time such as 2024-05-31T12:00:00",
    time: "a time such as 12:00:00",
}


def structure_path(value: Any, cls: Any) -> Any:
    """Return a path; by hand only for a message in the words of documents."""
    if not isinstance(value, str):
        raise ValueError(f"expected a path, found {format_value(value)}")
    return cls(value)


def is_date(type_: Any) -> bool:
    """Return whether a type is a date, a time, or both."""
    return type_ in _EXAMPLES


def date_hook(cls: Any) -> StructureHook:
    """Return the structure hook of dates and times in ISO 8601; by hand, since cattrs leaves their form to each format of documents."""
    words = _EXAMPLES[cls]

    def structure(value: Any, _: Any) -> Any:
        try:
            return cls.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError(f"expected {words}, found {format_value(value)}") from None

    return structure
