"""Final ids of the objects of a complete tensor, from what the windows know and the pairs between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from ..registry import JoinRule
from .union_find import connected_components, spanning_pairs
from .windows import WindowObjects

__all__ = ["BoxObjects", "Numbering", "number_objects"]

T = TypeVar("T", bound=np.generic)

FEWEST_PAIRS = 2**20
"""Pairs that are kept before they are reduced to fewer than there are labels."""


@attrs.frozen(kw_only=True, eq=False)
class BoxObjects:
    """What the window of one box knows of its objects, and which of them windows of earlier boxes see too."""

    objects: WindowObjects

    pairs: Mapping[int, NDArray[np.int64]] = attrs.field(factory=dict)
    """By the number of an earlier box: pairs of labels that mark the same object, shape (pairs, 2): one of that window, one of this.
    Empty for the rule ``owner``."""


@attrs.frozen(kw_only=True, eq=False)
class Numbering:
    """The final id of each label of each window; ids are dense from 1, in the order of the objects' first pixels."""

    tables: NDArray[np.uint32] | NDArray[np.uint64]
    """For the window of each box in turn: 0 for the label 0, then the id of each label; 0 for labels that are left out.
    For the rule ``owner``, these are labels whose objects belong to other boxes. uint64 if ids exceed uint32."""

    offsets: NDArray[np.int64]
    """Shape (boxes + 1,): where the table of each box begins, and where that of the last one ends."""

    count: int
    """Number of objects, which is the greatest id."""

    doubtful: int
    """Number of objects that reach the end of a halo, so that a larger halo may change them; 0 for the rule ``touch``, which is exact."""

    doubtful_boxes: NDArray[np.int64]
    """Numbers of the boxes whose windows show doubtful objects in part."""

    def table_of(self, box: int) -> NDArray[np.uint32] | NDArray[np.uint64]:
        """Return the ids of one window by label: ``table[labels]`` are its final labels."""
        return self.tables[self.offsets[box] : self.offsets[box + 1]]

    def renumbered(self, ids: NDArray[np.uint32] | NDArray[np.uint64]) -> Numbering:
        """Return the numbering in which objects have other ids, some of them the same one; doubtful objects are counted as before.

        Args:
            ids: Shape (count + 1,): 0 for 0, then the new id of each object, dense from 1.

        """
        return attrs.evolve(self, tables=ids[self.tables], count=int(ids.max(initial=0)))


class _Joins:
    """Pairs of labels of all windows, reduced before they outnumber the labels, so that memory is bounded by labels."""

    def __init__(self) -> None:
        self._pairs: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
        self._count = 0

    def add(self, pairs: NDArray[np.int64], nodes: int) -> None:
        self._pairs.append(pairs)
        self._count += len(pairs)
        if self._count > max(FEWEST_PAIRS, 2 * nodes):
            self._pairs = [spanning_pairs(self.components(nodes))]
            self._count = len(self._pairs[0])

    def components(self, nodes: int) -> NDArray[np.int64]:
        self._pairs = [np.concatenate(self._pairs)]  # which frees the pieces
        return connected_components(self._pairs[0], nodes=nodes)


def number_objects(boxes: Iterable[BoxObjects], *, rule: JoinRule, least_pixels: int = 0) -> Numbering:
    """Join the labels of all windows to objects, and number these.

    The result depends on the objects alone: any boxes give the same ids, as far as they see the same objects.

    Args:
        boxes: What is known of each box, in the order of their numbers from 0; read once, one at a time.
        rule: How objects are joined.
        least_pixels: Objects with fewer pixels in the complete tensor are left out.

    Returns:
        Ids of all labels. Memory: up to 150 bytes for each label while they are joined, 4 or 8 after that.

    Raises:
        ValueError: A box has pairs with a box that does not come before it.

    """
    windows, offsets, joins = list[WindowObjects](), [0], _Joins()
    for box, found in enumerate(boxes):
        end = offsets[-1] + found.objects.count + 1  # a node for each label and one for the background, which stays alone
        for other, pairs in found.pairs.items():
            if not 0 <= other < box:
                raise ValueError(f"expected pairs of box {box} with boxes before it, found box {other}")
            joins.add(pairs + np.array([offsets[other], offsets[-1]]), end)
        windows.append(found.objects)
        offsets.append(end)
    root = joins.components(offsets[-1])
    del joins
    owned = _by_node([w.owned for w in windows], offsets, np.bool_)
    counted = _by_node([w.pixels for w in windows], offsets, np.int64)
    counted[~owned] = 0
    pixels = np.zeros_like(counted)
    np.add.at(pixels, root, counted)
    kept = np.flatnonzero(pixels >= max(least_pixels, 1))  # sums are at roots, and 0 at other nodes
    del pixels, counted
    kept = kept[np.argsort(_first_pixels(windows, offsets, owned, root)[kept], kind="stable")]
    numbers: NDArray[Any] = np.zeros(root.size, np.uint32 if kept.size < 2**32 else np.uint64)
    numbers[kept] = np.arange(1, kept.size + 1)
    tables = numbers[root]
    doubtful = np.flatnonzero(_by_node([w.cut for w in windows], offsets, np.bool_) & owned & (tables > 0) & (rule != "touch"))
    return Numbering(
        tables=tables,
        offsets=np.array(offsets),
        count=kept.size,
        doubtful=np.unique(tables[doubtful]).size,
        doubtful_boxes=np.unique(np.searchsorted(offsets, doubtful, side="right") - 1),
    )


def _first_pixels(windows: list[WindowObjects], offsets: list[int], owned: NDArray[np.bool_], root: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return at each root the index of the first pixel of its object."""
    first = _by_node([w.first for w in windows], offsets, np.int64)
    first[~owned] = np.iinfo(np.int64).max
    of_object = first.copy()
    np.minimum.at(of_object, root, first)
    return of_object


def _by_node(columns: list[NDArray[Any]], offsets: list[int], dtype: type[T]) -> NDArray[T]:
    """Return one value for each node: 0 for the background of each window, then the values of its labels."""
    values: NDArray[T] = np.zeros(offsets[-1], dtype)
    for begin, column in zip(offsets, columns, strict=False):
        values[begin + 1 : begin + 1 + column.size] = column
    return values
