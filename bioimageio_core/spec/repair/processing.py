"""Pre- and postprocessing of models in the form of formats 0.3 and 0.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...structuring.format_value import format_value
from ..node import Issue, Loc
from ..notes import mended
from .tensors import tensors_of

__all__ = ["fixed_arguments", "fixed_range", "normalization", "step_axes", "steps"]

_NAMES = {
    "zero_mean_unit_var": "zero_mean_unit_variance",
    "zero_mean_unit_std": "zero_mean_unit_variance",
}
"""Earlier names of ops."""

_RANGES = ("min_max", "min_max_normalization", "scale_min_max")
"""Names under which descriptions have an op that no version of the format knows, which brings a range to 0..1."""

_KEYS = {"inputs": "preprocessing", "outputs": "postprocessing"}


def steps(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a step without a list, one whose name is its key, and former names of ops."""
    for side, index, tensor in tensors_of(tree):
        key = _KEYS[side]
        loc: Loc = (side, index, key)
        if isinstance(tensor.get(key), dict):
            yield mended(loc, f"expected a list, found {format_value(tensor[key])}: read as a list of one")
            tensor[key] = [tensor[key]]
        listed = tensor.get(key)
        for position in range(len(listed) if isinstance(listed, list) else 0):
            yield from _step(tensor[key], position, (*loc, position))


def _step(listed: list[Any], position: int, loc: Loc) -> Iterator[Issue]:
    step = listed[position]
    if isinstance(step, dict) and len(step) == 1 and (name := next(iter(step))) not in ("name", "id", "kwargs"):
        arguments = step[name]
        if arguments is None or isinstance(arguments, dict):
            inner = arguments.get("kwargs", arguments) if arguments else None
            step = listed[position] = {"name": name, **({"kwargs": inner} if inner else {})}
            yield mended(loc, f"expected the name of an op under name, found it as key: read as {name!r}")
    if isinstance(step, dict) and isinstance(step.get("name"), str) and step["name"] in _NAMES:
        written, step["name"] = step["name"], _NAMES[step["name"]]
        yield mended((*loc, "name"), f"{written!r} was read as {step['name']!r}")


def normalization(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read the one op that the first drafts of format 0.3 had under ``normalization`` as preprocessing."""
    for side, index, tensor in tensors_of(tree):
        written = tensor.get("normalization")
        if side == "inputs" and isinstance(written, dict) and "preprocessing" not in tensor:
            tensor["preprocessing"] = [tensor.pop("normalization")]
            yield mended((side, index, "normalization"), "read as preprocessing")


def fixed_arguments(tree: dict[str, Any]) -> Iterator[Issue]:
    """Add axes to ops with given numbers where there is one number for all, and leave out a mode that is the only one."""
    for loc, tensor, step in _steps_of(tree):
        kwargs = step.get("kwargs")
        if not isinstance(kwargs, dict):
            continue
        if step.get("name") == "scale_linear" and kwargs.get("mode") == "fixed":
            del kwargs["mode"]
            yield mended((*loc, "kwargs", "mode"), "left out, the arguments of scale_linear are fixed always")
        letters = tensor.get("axes")
        is_fixed = kwargs.get("mode", "fixed") == "fixed" and all(_is_one(kwargs.get(key)) for key in ("mean", "std"))
        if step.get("name") == "zero_mean_unit_variance" and "axes" not in kwargs and is_fixed and isinstance(letters, str):
            kwargs["axes"] = "".join(letter for letter in letters if letter in "czyx")
            yield mended((*loc, "kwargs", "axes"), f"expected axes, found none: read as {kwargs['axes']!r}, all that have one mean")


def _is_one(value: Any) -> bool:
    number = value[0] if isinstance(value, list) and len(value) == 1 else value
    return _is_number(number)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def fixed_range(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read ops that bring a given range to 0..1 as linear: ``(tensor - min) / (max - min)``; not those whose range is measured."""
    for loc, _, step in _steps_of(tree):
        kwargs = step.get("kwargs")
        if step.get("name") not in _RANGES or not isinstance(kwargs, dict) or kwargs.get("mode") != "fixed":
            continue
        if (
            not {"min", "max"} <= set(kwargs) <= {"mode", "axes", "min", "max"}
            or not _is_number(kwargs["min"])
            or not _is_number(kwargs["max"])
        ):
            continue
        low, high = kwargs["min"], kwargs["max"]
        if low < high:
            written, step["name"] = step["name"], "scale_linear"
            step["kwargs"] = {"gain": 1 / (high - low), "offset": (0 - low) / (high - low)}
            message = f"{written!r}, which the format does not know, was read as scale_linear: (tensor - {low}) / ({high} - {low})"
            yield mended((*loc, "name"), message)


def step_axes(tree: dict[str, Any]) -> Iterator[Issue]:
    """Leave out axes that the tensor lacks, which say nothing, and read lists of letters and capitals."""
    for loc, tensor, step in _steps_of(tree):
        kwargs, letters = step.get("kwargs"), tensor.get("axes")
        written = kwargs.get("axes") if isinstance(kwargs, dict) else None
        if not isinstance(kwargs, dict) or not isinstance(letters, str):
            continue
        if isinstance(written, list) and written and all(isinstance(letter, str) and len(letter) == 1 for letter in written):
            written = "".join(written)
        if not isinstance(written, str) or not set(written.lower()) <= set("bitczyx"):
            continue
        present = "".join(letter for letter in dict.fromkeys(written.lower()) if letter in letters)
        if present and present != kwargs["axes"]:
            was, kwargs["axes"] = kwargs["axes"], present
            yield mended((*loc, "kwargs", "axes"), f"{format_value(was)} was read as {present!r}, the axes of the tensor are {letters!r}")


def _steps_of(tree: dict[str, Any]) -> Iterator[tuple[Loc, dict[str, Any], dict[str, Any]]]:
    for side, index, tensor in tensors_of(tree):
        listed = tensor.get(_KEYS[side])
        for position, step in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(step, dict):
                yield (side, index, _KEYS[side], position), tensor, step
