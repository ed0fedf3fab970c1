"""Least sizes that leave something of the output within its halo, which format 0.3 did not ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from ...node import Issue
from ...notes import lost

__all__ = ["raise_least_sizes"]


def raise_least_sizes(new: dict[str, Any]) -> list[Issue]:
    """Raise ``min`` of shapes of inputs, by whole steps, to where no halo takes all of the output; in place.

    Smaller images give an empty output.
    """
    inputs, outputs = new.get("inputs"), new.get("outputs")
    if not isinstance(inputs, (list, tuple)) or not isinstance(outputs, (list, tuple)):
        return []
    converted = list(inputs)
    notes = []
    for index, tensor in enumerate(inputs):
        shape = tensor.get("shape") if isinstance(tensor, Mapping) else None
        if not isinstance(shape, Mapping) or not _are_numbers(shape.get("min")) or not _are_numbers(shape.get("step")):
            continue
        least = [*shape["min"]]
        for output in outputs:
            least = [max(pair) for pair in zip(least, _needed(output, tensor.get("name"), shape), strict=True)]
        if least != [*shape["min"]]:
            converted[index] = {**tensor, "shape": {**shape, "min": least}}
            message = f"{list(shape['min'])} became {least}: of smaller images the halo leaves nothing"
            notes.append(lost(("inputs", index, "shape", "min"), message))
    if notes:
        new["inputs"] = converted
    return notes


def _needed(output: Any, name: Any, given: Mapping[str, Any]) -> list[int]:
    """Return the least sizes of the input such that something is left of the output; unchanged if they cannot be computed."""
    least = [*given["min"]]
    shape = output.get("shape") if isinstance(output, Mapping) else None
    if not isinstance(shape, Mapping) or shape.get("reference_tensor") != name:
        return least
    lists = [shape.get("scale"), shape.get("offset"), output.get("halo"), given["step"]]
    if not all(_are_numbers(numbers) and len(numbers) == len(least) for numbers in lists):
        return least
    for axis, (scale, offset, halo, step) in enumerate(zip(*lists, strict=True)):
        left = least[axis] * scale + 2 * offset - 2 * halo
        if left < 1 and scale > 0 and step > 0:
            steps = -int((left - 1) // (step * scale))
            least[axis] += steps * step
    return least


def _are_numbers(value: Any) -> TypeGuard[Sequence[int]]:
    return isinstance(value, (list, tuple)) and all(type(item) in (int, float) and abs(item) < 1e9 for item in value)
