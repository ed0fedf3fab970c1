"""Exact statistics of a tensor that is read block by block."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..registry.entries import Measure, Statistic
from .bin_counts import Bins
from .extremes import Extremes
from .grouping import Grouping
from .moments import Moments
from .own_statistics import finished
from .partial import GroupPartial, Partial, Wanted
from .ranks import interpolate, ranks
from .search import Search, levels

__all__ = ["StreamingStatistics", "pass_count"]

F64 = NDArray[np.float64]


def pass_count(measures: Iterable[Measure], dtype: np.dtype[Any]) -> int:
    """Return how many passes over tensors of a dtype the measures take, without allocating anything."""
    number = np.dtype(np.uint8) if dtype.kind == "b" else dtype
    return max((levels(number) if m.is_searched else 1 for m in measures), default=0)


class StreamingStatistics:
    """Measures a tensor in a few passes over its blocks, all statistics of a pass at once.

    A pass: give each worker a `partial`, update it with blocks that together cover the tensor once, merge them, and call `end_pass`.
    Repeat until `done`, `passes` times in all.

    Means and standard deviations are accumulated in float64.
    Percentiles are interpolated between exact order statistics, for any amount of data.
    Counts and histograms are exact.
    NaN is ignored; the statistics of a group of NaN alone are NaN, its counts 0.

    Memory, in a worker: 24 bytes for each mean, 8 bytes for each bin of a histogram, and 512 KiB for each group
    (position along the axes that are not reduced) with percentiles, in later passes for each order statistic of each group.
    Percentiles of more than 128 groups take 16 bytes for each distinct pair of group and leading 16 bits.

    Args:
        measures: The statistics to measure. Axes that the tensor lacks are ignored, and so is `Measure.tensor`.
        axes: Axes of the tensor.
        shape: Its shape.
        dtype: Real or boolean; blocks of another dtype are cast to it.

    Raises:
        ValueError: The dtype is not real.

    """

    def __init__(self, measures: Iterable[Measure], *, axes: tuple[str, ...], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        dtype = np.dtype(dtype).newbyteorder("=")
        if dtype.kind not in "biuf" or dtype.itemsize > 8:
            raise ValueError(f"expected a real dtype of at most 64 bits, found {dtype}")
        self.measures = tuple(dict.fromkeys(measures))
        self.shape = tuple(shape)
        self.dtype = dtype
        self.nan_count = 0
        """Number of elements that are NaN; complete after the first pass."""

        self._number = np.dtype(np.uint8) if dtype.kind == "b" else dtype
        grouped: dict[tuple[int, ...], list[Measure]] = {}
        for measure in self.measures:
            reduced = tuple(index for index, axis in enumerate(axes) if axis in measure.axes)
            grouped.setdefault(reduced, []).append(measure)
        self._states = tuple(
            _GroupState(Grouping(shape=self.shape, reduced=reduced), tuple(ms), self._number) for reduced, ms in grouped.items()
        )
        self.passes = pass_count(self.measures, dtype)
        """Number of passes over the data: 1, or with percentiles other than 0 and 100, 2 for 32 bits and 4 for 64 bits."""

        self._ended = 0

    @property
    def done(self) -> bool:
        """Whether all passes are done."""
        return self._ended == self.passes

    def partial(self) -> Partial:
        """Return a new, empty accumulator for the current pass."""
        if self.done:
            raise RuntimeError(f"all {self.passes} passes have ended: there is nothing left to measure")
        wanted = tuple(w for w in (state.wanted(self._ended == 0) for state in self._states) if w.anything)
        return Partial(shape=self.shape, dtype=self.dtype, pass_index=self._ended, wanted=wanted)

    def end_pass(self, merged: Partial) -> None:
        """End the current pass.

        Args:
            merged: An accumulator of every element, each counted once.

        Raises:
            ValueError: It is of another pass, or has another number of elements than the tensor.

        """
        if merged.pass_index != self._ended:
            raise ValueError(f"expected an accumulator of pass {self._ended + 1}, found one of pass {merged.pass_index + 1}")
        if merged.seen != prod(self.shape):
            raise ValueError(f"expected each of the {prod(self.shape)} elements to be seen once in a pass, found {merged.seen}")
        parts = iter(merged.parts)
        for state in self._states:
            if state.wanted(self._ended == 0).anything:
                state.end_pass(next(parts))
        if self._ended == 0:
            self.nan_count = merged.nan_count
        self._ended += 1

    def results(self) -> dict[Measure, F64]:
        """Return all statistics: float64, with size 1 along reduced axes and the tensor's size along the others.

        Histograms have their bins along one more axis at the end.

        Raises:
            RuntimeError: Not all passes are done.

        """
        if not self.done:
            raise RuntimeError(f"{self._ended} of {self.passes} passes have ended: results come after the last")
        found: dict[Measure, F64] = {}
        for state in self._states:
            found.update(state.results())
        return {measure: found[measure] for measure in self.measures}


class _GroupState:
    """The state of the search for the statistics of one grouping."""

    def __init__(self, grouping: Grouping, measures: tuple[Measure, ...], dtype: np.dtype[Any]) -> None:
        self.grouping = grouping
        self.measures = measures
        self.dtype = dtype
        self.n: NDArray[np.int64] = np.zeros(grouping.groups, np.int64)
        self.moments: Moments | None = None
        self.extremes: Extremes | None = None
        self.quantiles = tuple(m for m in measures if m.is_searched)
        self.own = tuple(dict.fromkeys(m.statistic for m in measures if m.statistic is not None))
        self.bins = tuple(dict.fromkeys((m.bins, m.range) for m in measures if m.bins is not None and m.range is not None))
        self.counts: dict[Bins, NDArray[np.int64]] = {}
        self.states: dict[Statistic, F64] = {}
        self.search = Search.begin(grouping.groups, dtype) if self.quantiles else None
        shape = (grouping.groups, 2 * len(self.quantiles))
        self.prefixes: NDArray[np.uint64] = np.zeros(shape, np.uint64)
        self.rank: NDArray[np.int64] = np.zeros(shape, np.int64)
        self.weight: F64 = np.zeros((grouping.groups, len(self.quantiles)))
        self.values: NDArray[Any] = np.zeros(shape, dtype)

    def wanted(self, first: bool) -> Wanted:
        return Wanted(
            grouping=self.grouping,
            dtype=self.dtype,
            first=first,
            moments=first and any(m.kind in ("mean", "std") for m in self.measures),
            extremes=first and any(m.quantile in (0, 100) for m in self.measures),
            own=self.own if first else (),
            bins=self.bins if first else (),
            search=self.search,
        )

    def end_pass(self, part: GroupPartial) -> None:
        if part.wanted.first:
            self.n, self.moments, self.extremes = part.n, part.moments, part.extremes
            self.states = {statistic: own.state for statistic, own in zip(self.own, part.own, strict=True)}
            self.counts = {bins: part.counts for bins, part in zip(self.bins, part.bin_counts, strict=True)}
            for k, measure in enumerate(self.quantiles):
                assert measure.quantile is not None
                self.rank[:, 2 * k], self.rank[:, 2 * k + 1], self.weight[:, k] = ranks(self.n, measure.quantile, measure.method)
        if self.search is not None and part.histogram is not None:
            wanted = np.broadcast_to(self.n[:, None] > 0, self.rank.shape)
            search = self.search
            self.prefixes, self.rank, self.search = search.refine(part.histogram, self.prefixes, self.rank, wanted)
            if self.search is None:
                self.values = search.values(self.prefixes)

    def results(self) -> dict[Measure, F64]:
        return {measure: self._result(measure).reshape(self.grouping.result_shape + measure.value_shape) for measure in self.measures}

    def _result(self, measure: Measure) -> F64:
        if measure.kind == "count":
            return self.n.astype(np.float64)
        if measure.bins is not None and measure.range is not None:
            return self.counts[measure.bins, measure.range].astype(np.float64)
        if measure.statistic is not None:
            return finished(measure.statistic, self.states[measure.statistic])
        if measure.kind in ("mean", "std"):
            assert self.moments is not None
            return self.moments.mean_of_groups() if measure.kind == "mean" else self.moments.deviation_of_groups(measure.ddof)
        if measure.is_searched:
            k = self.quantiles.index(measure)
            found = interpolate(self.values[:, 2 * k], self.values[:, 2 * k + 1], self.weight[:, k])
        else:
            assert self.extremes is not None
            found = (self.extremes.low if measure.quantile == 0 else self.extremes.high).astype(np.float64) + 0.0
        return np.where(self.n > 0, found, np.nan)
