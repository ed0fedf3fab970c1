"""Values of options: what they may be, and one sentence for every value that is something else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from math import inf
from numbers import Integral, Real
from typing import Any, Literal, TypeVar

import attrs
import numpy as np

from ..axis_names import axis_of_name, parse_axes
from ..errors import InputError, OutputError
from ..text import did_you_mean, in_one_line
from ..typing import AxisId, FrozenMapping
from ..units import is_pixel_size, normalised_unit, parse_size

__all__ = [
    "EVERY_SPACE_AXIS",
    "axis_ranges",
    "axis_sizes",
    "by_axis_of_model",
    "channels",
    "check_client",
    "check_tensor_ids",
    "halo_sizes",
    "input_axes",
    "is_choice",
    "is_duration",
    "is_flag",
    "is_image",
    "is_scene",
    "is_text",
    "names",
    "number_range",
    "option_error",
    "output_location",
    "pixel_sizes",
    "plain_value",
    "shard_of",
    "storage_dtypes",
    "suggestion",
    "value_for_tensor",
    "whole_number",
]

T = TypeVar("T")
Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

EVERY_SPACE_AXIS: AxisId = "space"
"""Stands for all axes of type space in an option by axis; a single number has this key."""


def option_error(name: str, value: object, expected: str) -> InputError:
    """Return the error of an option with a value that it cannot have."""
    return InputError(f"{name}= (--{name.replace('_', '-')}) is {_shown(value)}: expected {expected}")


def _shown(value: object) -> str:
    """Return a value in one line of at most 80 characters."""
    written = repr(value)
    if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
        written = f"an array of shape {getattr(value, 'shape', '?')}"
    shown = in_one_line(written)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def suggestion(value: object, known: Sequence[str]) -> str:
    """Return ``did you mean ...?`` for text that is close to one of the known ones, else a list of them."""
    return did_you_mean(value, known, otherwise=f"expected one of {', '.join(known)}")


def output_location(value: Any) -> str:
    """Return the location of an output as text.

    Raises:
        OutputError: It is neither text nor a path.

    """
    if not isinstance(value, str | bytes | os.PathLike):
        named = "; options are given by name, as in block=256" if isinstance(value, int | Mapping) else ""
        raise OutputError(
            f"output= (-o) is {_shown(value)}: expected a path or URL, as in 'result.zarr', or None for arrays in memory{named}"
        )
    return os.fsdecode(value)


def number_range(value: Any) -> tuple[float, float]:
    """Return the value of the option `value_range`: two finite numbers, of which the second is higher."""
    low, high = map(_number, value) if isinstance(value, tuple | list) and len(value) == 2 else (None, None)
    if low is None or high is None or not -inf < low < high < inf:
        raise option_error("value_range", value, "a lower and a higher number, as in (-1, 1)")
    return low, high


def plain_value(value: Any) -> Any:
    """Return integers and flags of numpy as those of Python, which JSON takes; other values as they are."""
    return value.item() if isinstance(value, np.bool_ | np.integer) else value


def is_scene(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
    """Check that a value is the number or name of a scene, or None."""
    if not (value is None or isinstance(value, str) or _integer(value, 0) is not None):
        raise option_error(option.name, value, "the number of a scene, from 0, or its name")


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


def _number(value: Any) -> float | None:
    """Return a number as a float; None for anything else, and for what no float can be."""
    try:
        return float(value) if not isinstance(value, bool) and isinstance(value, Real) else None
    except OverflowError:
        return None


def axis_sizes(name: str, value: Any, example: str) -> FrozenMapping[AxisId, int]:
    """Return the value of an option of sizes by axis, of at least one pixel."""
    return _by_axis(name, value, lambda one: _integer(one, 1), "whole numbers of pixels, at least 1,", example)


def halo_sizes(value: Any) -> FrozenMapping[AxisId, int] | Literal["measured"]:
    """Return the value of the option `halo`: sizes from 0 by axis, or ``measured``."""
    if isinstance(value, str) and value == "measured":
        return "measured"
    return _by_axis("halo", value, lambda one: _integer(one, 0), '"measured", or whole numbers of pixels, at least 0,', "32")


def pixel_sizes(value: Any) -> FrozenMapping[AxisId, tuple[float, str | None]]:
    """Return the value of the option `pixel_size`: sizes above 0 by axis with their units, from numbers, texts (``0.5 µm``) or pairs."""
    return _by_axis("pixel_size", value, _pixel_size, "finite numbers above 0, or texts such as '0.5 µm',", "0.5")


def _pixel_size(value: Any) -> tuple[float, str | None] | None:
    try:
        size, unit = parse_size(value) if isinstance(value, str) else value if isinstance(value, tuple) else (value, None)
        number, named = _number(size), normalised_unit(unit)
    except (AttributeError, ValueError):  # no number with a unit, or no pair
        return None
    return None if number is None or not is_pixel_size(number) or (named is None) != (unit is None) else (number, named)


def axis_ranges(value: Any) -> FrozenMapping[AxisId, tuple[int, int | None]]:
    """Return the value of the option `roi`: start and stop in pixels by axis, also given as slices; a stop of None is the end."""
    expected = "a start and a stop in pixels from 0, by axis, as in {'y': (0, 512), 'x': slice(100, None)} (y=0:512,x=100:)"
    if value is not None and not isinstance(value, Mapping):
        raise option_error("roi", value, expected)
    ranges = {}
    for axis, part in (value or {}).items():
        ends: Any = (part.start, part.stop) if isinstance(part, slice) and part.step in (None, 1) else part
        paired = isinstance(axis, str) and isinstance(ends, tuple | list) and len(ends) == 2
        if not paired or any(end is not None and _integer(end, 0) is None for end in ends):
            raise option_error("roi", value, expected)
        start, stop = ends
        ranges[axis] = (0 if start is None else int(start), None if stop is None else int(stop))
    return FrozenMapping(ranges)


def names(name: str, value: Any) -> tuple[str, ...]:
    """Return the value of an option that is a name or a sequence of names."""
    given = (value,) if isinstance(value, str) else value
    if given is not None and not (isinstance(given, Sequence) and all(isinstance(one, str) for one in given)):
        raise option_error(name, value, "a name or a sequence of names")
    return tuple(given or ())


def module_names(name: str, value: Any) -> tuple[str, ...]:
    """Return the value of an option that is the name of a module or a sequence of names."""
    given = names(name, value)
    if not all(part.isidentifier() for module in given for part in module.split(".")):
        raise option_error(name, value, "names of Python modules, as in torchvision")
    return given


def whole_number(least: int, *, or_none: str = "") -> Validator:
    """Return a validator of whole numbers; ``or_none`` says in words what None does, empty where None is refused."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if not (value is None and or_none) and _integer(value, least) is None:
            raise option_error(option.name, value, f"a whole number, at least {least}{f', or None for {or_none}' if or_none else ''}")

    return validate


def is_duration(*, or_none: str) -> Validator:
    """Return a validator of durations in seconds; ``or_none`` says in words what None does."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        seconds = 0.0 if value is None else _number(value)
        if seconds is None or not seconds >= 0:
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
        if not (isinstance(value, str) and value.strip()) and not (value is None and or_none):
            raise option_error(option.name, value, f"text, as in {example!r}")

    return validate


def is_choice(choices: Sequence[str], *, what: str = "", or_none: bool = False) -> Validator:
    """Return a validator of one of some texts; ``what`` says what they are."""

    def validate(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
        if not (isinstance(value, str) and value in choices) and not (value is None and or_none):
            hint = did_you_mean(value, choices)
            raise option_error(option.name, value, f"{what}one of {', '.join(choices)}{f'; {hint}' if hint else ''}")

    return validate


def by_axis_of_model(
    name: str, given: FrozenMapping[AxisId, T], ids: Collection[AxisId], space: Sequence[AxisId]
) -> FrozenMapping[AxisId, T]:
    """Return an option by axis with the ids of the model in place of other names of axes, such as ``t`` or ``rows``.

    The value for all axes of space stands at each of them that has none of its own.

    Args:
        name: Name of the option.
        given: Its value.
        ids: All axes of the model.
        space: Those of space that the option is about.

    Raises:
        InputError: Two names stand for one axis.

    """
    own: dict[AxisId, T] = {}
    for written, value in given.items():
        axis = written if written in ids else axis_of_name(written)
        if axis in own:
            raise InputError(f"{name}= (--{name.replace('_', '-')}) names the axis {axis!r} twice: expected every axis once")
        own[axis] = value
    if EVERY_SPACE_AXIS in own:
        own = {**dict.fromkeys(space, own.pop(EVERY_SPACE_AXIS)), **own}
    return FrozenMapping(own)


def shard_of(value: Any) -> tuple[int, int] | None:
    """Return the value of the option `shard`: its number, from 1, and how many there are."""
    if value is None:
        return None
    number, count = (_integer(one, 1) for one in value) if isinstance(value, tuple | list) and len(value) == 2 else (None, None)
    if number is None or count is None or number > count:
        raise InputError(f"shard= (--shard) is {_shown(value)}: expected a pair i, n with i from 1 to n")
    return number, count


def _by_tensor(name: str, value: Any, read: Callable[[Any], T | None], expected: str) -> T | FrozenMapping[str, T | None] | None:
    """Return an option that is one value for all tensors, or one for each by tensor id, of which None stands for no value."""

    def parsed(one: Any) -> T | None:
        found = None if one is None else read(one)
        if found is None and one is not None:
            raise option_error(name, value, f"{expected}, or a mapping of these by tensor id")
        return found

    if not isinstance(value, Mapping):
        return parsed(value)
    if not all(isinstance(key, str) for key in value):
        raise option_error(name, value, f"{expected}, or a mapping of these by tensor id")
    return FrozenMapping({key: parsed(one) for key, one in value.items()})


def _sequence(value: Any, kinds: type[Any] | tuple[type[Any], ...]) -> tuple[Any, ...] | None:
    """Return a sequence of values of some types as a tuple; None for anything else, and where it is empty."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence) or not value:
        return None
    return tuple(map(plain_value, value)) if all(isinstance(one, kinds) and not isinstance(one, bool) for one in value) else None


def input_axes(value: Any) -> str | tuple[str, ...] | FrozenMapping[str, Any] | None:
    """Return the value of the option `axes`.

    Raises:
        InputError: It is no text or sequence of names, nor a mapping of these.
        AxesError: A letter is unknown, or an axis occurs twice.

    """

    def axes(one: Any) -> str | tuple[str, ...] | None:
        found = one if isinstance(one, str) else _sequence(one, str)
        if found is not None:
            parse_axes(found)
        return found

    return _by_tensor("axes", value, axes, "axes, as in 'tczyx' or ['time', 'y', 'x']")


def channels(value: Any) -> int | str | tuple[int | str, ...] | FrozenMapping[str, Any] | None:
    """Return the value of the option `channel`: names or numbers, or a mapping of these by tensor id."""

    def channel(one: Any) -> int | str | tuple[int | str, ...] | None:
        plain = plain_value(one)
        return plain if isinstance(plain, int | str) and not isinstance(plain, bool) else _sequence(one, (int, np.integer, str))

    return _by_tensor("channel", value, channel, "the name or number of a channel, or a list of them")


def storage_dtypes(value: Any) -> str | FrozenMapping[str, str | None] | None:
    """Return the value of the option `dtype`: the name of a dtype, or a mapping of these by output id."""

    def dtype(one: Any) -> str | None:
        try:
            found = np.dtype(one) if isinstance(one, str | type | np.dtype) else None
        except (TypeError, ValueError, SyntaxError):
            return None
        return str(found) if found is not None and found.kind in "iufb" else None

    return _by_tensor("dtype", value, dtype, "an integer or floating point type, such as uint8 or float16")


def value_for_tensor(option: Any, tensor_id: str) -> Any:
    """Return the value for one tensor of an option that may be a mapping by tensor id."""
    return option.get(tensor_id) if isinstance(option, Mapping) else option


def check_tensor_ids(name: str, option: Any, ids: Collection[str], what: str) -> None:
    """Refuse an option by tensor id that names a tensor which the model lacks.

    Args:
        name: Name of the option.
        option: Its value.
        ids: The tensors that it may name.
        what: What they are: ``input`` or ``output``.

    Raises:
        InputError: It names another one.

    """
    for tensor_id in option if isinstance(option, Mapping) else ():
        if tensor_id not in ids:
            hint = did_you_mean(tensor_id, ids)
            raise InputError(
                f"{name}= (--{name}) is given for {tensor_id!r}, which is no {what} of the model: "
                f"expected some of {', '.join(ids)}{f'; {hint}' if hint else ''}"
            )


def is_image(_: Any, option: attrs.Attribute[Any], value: Any) -> None:
    """Check that a value is an image, as `bioimageio_core.io.open_image` takes it, or None."""
    is_array = hasattr(value, "shape") and hasattr(value, "dtype") and value.shape != ()
    if not (value is None or is_array or isinstance(value, str | os.PathLike)):
        raise option_error(option.name, value, "an image: a path, a URL or an array")


def check_client(value: Any) -> None:
    """Check that a value is a client of distributed, False or None; the package is not imported.

    Raises:
        InputError: It is something else.

    """
    distributed = sys.modules.get("distributed")
    if value is not None and value is not False and (distributed is None or not isinstance(value, distributed.Client)):
        raise InputError(
            f"client is of type {type(value).__name__}: expected a distributed.Client, as Client(cluster) or Client('tcp://host:8786'), "
            "None for the active one, or False for threads of this process"
        )
