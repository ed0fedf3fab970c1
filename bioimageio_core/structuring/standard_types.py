"""Structure hooks of paths and dates, which documents hold as strings."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from .format_value import format_value
from .scalars import StructureHook

__all__ = ["date_hook", "is_date", "structure_path"]


def structure_path(value: Any, cls: Any) -> Any:
    """Return a path; by hand only for a message in the words of documents."""
    if not isinstance(value, str):
        raise ValueError(f"expected a path, found {format_value(value)}")
    return cls(value)


def is_date(type_: Any) -> bool:
    """Return whether a type is a date, with or without a time."""
    return type_ in (date, datetime)


def date_hook(cls: Any) -> StructureHook:
    """Return the structure hook of dates in ISO 8601: cattrs has none, since formats of documents differ in how they hold dates."""
    words = "a date such as 2024-05-31" if cls is date else "a date and time such as 2024-05-31T12:00:00"

    def structure(value: Any, _: Any) -> Any:
        try:
            return cls.fromisoformat(value)
        except (TypeError, ValueError):
            raise ValueError(f"expected {words}, found {format_value(value)}") from None

    return structure
