"""Counts of small integers in numbered slots."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DenseHistogram", "Histogram", "SparseHistogram", "make_histogram"]

I64 = NDArray[np.int64]

DENSE_BYTES = 2**26
"""Up to this size counts are kept in an array."""

SHORT = 2**13
"""Runs of fewer elements are counted one by one, since adding up whole rows of counts would cost more."""


def make_histogram(slots: int, bits: int) -> Histogram:
    """Return an empty histogram of numbers of ``bits`` bits in each of the slots."""
    return DenseHistogram(slots, bits) if slots * 8 * 2**bits <= DENSE_BYTES else SparseHistogram(bits)


class DenseHistogram:
    """Counts in an array.

    Memory: 512 KiB for each slot with numbers of 16 bits, for any amount of data.
    """

    __slots__ = ("counts",)

    def __init__(self, slots: int, bits: int) -> None:
        self.counts: I64 = np.zeros((slots, 2**bits), np.int64)

    def add(self, slot: int, digits: NDArray[Any]) -> None:
        """Count the numbers of one slot, shape (n,)."""
        if digits.size < SHORT:
            np.add.at(self.counts[slot], digits, 1)
        else:
            self.counts[slot] += np.bincount(digits, minlength=self.counts.shape[1])

    def add_rows(self, slots: I64, digits: NDArray[Any]) -> None:
        """Count the numbers of several slots, shapes (s,) and (s, n)."""
        if digits.shape[1] < SHORT:
            np.add.at(self.counts, (slots[:, None], digits), 1)
        else:
            for slot, row in zip(slots, digits, strict=True):
                self.counts[slot] += np.bincount(row, minlength=self.counts.shape[1])

    def add_pairs(self, slots: I64, digits: NDArray[Any]) -> None:
        """Count numbers, each in its own slot, shapes (n,) and (n,)."""
        np.add.at(self.counts, (slots, digits), 1)

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram of the same kind."""
        assert isinstance(other, DenseHistogram)
        self.counts += other.counts

    def pairs(self) -> tuple[I64, I64]:
        """Return keys and counts of the numbers that occur; a key is the slot, shifted left by the bits of a number, plus the number."""
        keys = np.flatnonzero(self.counts)
        return keys, self.counts.reshape(-1)[keys]

    def add_counts(self, keys: I64, counts: I64) -> None:
        """Add what `pairs` returned."""
        self.counts.reshape(-1)[keys] += counts

    def locate(self, slots: I64, rank: I64) -> tuple[I64, I64]:
        """Return the number at each rank (from 0) of each slot, and the rank among the elements of that number."""
        digits, rest = np.zeros_like(rank), np.zeros_like(rank)
        for slot in np.unique(slots):
            cumulative = np.cumsum(self.counts[slot])
            here = slots == slot
            found = np.searchsorted(cumulative, rank[here], side="right")
            digits[here] = found
            rest[here] = rank[here] - (cumulative[found] - self.counts[slot][found])
        return digits, rest


class SparseHistogram:
    """Counts of the numbers that occur, for many slots.

    Memory: 16 bytes for each distinct pair of slot and number, at most for each element.
    """

    __slots__ = ("_bits", "_counts", "_keys", "_pending", "_pending_size")

    def __init__(self, bits: int) -> None:
        self._bits = bits
        self._keys: I64 = np.empty(0, np.int64)
        self._counts: I64 = np.empty(0, np.int64)
        self._pending: list[tuple[I64, I64]] = []
        self._pending_size = 0

    def add(self, slot: int, digits: NDArray[Any]) -> None:
        """Count the numbers of one slot, shape (n,)."""
        self.add_pairs(np.full(digits.shape, slot, np.int64), digits)

    def add_rows(self, slots: I64, digits: NDArray[Any]) -> None:
        """Count the numbers of several slots, shapes (s,) and (s, n)."""
        self.add_pairs(np.broadcast_to(slots[:, None], digits.shape).ravel(), digits.ravel())

    def add_pairs(self, slots: I64, digits: NDArray[Any]) -> None:
        """Count numbers, each in its own slot, shapes (n,) and (n,)."""
        keys, counts = np.unique((slots << self._bits) | digits.astype(np.int64), return_counts=True)
        self._append(keys, counts.astype(np.int64))

    def merge(self, other: Histogram) -> None:
        """Add the counts of another histogram of the same kind."""
        assert isinstance(other, SparseHistogram)
        self._append(*other.pairs())

    def pairs(self) -> tuple[I64, I64]:
        """Return keys and counts of the numbers that occur; a key is the slot, shifted left by the bits of a number, plus the number."""
        self._settle()
        return self._keys, self._counts

    def add_counts(self, keys: I64, counts: I64) -> None:
        """Add what `pairs` returned."""
        self._append(keys, counts)

    def _append(self, keys: I64, counts: I64) -> None:
        self._pending.append((keys, counts))
        self._pending_size += keys.size
        # Merged when the pending counts outnumber the merged ones: each element is sorted a logarithmic number of times.
        if self._pending_size > max(self._keys.size, 2**20):
            self._settle()

    def _settle(self) -> None:
        if self._pending:
            keys = np.concatenate([self._keys, *(keys for keys, _ in self._pending)])
            counts = np.concatenate([self._counts, *(counts for _, counts in self._pending)])
            order = np.argsort(keys, kind="stable")
            keys, counts = keys[order], counts[order]
            first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if keys.size else np.empty(0, np.intp)
            self._keys = keys[first]
            self._counts = np.add.reduceat(counts, first) if first.size else counts
            self._pending, self._pending_size = [], 0

    def locate(self, slots: I64, rank: I64) -> tuple[I64, I64]:
        """Return the number at each rank (from 0) of each slot, and the rank among the elements of that number."""
        self._settle()
        cumulative = np.cumsum(self._counts)
        first = np.searchsorted(self._keys, slots << self._bits)
        before = np.concatenate([[0], cumulative])[first]
        found = np.searchsorted(cumulative, before + rank, side="right")
        return self._keys[found] & (2**self._bits - 1), before + rank - (cumulative[found] - self._counts[found])


Histogram = DenseHistogram | SparseHistogram
"""One of the two representations; those of equal arguments of `make_histogram` can be merged."""
