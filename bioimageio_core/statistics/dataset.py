"""Exact statistics of several tensors together, which may differ in size along reduced axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..registry.entries import Measure
from .partial import Partial
from .streaming import StreamingStatistics

__all__ = ["DatasetPartial", "DatasetStatistics"]

REST = "rest"
"""The single axis along which all reduced axes of all tensors are concatenated."""


class DatasetStatistics:
    """Measures several tensors like one, in a few passes; it is used like `StreamingStatistics`.

    Args:
        measures: The statistics to measure; axes that the tensors lack are ignored.
        axes: Axes of the tensors.
        shapes: Their shapes, which agree along all axes that are not reduced.
        dtype: Real or boolean; blocks of another dtype are cast to it.

    Raises:
        ValueError: Shapes do not agree, or the dtype is not real.

    """

    def __init__(self, measures: Iterable[Measure], *, axes: tuple[str, ...], shapes: Sequence[tuple[int, ...]], dtype: Any) -> None:
        self._axes = axes
        self._by_kept: dict[tuple[int, ...], tuple[StreamingStatistics, dict[Measure, Measure]]] = {}
        grouped: dict[tuple[int, ...], list[Measure]] = {}
        for measure in measures:
            grouped.setdefault(tuple(n for n, a in enumerate(axes) if a not in measure.axes), []).append(measure)
        for kept, wanted in grouped.items():
            sizes = {tuple(shape[n] for n in kept) for shape in shapes}
            if len(sizes) > 1:
                names = ", ".join(axes[n] for n in kept)
                raise ValueError(
                    f"expected tensors of one size along {names}, which {wanted[0].kind} is not taken over, found {sorted(sizes)}"
                )
            size = sizes.pop()
            total = sum(prod(shape) for shape in shapes) // max(1, prod(size))
            strung = {m: attrs.evolve(m, axes=(REST,), tensor=None) for m in wanted}
            names_kept = tuple(axes[n] for n in kept)
            statistics = StreamingStatistics(strung.values(), axes=(*names_kept, REST), shape=(*size, total), dtype=np.dtype(dtype))
            self._by_kept[kept] = statistics, strung

    @property
    def done(self) -> bool:
        """Whether all passes are done."""
        return all(statistics.done for statistics, _ in self._by_kept.values())

    @property
    def nan_count(self) -> int:
        """Number of elements that are NaN; complete after the first pass."""
        return max((statistics.nan_count for statistics, _ in self._by_kept.values()), default=0)

    def partial(self) -> DatasetPartial:
        """Return a new, empty accumulator for the current pass."""
        return DatasetPartial({kept: s.partial() for kept, (s, _) in self._by_kept.items() if not s.done})

    def end_pass(self, merged: DatasetPartial) -> None:
        """End the current pass with an accumulator of every element, each counted once."""
        for kept, partial in merged.parts.items():
            self._by_kept[kept][0].end_pass(partial)

    def results(self) -> dict[Measure, NDArray[np.float64]]:
        """Return all measures: float64, with size 1 along reduced axes; histograms with bins at the end."""
        found: dict[Measure, NDArray[np.float64]] = {}
        for kept, (statistics, strung) in self._by_kept.items():
            results = statistics.results()
            for measure, inner in strung.items():
                sizes = iter(results[inner].shape)
                shape = [next(sizes) if n in kept else 1 for n in range(len(self._axes))]
                found[measure] = results[inner].reshape([*shape, *measure.value_shape])
        return found


class DatasetPartial:
    """An accumulator for one pass over several tensors; picklable, merged in any order."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[tuple[int, ...], Partial]) -> None:
        self.parts = parts

    def update(self, block: NDArray[Any], start: tuple[int, ...]) -> None:
        """Add a block; ``start`` is its position in its tensor."""
        for kept, partial in self.parts.items():
            rest = [n for n in range(block.ndim) if n not in kept]
            strung = block.transpose([*kept, *rest]).reshape([*(block.shape[n] for n in kept), -1])
            partial.update(strung, (*(start[n] for n in kept), 0))

    def merge(self, other: DatasetPartial) -> None:
        """Add the elements of another accumulator of the same pass."""
        for kept, partial in self.parts.items():
            partial.merge(other.parts[kept])
