"""Objects that a network lists: those beyond the image are left out, and positions count from the first pixel of the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...planning.outputs.object_positions import ObjectList, SeenAxis
from ...planning.planned_tensors import PlannedOutput

__all__ = ["objects_of_image"]

BEYOND_BLOCK = 1.0
"""Pixels by which a position may lie outside of the block; values further away are no positions in its pixels."""


def objects_of_image(
    lists: Sequence[ObjectList], outputs: Sequence[PlannedOutput], arrays: Sequence[NDArray[Any]]
) -> tuple[list[NDArray[Any]], tuple[str, ...]]:
    """Return the outputs of a network without objects beyond the image, and a note about each list that is shorter or not as described.

    An object is left out if its position along an axis is ``p < begin - 0.5`` or ``p >= end`` of what is predicted,
    so that it stays where either centres or corners of pixels have integer positions.
    All outputs that list the same objects lose the same entries. Positions become pixels of the image.

    Args:
        lists: The lists of objects of the plan.
        outputs: The outputs of the plan.
        arrays: Outputs of the network for its one block, along the axes of the tensors.

    """
    found = {o.id: array for o, array in zip(outputs, arrays, strict=True)}
    axis_ids = {o.id: o.tensor.axis_ids for o in outputs}
    notes = []
    for listed in lists:
        if not listed.positions or not listed.unequal:
            continue
        at = {name: axis_ids[name].index(listed.axis) for name in listed.outputs}
        note = _contradiction(listed, found, at)
        if not note:
            inside = _inside(listed, found, at)
            for name, axis in at.items():
                found[name] = found[name].compress(inside, axis)
            for known in listed.positions:
                found[known.output] = _moved(found[known.output], at[known.output], [s.start for s in known.channels])
            lost = int(np.count_nonzero(~inside))
            note = f"{lost} of {inside.size} objects along axis {listed.axis!r} are beyond the image, and left out" if lost else ""
        if note:
            notes.append(note)
    return [found[o.id] for o in outputs], tuple(notes)


def _contradiction(listed: ObjectList, found: Mapping[str, NDArray[Any]], at: Mapping[str, int]) -> str:
    """Return a sentence if the outputs cannot be what the description says; empty if they can."""
    kept = "so objects beyond the image are kept, and positions are those of the network"
    counts = {name: found[name].shape[axis] for name, axis in at.items()}
    if len(set(counts.values())) > 1:
        listing = ", ".join(f"{name} {count}" for name, count in counts.items())
        return f"outputs list different numbers of objects along axis {listed.axis!r} ({listing}), {kept}"
    for known in listed.positions:
        sizes = np.array([s.stop - s.start for s in known.channels])
        values = _by_object(found[known.output], at[known.output])
        if ((values < -BEYOND_BLOCK) | (values > sizes + BEYOND_BLOCK)).any():
            return f"output {known.output!r} has positions outside of the pixels that the network sees, {kept}"
    return ""


def _inside(listed: ObjectList, found: Mapping[str, NDArray[Any]], at: Mapping[str, int]) -> NDArray[np.bool_]:
    """Return which objects are in the image by one of their positions; NaN is no reason to leave an object out."""
    inside: list[NDArray[np.bool_]] = []
    for known in listed.positions:
        values = _by_object(found[known.output], at[known.output])
        beyond = [_is_beyond(values[:, n] + seen.start, seen) for n, seen in enumerate(known.channels)]
        inside.append(~np.any(beyond, axis=0))
    return np.asarray(np.any(inside, axis=0))


def _is_beyond(positions: NDArray[np.float64], seen: SeenAxis) -> NDArray[np.bool_]:
    """Return which positions are beyond the image; none at an end where the network sees no more than the image."""
    before = (positions < seen.begin - 0.5) & (seen.start < seen.begin)
    behind = (positions >= seen.end) & (seen.stop > seen.end)
    return before | behind


def _by_object(positions: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Return positions along the axes object and channel; further axes are batch, of size 1."""
    return np.moveaxis(positions, axis, 0).reshape(positions.shape[axis], -1).astype(np.float64)


def _moved(positions: NDArray[Any], axis: int, by: Sequence[int]) -> NDArray[Any]:
    """Return positions with a number of pixels added to each channel."""
    if not any(by):
        return positions
    first = np.moveaxis(positions, axis, 0)
    moved = (_by_object(positions, axis) + np.array(by)).astype(positions.dtype)
    return np.moveaxis(moved.reshape(first.shape), 0, axis)
