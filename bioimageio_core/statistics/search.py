"""Exact order statistics by radix search.

The sort key of a number is read 16 bits at a time, from the top.
The first pass counts the leading digits of all elements, which gives the leading digit of the element at each wanted rank;
each further pass counts the next digits only of the elements that share the leading digits of a wanted element.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from .histogram import Histogram, make_histogram
from .keys import from_keys, raw_bits, to_keys

__all__ = ["Search", "digit_bits", "levels"]

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]


def digit_bits(dtype: np.dtype[Any]) -> int:
    """Return how many bits of a number one pass resolves."""
    return min(8 * dtype.itemsize, 16)


def levels(dtype: np.dtype[Any]) -> int:
    """Return how many passes resolve a number: 1 for 8 and 16 bits, 2 for 32, 4 for 64."""
    return 8 * dtype.itemsize // digit_bits(dtype)


@attrs.frozen(kw_only=True, eq=False)
class Search:
    """The counts of one pass: of digit number ``level`` of the elements that start with one of the prefixes of their group.

    Unused prefixes have the slot -1; equal prefixes of a group share a slot, which only the first of them has.
    """

    dtype: np.dtype[Any]
    level: int
    slot_count: int
    slots: I64
    """Shape (groups, prefixes)."""

    patterns: NDArray[Any]
    """Leading bits of the elements (not of their keys), shape (groups, prefixes), unsigned, as wide as the elements."""

    @classmethod
    def begin(cls, groups: int, dtype: np.dtype[Any]) -> Search:
        """Return the first search, for the leading digit of every element."""
        return cls(
            dtype=dtype,
            level=0,
            slot_count=groups,
            slots=np.arange(groups, dtype=np.int64)[:, None],
            patterns=np.zeros((groups, 1), f"u{dtype.itemsize}"),
        )

    def histogram(self) -> Histogram:
        """Return an empty histogram for one part of the data."""
        return make_histogram(self.slot_count, digit_bits(self.dtype))

    def count(self, histogram: Histogram, groups: NDArray[np.intp], rows: NDArray[Any], nan: NDArray[np.bool_] | None) -> None:
        """Count elements: distinct groups (g,), their rows (g, r), and where these are NaN."""
        if self.level == 0:
            digits = self._digits(rows)
            if nan is not None:
                # Numbers that share this digit sort before NaN.
                digits[nan] = 2 ** digit_bits(self.dtype) - 1
            if groups.size == 1:
                histogram.add(int(groups[0]), digits[0])
            else:
                histogram.add_rows(groups.astype(np.int64), digits)
            return
        leading = raw_bits(rows) >> self.patterns.dtype.type(8 * self.dtype.itemsize - self.level * digit_bits(self.dtype))
        for k in range(self.slots.shape[1]):
            slots = self.slots[groups, k]
            if (slots < 0).all():
                continue
            match = leading == self.patterns[groups, k][:, None]
            if nan is not None:
                match &= ~nan
            if groups.size == 1:
                histogram.add(int(slots[0]), self._digits(rows[0][match[0]]))
            else:
                match[slots < 0] = False
                histogram.add_pairs(slots[np.nonzero(match)[0]], self._digits(rows[match]))

    def _digits(self, values: NDArray[Any]) -> NDArray[Any]:
        bits = digit_bits(self.dtype)
        keys = to_keys(values)
        keys = keys >> keys.dtype.type(8 * self.dtype.itemsize - (self.level + 1) * bits)
        digits: NDArray[Any] = keys.astype(f"u{bits // 8}")
        return digits

    def refine(self, histogram: Histogram, prefixes: U64, rank: I64, wanted: NDArray[np.bool_]) -> tuple[U64, I64, Search | None]:
        """Read the next digit of the wanted elements off a full histogram.

        Args:
            histogram: Counts of all the data.
            prefixes: Leading digits of the sort keys known so far, shape (groups, wanted elements).
            rank: Rank (from 0) of each wanted element among those of its group with its prefix, same shape.
            wanted: False where there is no such element, same shape.

        Returns:
            Prefixes that are longer by a digit, ranks among the elements with these, and the next search, None after the last digit.

        """
        bits = digit_bits(self.dtype)
        group, _ = np.nonzero(wanted)
        slots = self._slots_of(group, prefixes[wanted])
        prefixes, rank = prefixes.copy(), rank.copy()
        digits, rank[wanted] = histogram.locate(slots, rank[wanted])
        prefixes[wanted] = (prefixes[wanted] << np.uint64(bits)) | digits.astype(np.uint64)
        level = self.level + 1
        if level == levels(self.dtype):
            return prefixes, rank, None
        slots, count = number(prefixes, wanted)
        patterns = unkey(prefixes, level * bits, self.dtype.kind).astype(self.patterns.dtype)
        return prefixes, rank, Search(dtype=self.dtype, level=level, slot_count=count, slots=slots, patterns=patterns)

    def _slots_of(self, group: NDArray[np.intp], prefix: U64) -> I64:
        if self.level == 0:
            return group.astype(np.int64)
        patterns = unkey(prefix, self.level * digit_bits(self.dtype), self.dtype.kind).astype(self.patterns.dtype)
        match = (self.patterns[group] == patterns[:, None]) & (self.slots[group] >= 0)
        found: I64 = self.slots[group, np.argmax(match, axis=1)]
        return found

    def values(self, prefixes: U64) -> NDArray[Any]:
        """Return the numbers whose sort keys are known in full."""
        return from_keys(prefixes, self.dtype)


def number(prefixes: U64, wanted: NDArray[np.bool_]) -> tuple[I64, int]:
    """Return a slot for the first occurrence of each prefix in its group, -1 elsewhere, and the number of slots."""
    first = wanted.copy()
    for k in range(1, prefixes.shape[1]):
        first[:, k] &= ~((prefixes[:, :k] == prefixes[:, k : k + 1]) & wanted[:, :k]).any(axis=1)
    slots = np.full(prefixes.shape, -1, np.int64)
    count = int(first.sum())
    slots[first] = np.arange(count)
    return slots, count


def unkey(prefixes: U64, bits: int, kind: str) -> U64:
    """Return the leading ``bits`` bits of the elements whose sort keys start with the prefixes."""
    sign, mask = np.uint64(1 << (bits - 1)), np.uint64((1 << bits) - 1)
    if kind == "i":
        return prefixes ^ sign
    if kind == "f":
        return np.where(prefixes & sign, prefixes ^ sign, ~prefixes & mask)
    return prefixes
