"""Samples in slabs, where statistics have so many groups that they could not all be held at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

import attrs
from numpy.typing import NDArray

from ...registry import Measure
from .tensor_view import TensorView

__all__ = ["split_along_axis"]

MOST_COUNTS = 2**22
"""Counts that percentiles may have to keep at once, of 16 bytes each: one for each group and leading 16 bits that occur in it."""


@attrs.frozen(kw_only=True, eq=False)
class _Slab:
    """Part of a sample along one axis, read as if it was all."""

    sample: TensorView
    axis: int
    begin: int

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)`` of the slab."""
        low, high = list(start), list(stop)
        low[self.axis] += self.begin
        high[self.axis] += self.begin
        return self.sample.read(low, high)


def split_along_axis(sample: TensorView, measures: Iterable[Measure]) -> Iterator[tuple[int, TensorView]]:
    """Yield ``(axis, slab)`` for slabs of a sample that can be measured one after the other; the sample itself where it can be at once.

    Args:
        sample: What is measured.
        measures: With axes of the sample.

    """
    percentiles = [m for m in measures if m.kind == "percentile" and m.q not in (0, 100)]
    most, axis = 0, 0
    for measure in percentiles:
        kept = [n for n, a in enumerate(sample.axes) if a not in measure.axes]
        groups = prod(sample.shape[n] for n in kept)
        each = min(prod(sample.shape) // max(1, groups), 2**16)
        if groups * each > most and kept:
            most, axis = groups * each, max(kept, key=lambda n: sample.shape[n])
    shared = all(sample.axes[axis] not in m.axes for m in measures)
    count = -(-most // MOST_COUNTS)
    if count <= 1 or not shared:
        yield axis, sample
        return
    size, chunk = sample.shape[axis], sample.chunks[axis]
    thick = max(1, size // count)
    if thick > chunk:
        thick = thick // chunk * chunk
    whole = {a for step in sample.steps for a in step.whole_axes}
    chunks = tuple(n if a in whole else c for a, n, c in zip(sample.axes, sample.shape, sample.chunks, strict=True))
    for begin in range(0, size, thick):
        own = min(thick, size - begin)
        shape = (*sample.shape[:axis], own, *sample.shape[axis + 1 :])
        limited = (*chunks[:axis], min(chunks[axis], own), *chunks[axis + 1 :])
        part = _Slab(sample=sample, axis=axis, begin=begin)
        yield axis, attrs.evolve(sample, source=part, shape=shape, chunks=limited, steps=(), stage=0, kept=False)
