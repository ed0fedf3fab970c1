"""Splits a tensor into slabs, for statistics with more groups than fit in memory at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

import attrs
from numpy.typing import NDArray

from ...registry import Measure
from ...typing import AxisId
from .tensor_view import TensorView

__all__ = ["slab_count", "split_along_axis"]

MAX_COUNTS = 2**22
"""Maximum number of counts that are kept at once: of percentiles, 16 bytes for each group and distinct leading 16 bits in it;
of histograms, 8 bytes for each group and bin."""


def slab_count(axes: Sequence[AxisId], shape: Sequence[int], chunks: Sequence[int], measures: Iterable[Measure]) -> int:
    """Return the number of slabs into which `split_along_axis` splits a tensor."""
    axis, thickness = _slab(axes, shape, chunks, tuple(measures))
    return -(-shape[axis] // thickness) if shape else 1


def split_along_axis(view: TensorView, measures: Iterable[Measure]) -> Iterator[tuple[int, TensorView]]:
    """Yield ``(axis, slab)`` for slabs of a tensor to measure one after the other; the tensor itself where one slab is enough.

    Args:
        view: The tensor.
        measures: The statistics, over axes of the tensor.

    """
    axis, thickness = _slab(view.axes, view.shape, view.chunks, tuple(measures))
    if not view.shape or thickness >= view.shape[axis]:
        yield axis, view
        return
    whole = {a for step in view.steps for a in step.whole_axes}
    chunks = tuple(n if a in whole else c for a, n, c in zip(view.axes, view.shape, view.chunks, strict=True))
    for begin in range(0, view.shape[axis], thickness):
        own = min(thickness, view.shape[axis] - begin)
        yield (
            axis,
            attrs.evolve(
                view,
                source=_Slab(view=view, axis=axis, begin=begin),
                shape=(*view.shape[:axis], own, *view.shape[axis + 1 :]),
                chunks=(*chunks[:axis], min(chunks[axis], own), *chunks[axis + 1 :]),
                steps=(),
                cached=False,
            ),
        )


def _slab(axes: Sequence[AxisId], shape: Sequence[int], chunks: Sequence[int], measures: tuple[Measure, ...]) -> tuple[int, int]:
    """Return the axis that slabs cut, and their thickness along it: complete chunks where possible."""
    most, axis = 0, 0
    for measure in (m for m in measures if m.is_searched or m.bins is not None):
        kept = [n for n, a in enumerate(axes) if a not in measure.axes]
        groups = prod(shape[n] for n in kept)
        each = min(prod(shape) // max(1, groups), 2**16) if measure.bins is None else measure.bins
        if groups * each > most and kept:
            most, axis = groups * each, max(kept, key=lambda n: shape[n])
    count = -(-most // MAX_COUNTS)
    if count <= 1 or any(axes[axis] in m.axes for m in measures):
        return axis, shape[axis] if shape else 1
    thickness = max(1, shape[axis] // count)
    return axis, thickness // chunks[axis] * chunks[axis] if thickness > chunks[axis] else thickness


@attrs.frozen(kw_only=True, eq=False)
class _Slab:
    """A source that reads part of a tensor along one axis."""

    view: TensorView
    axis: int
    begin: int

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)`` of the slab."""
        low, high = list(start), list(stop)
        low[self.axis] += self.begin
        high[self.axis] += self.begin
        return self.view.read(low, high)
