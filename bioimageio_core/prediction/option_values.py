"""Values of options: what they may be, and one sentence for every value that is something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, Literal, TypeVar

import attrs
import numpy as np

from ..errors import InputError
from ..text import in_one_line
from ..typing import AxisId, FrozenMapping
from ..units import is_pixel_size

__all__ = [
    "EVERY_SPACE_AXIS",
    "axis_ranges",
    "axis_sizes",
    "halo_sizes",
    "is_choice",
    "is_duration",
    "is_flag",
    "is_series",
    "is_text",
    "names",
    "on_space_axes",
    "option_error",
    "pixel_sizes",
    "suggestion",
    "whole_number",
]

T = TypeVar("T")
Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

EVERY_SPACE_AXIS: AxisId = "space"
"""Stands for all axes of type space in an option by axis; a single number has this key."""


def option_error(name: str, value: object, expected: str) -> InputError:
    """Return the error of an option with a value that it cannot have."""
    written = repr(value)
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        written = f"an array of shape {getattr(value, 'shape', '?')}"
    shown = in_one_line(written)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return InputError(f"{name}= (--{name.replace('_', '-')}) is {shown}: expected {expected}")


def suggestion(value: object, known: Sequence[str]) -> str:
    """Return ``did you mean ...?`` for text that is close to one of the known ones, else a list of them."""
    close = get_close_matches(str(value), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}"


def is_series(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
    """Check that a value is the number or name of a series, or None."""
    if not (value is None or isinstance(value, str) or _integer(value, 0) is not None):
        raise option_error(option.name, value, "the number of a series, from 0, or its name")


def _by_axis(name: str, value: Any, read: Callable[[Any], T | None], one: str, example: str) -> FrozenMapping[AxisId, T]:
    """Return an option by axis; a single value is for all axes of space."""
    if value is None:
        return FrozenMapping()
    given = value if isinstance(value, Mapping) else {EVERY_SPACE_AXIS: value}
    found = {}
    for axis, written in given.items():
        parsed = read(written)
        if parsed is None or not isinstance(axis, str):
            text = f"y={example},x={example}"
            raise option_error(
                name, value, f"{one} by axis, as in {{'y': {example}, 'x': {example}}} ({text}), or one for all axes of space"
            )
        found[axis] = parsed
    return FrozenMapping(found)


def _integer(value: Any, least: int) -> int | None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        return None
    return int(value) if int(value) >= least else None


def axis_sizes(name: str, value: Any, example: str) -> FrozenMapping[AxisId, int]:
    """Return the value of an option of sizes by axis, of at least one pixel."""
    return _by_axis(name, value, lambda one: _integer(one, 1), "whole numbers of pixels, at least 1,", example)


def halo_sizes(value: Any) -> FrozenMapping[AxisId, int] | Literal["measured"]:
    """Return the value of the option `halo`: sizes from 0 by axis, or ``measured``."""
    if isinstance(value, str) and value == "measured":
        return "measured"
    return _by_axis("halo", value, lambda one: _integer(one, 0), '"measured", or whole numbers of pixels, at least 0,', "32")


def pixel_sizes(value: Any) -> FrozenMapping[AxisId, float]:
    """Return the value of the option `pixel_size`: finite lengths above 0 by axis."""

    def length(one: Any) -> float | None:
        return float(one) if isinstance(one, Real) and is_pixel_size(float(one)) else None

    return _by_axis("pixel_size", value, length, "finite numbers above 0", "0.5")


def axis_ranges(value: Any) -> FrozenMapping[AxisId, tuple[int, int]]:
    """Return the value of the option `roi`: start and stop in pixels by axis, also given as slices."""
    expected = "a start and a stop in pixels by axis, as in {'y': (0, 512), 'x': (100, 612)} (y=0:512,x=100:612)"
    if value is not None and not isinstance(value, Mapping):
        raise option_error("roi", value, expected)
    ranges = {}
    for axis, part in (value or {}).items():
        ends: Any = (part.start or 0, part.stop) if isinstance(part, slice) and part.step in (None, 1) else part
        if not isinstance(ends, Sequence) or isinstance(ends, str) or len(ends) != 2 or any(_integer(end, 0) is None for end in ends):
            raise option_error("roi", value, expected)
        ranges[str(axis)] = (int(ends[0]), int(ends[1]))
    return FrozenMapping(ranges)


def names(name: str, value: Any) -> tuple[str, ...]:
    """Return the value of an option that is a name or a sequence of names."""
    given = (value,) if isinstance(value, str) else value
    if given is not None and not (isinstance(given, Sequence) and all(isinstance(one, str) for one in given)):
        raise option_error(name, value, "a name or a sequence of names")
    return tuple(given or ())


def whole_number(least: int, *, or_none: str = "") -> Validator:
    """Return a validator of whole numbers; ``or_none`` says in words what None does, empty where None is refused."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if (value is None and or_none) or _integer(value, least) is not None:
            return
        raise option_error(option.name, value, f"a whole number, at least {least}{f', or None for {or_none}' if or_none else ''}")

    return validate


def is_duration(*, or_none: str) -> Validator:
    """Return a validator of durations in seconds; ``or_none`` says in words what None does."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if value is not None and (isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not float(value) >= 0):
            raise option_error(option.name, value, f"seconds, at least 0, or None for {or_none}")

    return validate


def is_flag(*, or_none: bool = False) -> Validator:
    """Return a validator of True and False."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, bool | np.bool_) and not (value is None and or_none):
            raise option_error(option.name, value, "True or False")

    return validate


def is_text(example: str, *, or_none: bool = False) -> Validator:
    """Return a validator of text."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, str) and not (value is None and or_none):
            raise option_error(option.name, value, f"text, as in {example!r}")

    return validate


def is_choice(choices: Sequence[str], *, what: str = "", or_none: bool = False) -> Validator:
    """Return a validator of one of some texts; ``what`` says what they are."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if not (isinstance(value, str) and value in choices) and not (value is None and or_none):
            close = get_close_matches(str(value), choices, n=1)
            raise option_error(option.name, value, f"{what}one of {', '.join(choices)}{f'; did you mean {close[0]!r}?' if close else ''}")

    return validate


def on_space_axes(given: FrozenMapping[AxisId, T], space: Sequence[AxisId]) -> FrozenMapping[AxisId, T]:
    """Return an option by axis in which the value for all axes of space stands at each of them that has none of its own."""
    if EVERY_SPACE_AXIS not in given:
        return given
    own = {axis: value for axis, value in given.items() if axis != EVERY_SPACE_AXIS}
    return FrozenMapping({**dict.fromkeys(space, given[EVERY_SPACE_AXIS]), **own})
