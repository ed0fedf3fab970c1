"""The option `join_slices`: an axis along which objects of neighbouring slices are joined."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from ..typing import AxisId, FrozenMapping
from .option_values import option_error

__all__ = ["joined_axis"]

DEFAULT_OVERLAP = 0.25
"""Intersection over union of two objects, above which they are one, where only the axis is given."""


def joined_axis(value: Any) -> FrozenMapping[AxisId, float]:
    """Return the value of the option: no axis, or one with a threshold above 0 and below 1; as a mapping, or as ``z`` or ``z=0.4``.

    Raises:
        InputError: The value is something else.

    """
    if value is None:
        return FrozenMapping()
    given = _from_text(value) if isinstance(value, str) else value
    found = {axis: _threshold(one) for axis, one in given.items()} if isinstance(given, Mapping) else None
    if found is None or len(found) > 1 or not all(isinstance(axis, str) and axis and one is not None for axis, one in found.items()):
        raise option_error("join_slices", value, "one axis with an intersection over union above 0 and below 1, as in {'z': 0.25} (z=0.25)")
    return FrozenMapping({axis: one for axis, one in found.items() if one is not None})


def _from_text(text: str) -> Mapping[str, Any]:
    axis, equals, written = (part.strip() for part in text.partition("="))
    try:
        return {axis: float(written) if equals else DEFAULT_OVERLAP}
    except ValueError:
        return {axis: None}


def _threshold(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if 0 < number < 1 else None
