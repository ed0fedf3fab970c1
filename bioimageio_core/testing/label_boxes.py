"""Objects labelled box by box, joined and numbered as a prediction does it, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..objects import BoxObjects, Numbering, number_objects, numbered, owned_pixels, shared_labels, window_objects
from ..registry import JoinRule
from .strategies import Block

__all__ = ["Box", "grid", "label_in_boxes"]


@attrs.frozen(kw_only=True)
class Box:
    """One box of a grid, with the window that its labels are found in."""

    position: tuple[int, ...]
    core: tuple[tuple[int, ...], tuple[int, ...]]
    start: tuple[int, ...]
    stop: tuple[int, ...]

    @property
    def window(self) -> Block:
        """The window as slices."""
        return tuple(map(slice, self.start, self.stop))


def grid(shape: tuple[int, ...], cuts: Sequence[Sequence[int]], halo: Sequence[int]) -> list[Box]:
    """Return the boxes between cuts along each axis, in row-major order."""
    edges = [sorted({0, size, *along}) for size, along in zip(shape, cuts, strict=True)]
    boxes = []
    for position in product(*(range(len(along) - 1) for along in edges)):
        sides = [list(pairwise(along))[n] for along, n in zip(edges, position, strict=True)]
        low, high = tuple(a for a, _ in sides), tuple(b for _, b in sides)
        boxes.append(
            Box(
                position=position,
                core=(low, high),
                start=tuple(max(0, a - h) for a, h in zip(low, halo, strict=True)),
                stop=tuple(min(size, b + h) for b, h, size in zip(high, halo, shape, strict=True)),
            )
        )
    return boxes


def label_in_boxes(
    shape: tuple[int, ...],
    label: Callable[[Box], NDArray[Any]],
    boxes: Sequence[Box],
    *,
    rule: JoinRule,
    overlap: float | None = None,
    least_pixels: int = 0,
) -> tuple[NDArray[Any], Numbering]:
    """Return the final labels of a tensor whose boxes are labelled one by one, in the order given, and their numbering.

    Args:
        shape: Shape of the labels.
        label: From a box to the labels of its window, in any numbers.
        boxes: Boxes that cover the tensor.
        rule: How objects are joined.
        overlap: For the rule ``overlap``: the intersection over union above which two labels are one object.
        least_pixels: Objects with fewer pixels are left out.

    """
    labels = list[NDArray[Any]]()
    found = list[BoxObjects]()
    for box in boxes:
        own, count = numbered(label(box))
        pairs = {
            n: shared_labels(_seen_by(boxes[n], labels[n], box), _seen_by(box, own, boxes[n]), overlap=overlap)
            for n in range(len(labels))
            if rule != "owner" and _are_neighbours(boxes[n], box)
        }
        objects = window_objects(own, count=count, start=box.start, core=box.core, shape=shape, rule=rule)
        labels.append(own)
        found.append(BoxObjects(objects=objects, pairs=pairs))
    numbering = number_objects(iter(found), rule=rule, least_pixels=least_pixels)
    final = np.zeros(shape, numbering.tables.dtype)
    for n, box in enumerate(boxes):
        # Boxes may be so narrow that an object of this core has its centre beyond the neighbours.
        around = [n, *(m for m in range(len(boxes)) if rule == "owner" and m != n)]
        windows = ((boxes[m].start, numbering.table_of(m)[labels[m]]) for m in around)
        final[tuple(map(slice, *box.core))] = owned_pixels(box.core, windows, dtype=final.dtype)
    return final, numbering


def _are_neighbours(a: Box, b: Box) -> bool:
    """Return whether boxes touch, at least at a corner."""
    return all(abs(m - n) <= 1 for m, n in zip(a.position, b.position, strict=True))


def _seen_by(box: Box, labels: NDArray[Any], other: Box) -> NDArray[Any]:
    """Return the labels of a window where that of another box sees them too."""
    low = [max(a, b) - c for a, b, c in zip(box.start, other.start, box.start, strict=True)]
    high = [min(a, b) - c for a, b, c in zip(box.stop, other.stop, box.start, strict=True)]
    return labels[tuple(map(slice, low, high))]
