"""Inputs, and what outputs have in common with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ....node import Issue, Loc
from ....notes import changed, lost
from .processing import convert_steps

__all__ = ["AXES", "channels", "convert_inputs", "take_files", "tensor_of"]

AXES = {
    "b": ("batch", "batch"),
    "t": ("time", "time"),
    "i": ("index", "index"),
    "c": ("channel", "channel"),
    "z": ("space", "z"),
    "y": ("space", "y"),
    "x": ("space", "x"),
}
"""Type and id of the axis that a letter stands for."""


def convert_inputs(new: dict[str, Any]) -> list[Issue]:
    """Convert the inputs, in place."""
    notes = take_files(new, "inputs")
    converted = []
    for index, tensor in enumerate(new["inputs"]):
        loc = ("inputs", index)
        converted.append(tensor_of(tensor, loc, notes, bool_values=False))
        converted[-1]["axes"] = _input_axes(tensor, (*loc, "shape"), notes)
        steps = convert_steps(tensor.get("preprocessing") or (), tensor["axes"], (*loc, "preprocessing"), notes)
        converted[-1]["preprocessing"] = [*steps, {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
    new["inputs"] = converted
    return notes


def take_files(new: dict[str, Any], key: str) -> list[Issue]:
    """Move test and sample files to the tensors that they are of, by position; those of no tensor become attachments."""
    notes = []
    tensors = [dict(tensor) for tensor in new[key]]
    for kind in ("test", "sample"):
        files = new.pop(f"{kind}_{key}", None) or ()
        for tensor, file in zip(tensors, files, strict=False):
            tensor[f"{kind}_tensor"] = {"source": file}
        for index, file in list(enumerate(files))[len(tensors) :]:
            new["attachments"] = [*(new.get("attachments") or ()), {"source": file}]
            notes.append(lost((f"{kind}_{key}", index), f"{file!r} was moved to attachments, there are {len(tensors)} {key}"))
    new[key] = tensors
    return notes


def tensor_of(tensor: Mapping[str, Any], loc: Loc, notes: list[Issue], *, bool_values: bool) -> dict[str, Any]:
    """Return what inputs and outputs share: id, description, files, data."""
    converted: dict[str, Any] = {"id": tensor["name"]}
    description = tensor.get("description") or ""
    if len(description) > 128:
        notes.append(lost((*loc, "description"), f"cut from {len(description)} to 128 characters"))
    if description:
        converted["description"] = description[:128]
    for key in ("test_tensor", "sample_tensor"):
        if key in tensor:
            converted[key] = tensor[key]
    converted["axes"] = []
    converted["data"] = _data(tensor, loc, notes, is_bool=bool_values and tensor["data_type"] == "bool")
    return converted


def _data(tensor: Mapping[str, Any], loc: Loc, notes: list[Issue], *, is_bool: bool) -> dict[str, Any]:
    data_range = tensor.get("data_range")
    if is_bool:
        if data_range is not None:
            notes.append(lost((*loc, "data_range"), f"{list(data_range)} was dropped, boolean values have no range"))
        return {"values": [False, True], "type": "bool"}
    data: dict[str, Any] = {"type": tensor["data_type"]}
    if data_range is not None and any(math.isfinite(bound) for bound in data_range):
        data["range"] = [bound if math.isfinite(bound) else None for bound in data_range]
        notes.append(changed((*loc, "data_range"), "read as data.range"))
    return data


def _input_axes(tensor: Mapping[str, Any], loc: Loc, notes: list[Issue]) -> list[dict[str, Any]]:
    shape = tensor["shape"]
    least: Sequence[int] = shape["min"] if isinstance(shape, Mapping) else shape
    steps: Sequence[int] = shape["step"] if isinstance(shape, Mapping) else [0] * len(least)
    if len(least) != len(tensor["axes"]):
        message = f"expected a number for each of the axes {tensor['axes']!r}, found {len(least)}, so they cannot be assigned to axes"
        notes.append(Issue(loc=loc, message=message))
        return []
    axes: list[dict[str, Any]] = []
    for position, (letter, size, step) in enumerate(zip(tensor["axes"], least, steps, strict=True)):
        type_, axis_id = AXES[letter]
        if type_ == "batch":
            axes.append({"type": "batch"})
        elif type_ == "channel":
            if step:
                message = f"the step of {step} was dropped, the number of channels is fixed to {size}"
                notes.append(lost((*loc, "step", position), message))
            axes.append(channels(size))
        else:
            axes.append({"type": type_, "id": axis_id, "size": {"min": size, "step": step} if step else size})
    return axes


def channels(count: int) -> dict[str, Any]:
    """Return a channel axis whose channels are numbered."""
    return {"type": "channel", "channel_names": [f"channel{number}" for number in range(min(count, 100_000))]}
