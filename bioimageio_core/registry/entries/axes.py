"""Validators of fields that name axes or are one of some words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["are_axes", "is_choice"]


def are_axes(_instance: Any, attribute: Any, value: Any) -> None:
    """Accept a tuple of distinct ids of axes."""
    if not isinstance(value, tuple) or not all(isinstance(axis, str) and axis for axis in value):
        raise TypeError(f"{attribute.name}: expected a tuple of ids of axes, as in ('y', 'x'), found {value!r}")
    if len(set(value)) < len(value):
        raise ValueError(f"{attribute.name}: expected each axis once, found {value!r}")


def is_choice(*allowed: str) -> Callable[[Any, Any, Any], None]:
    """Accept one of these strings."""

    def validate(_instance: Any, attribute: Any, value: Any) -> None:
        if value not in allowed:
            raise ValueError(f"{attribute.name}: expected one of {', '.join(map(repr, allowed))}, found {value!r}")

    return validate
