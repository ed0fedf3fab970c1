"""Outputs: shapes that follow from other tensors become sizes of axes that refer to axes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from ....node import Issue, Loc
from ....notes import lost
from .processing import convert_steps
from .tensors import AXES, channels, take_files, tensor_of

__all__ = ["convert_outputs"]


@attrs.frozen(kw_only=True)
class _SizeFormula:
    """``size of the axis of that letter in the tensor * scale + offset``; without tensor, the offset alone."""

    tensor: str | None
    scale: Fraction
    offset: Fraction


def convert_outputs(new: dict[str, Any], old: Mapping[str, Any]) -> list[Issue]:
    """Convert the outputs, in place.

    Args:
        new: The description under conversion.
        old: The original description.

    """
    notes = take_files(new, "outputs")
    tensors = {tensor["name"]: tensor for tensor in (*old["inputs"], *old["outputs"])}
    converted = []
    for index, tensor in enumerate(new["outputs"]):
        loc = ("outputs", index)
        converted.append(tensor_of(tensor, loc, notes, bool_values=True))
        converted[-1]["axes"] = _output_axes(tensor, tensors, loc, notes)
        steps = convert_steps(tensor.get("postprocessing") or (), tensor["axes"], (*loc, "postprocessing"), notes)
        if not steps or steps[-1]["id"] != "binarize":
            steps.append({"id": "ensure_dtype", "kwargs": {"dtype": tensor["data_type"]}})
        converted[-1]["postprocessing"] = steps
    new["outputs"] = converted
    return notes


def _output_axes(tensor: Mapping[str, Any], tensors: Mapping[str, Any], loc: Loc, notes: list[Issue]) -> list[dict[str, Any]]:
    shape = tensor["shape"]
    rank = len(shape["scale"]) if isinstance(shape, Mapping) else len(shape)
    if rank != len(tensor["axes"]):
        message = f"expected a number for each of the axes {tensor['axes']!r}, found {rank}, so they cannot be assigned to axes"
        notes.append(Issue(loc=(*loc, "shape"), message=message))
        return []
    halos = tensor.get("halo") or [0] * rank
    axes = []
    for position, (letter, halo) in enumerate(zip(tensor["axes"], halos, strict=True)):
        size = _resolved(tensor, letter, tensors)
        if size is None:
            message = f"expected a reference to a tensor with the axis {letter!r}, found none"
            notes.append(Issue(loc=(*loc, "shape", "reference_tensor"), message=message))
            return []
        axis = _axis(letter, size, tensors, (*loc, "shape"), notes)
        if halo and axis["type"] in ("space", "time"):
            _add_halo(axis, letter, halo, tensors, (*loc, "halo", position), notes)
        elif halo:
            notes.append(lost((*loc, "halo", position), f"{halo} was dropped, {axis['type']} axes have no halo"))
        axes.append(axis)
    return axes


def _resolved(tensor: Mapping[str, Any], letter: str, tensors: Mapping[str, Any]) -> _SizeFormula | None:
    """Follow references from output to output up to a tensor that has sizes of its own."""
    scale, offset, followed = Fraction(1), Fraction(0), False
    for _ in tensors:
        shape, position = tensor["shape"], tensor["axes"].find(letter)
        if position < 0:
            return None
        if not isinstance(shape, Mapping) or "scale" not in shape:
            if followed:
                return _SizeFormula(tensor=tensor["name"], scale=scale, offset=offset)
            return _SizeFormula(tensor=None, scale=Fraction(0), offset=Fraction(_least(tensor, letter)))
        own_scale = shape["scale"][position]
        offset += scale * 2 * Fraction(shape["offset"][position])
        if not own_scale:
            return _SizeFormula(tensor=None, scale=Fraction(0), offset=offset)
        scale *= Fraction(own_scale).limit_denominator(10_000)
        tensor, followed = tensors[shape["reference_tensor"]], True
    return None


def _least(tensor: Mapping[str, Any], letter: str) -> int:
    shape = tensor["shape"]
    least = shape["min"] if isinstance(shape, Mapping) else shape
    position = tensor["axes"].find(letter)
    return int(least[position]) if position < len(least) else 0


def _axis(letter: str, size: _SizeFormula, tensors: Mapping[str, Any], loc: Loc, notes: list[Issue]) -> dict[str, Any]:
    type_, axis_id = AXES[letter]
    if type_ == "batch":
        return {"type": "batch"}
    if type_ == "channel":
        least = 0 if size.tensor is None else _least(tensors[size.tensor], letter)
        return channels(max(int(least * size.scale + size.offset), 0))
    axis: dict[str, Any] = {"type": type_, "id": axis_id}
    if size.tensor is None:
        axis["size"] = int(size.offset)
        return axis
    offset = int(size.offset)
    if type_ == "index" and size.scale != 1:
        shape = tensors[size.tensor]["shape"]
        if isinstance(shape, Mapping) and shape["step"][tensors[size.tensor]["axes"].find(letter)]:
            notes.append(lost(loc, f"the scale {float(size.scale):g} of the index axis was dropped, its size is unknown before prediction"))
            axis["size"] = {"min": 1}
        else:
            axis["size"] = int(_least(tensors[size.tensor], letter) * size.scale + size.offset)
        return axis
    axis["size"] = {"tensor_id": size.tensor, "axis_id": axis_id, **({"offset": offset} if offset else {})}
    if size.scale != 1:
        axis["scale"] = float(1 / size.scale)
    return axis


def _add_halo(axis: dict[str, Any], letter: str, halo: int, tensors: Mapping[str, Any], loc: Loc, notes: list[Issue]) -> None:
    """Add a halo, which only sizes that refer to another axis can have, and which is a whole number of that axis' pixels."""
    if not isinstance(axis["size"], dict):
        reference = _fixed_reference(axis["size"], letter, tensors)
        if reference is None:
            message = f"{halo} was dropped: the size {axis['size']} follows from no other tensor, and fixed sizes have no halo"
            notes.append(lost(loc, message))
            return
        axis.update(reference)
    scale = Fraction(axis.get("scale", 1.0)).limit_denominator(10_000)
    raised = -(-halo // scale.denominator) * scale.denominator
    if raised != halo:
        notes.append(lost(loc, f"{halo} became {raised}, a whole number of pixels of the axis that the size refers to"))
    axis["halo"] = raised


def _fixed_reference(size: int, letter: str, tensors: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a size that gives ``size``, by way of another tensor whose axis of that letter is of fixed size too."""
    axis_id = AXES[letter][1]
    for name, tensor in tensors.items():
        shape = tensor["shape"]
        position = tensor["axes"].find(letter)
        if position < 0 or "halo" in tensor or (isinstance(shape, Mapping) and (("scale" in shape) or shape["step"][position])):
            continue
        given = _least(tensor, letter)
        if given < 1:
            continue
        reference = {"tensor_id": name, "axis_id": axis_id}
        if size % given == 0 or given % size == 0:
            return {"size": reference} if size == given else {"size": reference, "scale": given / size}
        return {"size": {**reference, "offset": size - given}}
    return None
