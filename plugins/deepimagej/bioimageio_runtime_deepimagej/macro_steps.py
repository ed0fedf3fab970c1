"""Macros as processing ops of descriptions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from bioimageio_core.errors import BioimageioError, InputError

from .config_block import Step, read_block
from .macro_images import Arithmetic, Masked
from .macro_meaning import Meaning, understand
from .macro_tree import MacroError
from .macro_values import symbols_in

__all__ = ["has_planes", "ops_of_macro", "with_macros"]

UNBOUNDED = 1e20
"""Thresholds from here on bound nothing."""

LEAST_STD = 0.1
"""Standard deviations from here on differ by less than 1e-5 where the op adds its 1e-6."""

SIDES = (("preprocess", "inputs", "preprocessing"), ("postprocess", "outputs", "postprocessing"))


def with_macros(tree: Mapping[str, Any], read: Callable[[str], bytes]) -> dict[str, Any]:
    """Return a description whose macros are ops, as the run mode ``deepimagej`` means them.

    Args:
        tree: The description, of format 0.4 or 0.5.
        read: Returns the content of one of its files.

    Raises:
        InputError: The macros cannot become ops.

    """
    result = dict(tree)
    kwargs = (tree.get("run_mode") or {}).get("kwargs") or {}
    if kwargs.get("macros") is not None:
        return result
    block = (tree.get("config") or {}).get("deepimagej") or {}
    try:
        config, _ = read_block(block)
    except ValueError as error:
        raise InputError(str(error)) from None
    key = "id" if str(tree.get("format_version", "")).startswith("0.5") else "name"
    names: list[str] = []
    replaced: list[str] = []
    for side, tensors, where in SIDES:
        steps: tuple[Step, ...] = getattr(config, side)
        if not steps:
            continue
        if len(tree[tensors]) != 1:
            raise InputError(f"config.deepimagej.prediction.{side}: expected a model with one of its {tensors}, found {len(tree[tensors])}")
        tensor = dict(tree[tensors][0])
        ops: list[dict[str, Any]] = []
        for step in steps:
            name, text = _text(step, side, tree, read)
            names.append(name)
            _check_planes(text, name, tensor)
            ops += ops_of_macro(text, name, key)
        before = [{key: op[key], "kwargs": op.get("kwargs") or {}} for op in tensor.get(where) or ()]
        replaced += [] if before == ops else [str(op[key]) for op in before]
        tensor[where] = ops
        result[tensors] = [tensor]
    if "run_mode" in tree:
        result["run_mode"] = {"name": "deepimagej", "kwargs": {"macros": names, "replaced": replaced}}
    return result


def ops_of_macro(text: str, name: str, key: str) -> list[dict[str, Any]]:
    """Return the ops that do what a macro does: those of the format where one is equal, else the macro itself as an op.

    Args:
        text: The macro.
        name: Its name.
        key: What ops are called by: ``id`` in format 0.5, ``name`` in 0.4.

    """
    try:
        meaning = understand(text)
    except MacroError:
        meaning = None
    native = None if meaning is None else _native(meaning)
    if native is None:
        return [{key: "imagej_macro", "kwargs": {"macro": text, "name": name}}]
    if key == "name":
        native = [_of_v0_4(*op) for op in native]
    return [{key: op, "kwargs": kwargs} for op, kwargs in native]


Op = tuple[str, dict[str, Any]]


def _native(meaning: Meaning) -> list[Op] | None:
    """Return ops of the format with the names and arguments of 0.5; None where there are no equal ones."""
    found: list[Op] = []
    linear: list[Arithmetic] = []
    for step in meaning.steps:
        if isinstance(step, Arithmetic):
            if symbols_in(step.value) or not isinstance(step.value, int | float) or step.what in ("min", "max"):
                return None
            linear.append(step)
            continue
        found += _linear(linear)
        linear = []
        mask = _binarize(step)
        if mask is None:
            return None
        found += mask
    return found + _linear(linear)


def _linear(steps: Sequence[Arithmetic]) -> list[Op]:
    values = [float(step.value) for step in steps]  # type: ignore[arg-type]
    if [step.what for step in steps] == ["subtract", "divide"] and values[1] >= LEAST_STD:
        return [("fixed_zero_mean_unit_variance", {"mean": values[0], "std": values[1]})]
    gain, offset = 1.0, 0.0
    for step, value in zip(steps, values, strict=True):
        match step.what:
            case "add":
                offset += value
            case "subtract":
                offset -= value
            case "multiply":
                gain, offset = gain * value, offset * value
            case _:
                gain, offset = (gain / value, offset / value) if value else (float("nan"), float("nan"))
    return [] if (gain, offset) == (1.0, 0.0) else [("scale_linear", {"gain": gain, "offset": offset})]


def _binarize(step: Masked) -> list[Op] | None:
    """Return ops for a threshold: what is greater than the number below it in float32 is the threshold or more."""
    if step.high < UNBOUNDED or step.outside != 0 or not step.inside:
        return None
    below = float(np.nextafter(np.float32(step.low), np.float32(-np.inf)))
    found: list[Op] = [("binarize", {"threshold": below})]
    return found if step.inside == 1 else [*found, ("scale_linear", {"gain": step.inside, "offset": 0.0})]


def _of_v0_4(op: str, kwargs: dict[str, Any]) -> Op:
    if op == "fixed_zero_mean_unit_variance":
        return "zero_mean_unit_variance", {"mode": "fixed", "axes": "yx", **kwargs}
    return op, kwargs


def _text(step: Step, side: str, tree: Mapping[str, Any], read: Callable[[str], bytes]) -> tuple[str, str]:
    """Return name and text of the macro of a step."""
    name = step.macro
    if name is None:
        raise InputError(
            f"config.deepimagej.prediction.{side} names {step.spec!r}, which is Java code and not run: "
            "leave the step out, or bring a plugin with an op for it (bmz plugins new)"
        )
    files = (tree.get("attachments") or {}) if isinstance(tree.get("attachments"), Mapping) else tree.get("attachments") or ()
    listed = files.get("files") or () if isinstance(files, Mapping) else [f.get("source", "") for f in files if isinstance(f, Mapping)]
    source = next((s for s in map(str, listed) if PurePosixPath(s.removesuffix("/content")).name == PurePosixPath(name).name), name)
    try:
        return PurePosixPath(name).name, read(source).decode("utf-8", errors="replace")
    except (BioimageioError, OSError) as error:
        raise InputError(f"config.deepimagej.prediction.{side} names the macro {name!r}, which cannot be read: {error}") from None


def _check_planes(text: str, name: str, tensor: Mapping[str, Any]) -> None:
    """Refuse macros that change one plane of an image where an image has several."""
    if any(map(_changes_one_plane, text.split(";"))) and has_planes(tensor):
        raise InputError(
            f"macro {name!r} changes one plane of an image (its commands lack 'stack'), and {tensor.get('id') or tensor.get('name')!r} "
            "has more of them: give the option 'stack' to its commands, or write ops in its place"
        )


def _changes_one_plane(statement: str) -> bool:
    """Return whether a statement has a command of arithmetic with no ``stack`` behind it."""
    commands = [found.end() for found in re.finditer(r'run\(\s*"(?:Add|Subtract|Multiply|Divide)\.\.\."', statement)]
    return bool(commands) and statement.find("stack", commands[-1]) < 0


def has_planes(tensor: Mapping[str, Any]) -> bool:
    """Return whether a tensor has, or may have, more than one plane along y and x."""
    return any(axis not in ("batch", "b", "y", "x") and size != 1 for axis, size in _axes(tensor))


def _axes(tensor: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """Return the axes of a tensor with their sizes, where these are fixed."""
    axes = tensor.get("axes") or ()
    if isinstance(axes, str):
        shape = tensor.get("shape")
        if isinstance(shape, Mapping):
            steps = shape.get("step")
            least = shape.get("min") or ()
            scales, offsets = shape.get("scale") or (), shape.get("offset") or ()
            if steps is not None:
                shape = [m if not s else None for m, s in zip(least, steps, strict=False)]
            else:  # follows an input: a channel with scale 0 has twice the offset
                shape = [round(2 * o) if not s else 1 if a in "ct" else None for a, s, o in zip(axes, scales, offsets, strict=False)]
        return list(zip(axes, shape or (), strict=False))
    found = []
    for axis in axes:
        name = str(axis.get("id") or axis.get("type"))
        size = len(axis["channel_names"]) if axis.get("channel_names") else axis.get("size")
        found.append((name, size if isinstance(size, int) else None))
    return found
