"""Positions along one axis, as people give them to select: a number, a slice, several numbers, or a mask."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from ..errors import InputError
from ..typing import AxisId

__all__ = ["axis_positions"]


def axis_positions(axis: AxisId, size: int, given: Any) -> int | slice | list[int]:
    """Return positions along an axis: one number, a slice, or several numbers in the given order, counted from 0.

    Args:
        axis: Name of the axis, for messages.
        size: Its size.
        given: An integer, a slice, a sequence or array of integers, or of as many booleans as the axis has positions.

    Raises:
        InputError: It is none of these, or there are too many or too few booleans.
        IndexError: There is no such position.

    """
    if isinstance(given, slice):
        try:
            given.indices(size)
        except (TypeError, ValueError):
            raise _wrong(axis, size, given) from None
        return given
    number = _integer(given)
    if number is not None:
        return _within(axis, size, number)
    if isinstance(given, str | bytes | set | dict) or not (hasattr(given, "__array__") or hasattr(given, "__len__")):
        raise _wrong(axis, size, given)
    several = np.asarray(given) if hasattr(given, "__array__") else given
    if getattr(several, "ndim", 1) != 1:
        raise _wrong(axis, size, given)
    entries = several.tolist() if isinstance(several, np.ndarray) else [one.item() if isinstance(one, np.bool_) else one for one in several]
    if entries and all(isinstance(one, bool) for one in entries):
        if len(entries) != size:
            raise InputError(f"a mask of {len(entries)} booleans along axis {axis!r}: expected one for each of its {size} positions")
        return [number for number, chosen in enumerate(entries) if chosen]
    numbers = [_integer(one) for one in entries]
    return [_within(axis, size, _known(axis, size, given, one)) for one in numbers]


def _integer(value: Any) -> int | None:
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _known(axis: AxisId, size: int, given: Any, number: int | None) -> int:
    if number is None:
        raise _wrong(axis, size, given)
    return number


def _within(axis: AxisId, size: int, number: int) -> int:
    if not -size <= number < size:
        raise IndexError(f"position {number} is beyond the end of axis {axis!r}, which has {size} positions, counted from 0")
    return number % size


def _wrong(axis: AxisId, size: int, given: Any) -> InputError:
    described = (
        f"an array of dtype {given.dtype} and shape {tuple(given.shape)}" if hasattr(given, "dtype") and given.shape else repr(given)
    )
    shown = described if len(described) <= 80 else f"{described[:77]}..."
    return InputError(f"axis {axis!r}: expected an integer, a slice, a list of integers or {size} booleans, found {shown}")
