"""Accumulators for the elements that one worker reads during one pass."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..registry.entries import Statistic
from .bin_counts import BinCounts, Bins
from .extremes import Extremes
from .grouping import Grouping
from .moments import Moments
from .own_statistics import OwnState
from .search import Search

__all__ = ["GroupPartial", "Partial", "Wanted"]


@attrs.frozen(kw_only=True, eq=False)
class Wanted:
    """The statistics that one pass accumulates for the groups of one grouping."""

    grouping: Grouping
    dtype: np.dtype[Any]
    first: bool
    """Whether it is the first pass, which counts elements."""

    moments: bool
    extremes: bool
    own: tuple[Statistic, ...]
    """Statistics of plugins."""

    bins: tuple[Bins, ...]
    """Histograms."""

    search: Search | None

    @property
    def anything(self) -> bool:
        """Whether this pass must read data for these groups."""
        return self.first or self.search is not None


class GroupPartial:
    """Accumulators for the groups of one grouping."""

    __slots__ = ("bin_counts", "extremes", "histogram", "moments", "n", "own", "wanted")

    def __init__(self, wanted: Wanted) -> None:
        groups = wanted.grouping.groups
        self.wanted = wanted
        self.n = np.zeros(groups, np.int64)
        self.moments = Moments(groups) if wanted.moments else None
        self.extremes = Extremes(groups, wanted.dtype) if wanted.extremes else None
        self.own = tuple(OwnState(statistic, groups) for statistic in wanted.own)
        self.bin_counts = tuple(BinCounts(bins, groups) for bins in wanted.bins)
        self.histogram = None if wanted.search is None else wanted.search.histogram()

    def update(self, block: NDArray[Any], start: tuple[int, ...]) -> int:
        """Add a block and return how many of its elements are NaN."""
        nan_count = 0
        for groups, rows in self.wanted.grouping.rows(block, start):
            nan = np.isnan(rows) if rows.dtype.kind == "f" else None
            n = np.full(groups.shape, rows.shape[1], np.intp)
            if nan is not None and nan.any():
                missing = np.count_nonzero(nan, axis=1)
                nan_count += int(missing.sum())
                n -= missing
            else:
                nan = None
            self.n[groups] += n
            if self.moments is not None:
                self.moments.update(groups, rows, nan, n)
            if self.extremes is not None:
                self.extremes.update(groups, rows, nan)
            for own in self.own:
                own.update(groups, rows)
            for counts in self.bin_counts:
                counts.update(groups, rows)
            if self.wanted.search is not None and self.histogram is not None:
                self.wanted.search.count(self.histogram, groups, rows, nan)
        return nan_count

    def merge(self, other: GroupPartial) -> None:
        """Add what another accumulator of the same pass has seen."""
        self.n += other.n
        if self.moments is not None and other.moments is not None:
            self.moments.merge(other.moments)
        if self.extremes is not None and other.extremes is not None:
            self.extremes.merge(other.extremes)
        for mine, theirs in zip(self.own, other.own, strict=True):
            mine.merge(theirs)
        for counts, more in zip(self.bin_counts, other.bin_counts, strict=True):
            counts.merge(more)
        if self.histogram is not None and other.histogram is not None:
            self.histogram.merge(other.histogram)


class Partial:
    """An accumulator for one pass; picklable, updated and merged in any order.

    Two threads must not update it at once: each needs its own, to be merged afterwards.
    """

    __slots__ = ("dtype", "nan_count", "parts", "pass_index", "seen", "shape")

    def __init__(self, *, shape: tuple[int, ...], dtype: np.dtype[Any], pass_index: int, wanted: tuple[Wanted, ...]) -> None:
        self.shape = shape
        self.dtype = dtype
        self.pass_index = pass_index
        self.parts = tuple(GroupPartial(w) for w in wanted)
        self.nan_count = 0
        self.seen = 0

    def update(self, block: NDArray[Any], start: tuple[int, ...]) -> None:
        """Add the elements of a block; the array itself is not modified.

        Args:
            block: Part of the tensor, with all of its axes.
            start: Position of the block's first element in the tensor.

        Raises:
            ValueError: The block does not lie within the tensor.

        """
        block = np.asarray(block)
        if block.ndim != len(self.shape) or any(
            low < 0 or low + size > whole for low, size, whole in zip(start, block.shape, self.shape, strict=True)
        ):
            raise ValueError(f"expected a block within the tensor of shape {self.shape}, found shape {block.shape} at {tuple(start)}")
        block = block.astype(self.dtype, copy=False)
        if block.dtype == np.bool_:
            block = block.view(np.uint8)
        self.seen += block.size
        for index, part in enumerate(self.parts):
            nan_count = part.update(block, start)
            if index == 0:
                self.nan_count += nan_count

    def merge(self, other: Partial) -> None:
        """Add what another accumulator of the same pass has seen.

        Raises:
            ValueError: The other accumulator is of another pass.

        """
        if other.pass_index != self.pass_index:
            raise ValueError(f"expected an accumulator of pass {self.pass_index + 1}, found one of pass {other.pass_index + 1}")
        self.nan_count += other.nan_count
        self.seen += other.seen
        for mine, theirs in zip(self.parts, other.parts, strict=True):
            mine.merge(theirs)
