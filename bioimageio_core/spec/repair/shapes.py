"""Shapes of inputs and outputs in the form of formats 0.3 and 0.4, where letters say which axis each number is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..model.v0_4.least_sizes import raise_least_sizes
from ..node import Issue, Loc
from ..notes import mended
from .tensors import tensors_of

__all__ = ["exact", "least_sizes", "new_batch_axis", "without_batch"]


def exact(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read fixed shapes, which the first drafts had under ``exact``."""
    for side, index, tensor in tensors_of(tree):
        shape = tensor.get("shape")
        if isinstance(shape, dict) and set(shape) == {"exact"} and isinstance(shape["exact"], list):
            tensor["shape"] = shape["exact"]
            yield mended((side, index, "shape", "exact"), "read as shape")


def without_batch(tree: dict[str, Any]) -> Iterator[Issue]:
    """Add the number of the batch axis to lists that have one less than there are axes, where no other can be missing.

    That is where a list, read from the start, has something else for the batch axis than it may have:
    a size other than 1, a step or a halo.
    """
    for side, index, tensor in tensors_of(tree):
        letters, shape = tensor.get("axes"), tensor.get("shape")
        if not isinstance(letters, str) or "b" not in letters:
            continue
        batch = letters.index("b")
        own: list[tuple[Loc, Any, int]] = []
        if isinstance(shape, list):
            own.append((("shape",), shape, 1))
        elif isinstance(shape, dict):
            inserts = {"min": 1, "step": 0, "scale": 1, "offset": 0}
            own += [(("shape", key), shape[key], value) for key, value in inserts.items() if isinstance(shape.get(key), list)]
        if isinstance(tensor.get("halo"), list):
            own.append((("halo",), tensor["halo"], 0))
        short = [entry for entry in own if len(entry[1]) == len(letters) - 1]
        if not short or not any(numbers[batch : batch + 1] not in ([], [value]) for loc, numbers, value in short if loc[-1] != "offset"):
            continue
        for loc, numbers, value in short:
            numbers.insert(batch, value)
            yield mended(
                (side, index, *loc), f"expected a number for each of the axes {letters!r}, found one less: {value} for b was added"
            )


def new_batch_axis(tree: dict[str, Any]) -> Iterator[Issue]:
    """Leave out the scale of a batch axis that the tensor referred to lacks, where it is the only such axis."""
    letters = {tensor.get("name"): tensor.get("axes") for _, _, tensor in tensors_of(tree) if isinstance(tensor.get("name"), str)}
    for side, index, tensor in tensors_of(tree):
        shape, own = tensor.get("shape"), tensor.get("axes")
        if not isinstance(shape, dict) or not isinstance(own, str) or not isinstance(shape.get("reference_tensor"), str):
            continue
        reference = shape["reference_tensor"]
        scale, offset, batch = shape.get("scale"), shape.get("offset"), own.find("b")
        if not isinstance(scale, list) or not isinstance(offset, list) or batch < 0 or letters.get(reference) != own.replace("b", ""):
            continue
        loc = (side, index, "shape", "scale")
        if len(scale) == len(offset) == len(own) and scale[batch] is not None:
            scale[batch], offset[batch] = None, offset[batch] or 0.5
            yield mended((*loc, batch), f"left out, since {reference!r} has no batch axis that it could be for")
        elif len(scale) == len(offset) == len(own) - 1:
            scale.insert(batch, None)
            offset.insert(batch, 0.5)
            yield mended(loc, f"expected a number for each of the axes {own!r}, found one less: none for b, which {reference!r} lacks")


def least_sizes(tree: dict[str, Any]) -> Iterator[Issue]:
    """Raise least sizes of which the halo leaves nothing, as upgrades from format 0.3 do."""
    if not str(tree.get("format_version")).startswith("0.5"):
        yield from raise_least_sizes(tree)
