"""Objects of neighbouring slices: the pixels that they share, and which of them are one object."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from .runs import runs_of
from .union_find import connected_components

__all__ = ["SliceJoining", "SliceOverlaps", "slice_overlaps"]

FEWEST_PAIRS = 2**20
"""Pairs of boxes that are kept before those of the same objects are added up."""

PAIRS_AT_ONCE = 2**16
"""Pairs that are Python objects at the same time."""


@attrs.frozen(kw_only=True, eq=False)
class SliceOverlaps:
    """What one box shows of the objects of a slice, and of the pixels that they share with objects of the next slice."""

    ids: NDArray[np.int64]
    """Shape (objects,): ids of the objects of the slice in the box, ascending."""

    pixels: NDArray[np.int64]
    """Shape (objects,): pixels of each of them in the box."""

    pairs: NDArray[np.int64]
    """Shape (pairs, 2): an object of the slice, and one of the next slice that has some of the same positions; each pair once, sorted."""

    shared: NDArray[np.int64]
    """Shape (pairs,): positions in the box that both have."""


def slice_overlaps(labels: NDArray[Any], following: NDArray[Any] | None) -> SliceOverlaps:
    """Count the pixels of the objects of a slice, and those that they share with objects of the next slice.

    Args:
        labels: Final ids of the pixels of a box in one slice, 0 where there is no object.
        following: Ids of the pixels at the same positions in the next slice; None in the last slice.

    Raises:
        ValueError: The arrays differ in shape.

    """
    if following is None:
        runs = runs_of(labels)
        return _counted(runs.values, None, runs.lengths)
    if labels.shape != following.shape:
        raise ValueError(f"expected slices of the same shape, found {labels.shape} and {following.shape}")
    here, there = labels.reshape(-1), following.reshape(-1)
    starts = np.flatnonzero(_changes(here) | _changes(there))
    return _counted(here[starts], there[starts], np.diff(starts, append=here.size))


def _changes(flat: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where pixels differ from those before them; True for the first one."""
    changes = np.ones(flat.size, bool)
    if flat.size:
        np.not_equal(flat[1:], flat[:-1], out=changes[1:])
    return changes


def _counted(here: NDArray[Any], there: NDArray[Any] | None, lengths: NDArray[np.int64]) -> SliceOverlaps:
    """Count pixels from runs of pixels with one id in the slice, and one in the next slice."""
    own = here > 0
    ids, numbers = np.unique(here[own], return_inverse=True)
    pixels = _sums(numbers, lengths[own], ids.size)
    pairs, shared = np.empty((0, 2), np.int64), np.empty(0, np.int64)
    if there is not None:
        of_both = there[own] > 0
        others, their_numbers = np.unique(there[own][of_both], return_inverse=True)
        keys, of_key = np.unique(numbers.reshape(-1)[of_both] * others.size + their_numbers.reshape(-1), return_inverse=True)
        shared = _sums(of_key, lengths[own][of_both], keys.size)
        first, second = np.divmod(keys, max(others.size, 1))
        pairs = np.stack((ids[first], others[second]), axis=1).astype(np.int64)
    return SliceOverlaps(ids=ids.astype(np.int64), pixels=pixels, pairs=pairs, shared=shared)


def _sums(numbers: NDArray[np.intp], values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    sums = np.zeros(count, np.int64)
    np.add.at(sums, numbers.reshape(-1), values)
    return sums


class SliceJoining:
    """Adds up the overlaps of all boxes, and joins objects of neighbouring slices.

    Sums are of integers, so the order of boxes has no effect.
    Memory: 8 bytes for each object, and up to 100 for each pair of objects that share pixels.
    """

    def __init__(self, count: int) -> None:
        """Start without overlaps.

        Args:
            count: Number of objects of all slices, whose ids are 1 to ``count``; each lies in one slice.

        """
        self._pixels = np.zeros(count + 1, np.int64)
        self._pairs = [np.empty((0, 2), np.int64)]
        self._shared = [np.empty(0, np.int64)]
        self._kept, self._waiting = 0, 0

    def add(self, found: SliceOverlaps) -> None:
        """Add what one box shows."""
        self._pixels[found.ids] += found.pixels
        self._pairs.append(found.pairs)
        self._shared.append(found.shared)
        self._waiting += found.shared.size
        if self._waiting > max(FEWEST_PAIRS, self._kept):
            self._add_up()

    def ids(self, overlap: float) -> NDArray[np.uint32] | NDArray[np.uint64]:
        """Return the id of the joined object that each object becomes a part of.

        Objects of neighbouring slices match if their intersection over union is greater than a threshold: the pixels that they share,
        divided by the positions that at least one of them has. Matches are joined in descending order, equal ones in the order of
        the ids, unless one of both has a partner in that slice already. So a joined object has at most one part in each slice.

        Args:
            overlap: The threshold, from 0 to 1.

        Returns:
            Shape (count + 1,): 0 for 0, then the new id of each object. New ids are dense from 1, in the order of the least old ids.

        """
        self._add_up()
        pairs, shared = self._pairs[0], self._shared[0]
        quotients = shared / (self._pixels[pairs].sum(axis=1) - shared)
        order = np.lexsort((pairs[:, 1], pairs[:, 0], -quotients))
        order = order[: np.count_nonzero(quotients > overlap)]
        root = connected_components(_one_to_one(pairs[order], self._pixels.size), nodes=self._pixels.size)
        begins = root == np.arange(root.size)
        begins[0] = False
        numbers = np.cumsum(begins)
        ids: NDArray[Any] = numbers[root].astype(np.uint32 if numbers[-1] < 2**32 else np.uint64)
        return ids

    def _add_up(self) -> None:
        """Add up the shared pixels of each pair of objects."""
        if len(self._pairs) == 1:
            return
        pairs, shared = np.concatenate(self._pairs), np.concatenate(self._shared)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs, shared = pairs[order], shared[order]
        begins = np.ones(shared.size, bool)
        begins[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
        self._pairs = [pairs[begins]]
        self._shared = [np.add.reduceat(shared, np.flatnonzero(begins)) if shared.size else shared]
        self._kept, self._waiting = self._shared[0].size, 0


def _one_to_one(pairs: NDArray[np.int64], nodes: int) -> NDArray[np.int64]:
    """Return those pairs, taken in order, whose first and second object are not yet the first and second of another one."""
    joined = np.zeros(len(pairs), bool)
    has_next, has_previous = bytearray(nodes), bytearray(nodes)
    for begin in range(0, len(pairs), PAIRS_AT_ONCE):
        for number, (a, b) in enumerate(pairs[begin : begin + PAIRS_AT_ONCE].tolist(), start=begin):
            if not (has_next[a] or has_previous[b]):
                has_next[a] = has_previous[b] = joined[number] = True
    return pairs[joined]
