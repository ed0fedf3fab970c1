"""Inputs and outputs of models in the form of formats 0.3 and 0.4."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from typing import Any

from ...structuring.format_value import format_value
from ..node import Issue
from ..notes import mended

__all__ = ["axes", "data_range", "names", "refer", "reference_input", "tensors_of"]


def tensors_of(tree: dict[str, Any]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield the tensors that are mappings, with where they stand."""
    for side in ("inputs", "outputs"):
        tensors = tree.get(side)
        for index, tensor in enumerate(tensors if isinstance(tensors, list) else ()):
            if isinstance(tensor, dict):
                yield side, index, tensor


def axes(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read letters of axes that are capitals, or a list."""
    for side, index, tensor in tensors_of(tree):
        written = tensor.get("axes")
        if isinstance(written, list) and written and all(isinstance(letter, str) and len(letter) == 1 for letter in written):
            written = "".join(written)
        if isinstance(written, str) and re.fullmatch("[bitczyx]+", written.lower()) and written.lower() != tensor["axes"]:
            was, tensor["axes"] = tensor["axes"], written.lower()
            yield mended((side, index, "axes"), f"{format_value(was)} was read as {tensor['axes']!r}")


def data_range(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a range that is a string which looks like a list."""
    for side, index, tensor in tensors_of(tree):
        written = tensor.get("data_range")
        if not isinstance(written, str):
            continue
        bounds = [_number(part) for part in written.strip().strip("[]()").split(",")]
        if len(bounds) == 2 and all(bound is not None for bound in bounds):
            tensor["data_range"] = bounds
            yield mended((side, index, "data_range"), f"expected a list, found {written!r}: read as the numbers in it")


def _number(text: str) -> float | None:
    try:
        return float(text.strip().strip("\"'").replace(".inf", "inf"))
    except ValueError:
        return None


def reference_input(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read ``reference_input``, the name up to 0.3.2, in later versions too."""
    for side, index, tensor in tensors_of(tree):
        shape = tensor.get("shape")
        if isinstance(shape, dict) and "reference_input" in shape and "reference_tensor" not in shape:
            tensor["shape"] = {"reference_tensor" if key == "reference_input" else key: value for key, value in shape.items()}
            yield mended((side, index, "shape", "reference_input"), "read as reference_tensor")


def names(tree: dict[str, Any]) -> Iterator[Issue]:
    """Make identifiers of names of tensors; references to a name change along with it."""
    present = {tensor.get("name") for _, _, tensor in tensors_of(tree) if isinstance(tensor.get("name"), str)}
    for side, index, tensor in tensors_of(tree):
        written = tensor.get("name")
        if not isinstance(written, str) or (written.isidentifier() and not keyword.iskeyword(written)):
            continue
        plain = re.sub(r"\W+", "_", written).strip("_")
        plain = f"_{plain}" if plain[:1].isdigit() or keyword.iskeyword(plain) else plain
        if not plain.isidentifier() or plain in present:
            continue
        present.add(plain)
        tensor["name"] = plain
        refer(tree, written, plain)
        yield mended((side, index, "name"), f"{written!r} became {plain!r}: names are identifiers (letters, digits, underscores)")


def refer(tree: dict[str, Any], old: str, new: str) -> None:
    """Let what refers to a tensor by its name, or id, refer to it by another."""
    for side, _, tensor in tensors_of(tree):
        steps = tensor.get("preprocessing" if side == "inputs" else "postprocessing")
        axes = tensor.get("axes")
        holders = [tensor.get("shape")]
        holders += [step.get("kwargs") for step in (steps if isinstance(steps, list) else ()) if isinstance(step, dict)]
        holders += [axis.get("size") for axis in (axes if isinstance(axes, list) else ()) if isinstance(axis, dict)]
        for holder in holders:
            for key in ("reference_tensor", "tensor_id"):
                if isinstance(holder, dict) and holder.get(key) == old:
                    holder[key] = new
