"""A tensor after an op that changes its shape, read region by region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...registry import ShapeChange
from .tensor_view import BoundStep, TensorView, as_windows

__all__ = ["ChangedTensor", "changed_view"]


@attrs.frozen(kw_only=True, eq=False)
class ChangedTensor:
    """The results of an op on regions of a tensor; regions are given in pixels of the results."""

    view: TensorView
    """The tensor before the op."""

    step: BoundStep
    change: ShapeChange
    """How the op changes the shape."""

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)`` of the results, which spans one position of each extra axis."""
        before, extra = self.view, self.view.extra
        axes = (*before.axes[:extra], *self.change.axes)
        wanted = dict(zip(axes, zip(start, stop, strict=True), strict=True))
        begin, end, crop = [], [], {}
        for axis, size in zip(before.axes, before.shape, strict=True):
            if axis not in wanted or axis in self.change.sizes or axis in self.step.whole_axes:
                begin.append(0)
                end.append(size)
                continue
            scale, halo = self.change.scale.get(axis, 1), self.step.halo.get(axis, 0)
            low, high = wanted[axis]
            begin.append(max(0, low // scale - halo))
            end.append(min(size, -(-high // scale) + halo))
            crop[axis] = slice(low - begin[-1] * scale, high - begin[-1] * scale)
        region = before.read(begin, end)
        ends = zip(before.axes[extra:], begin[extra:], end[extra:], before.shape[extra:], strict=True)
        beyond = {axis: (a, n - b) for axis, a, b, n in ends}
        tensor = self.step.apply(region.reshape(region.shape[extra:]), as_windows(begin, end), beyond)
        tensor = tensor[tuple(crop.get(axis, slice(*wanted[axis])) for axis in self.change.axes)]
        return tensor.reshape(region.shape[:extra] + tensor.shape)


def changed_view(view: TensorView, step: BoundStep, change: ShapeChange | None) -> TensorView:
    """Return the tensor after an op that may change its shape.

    Args:
        view: The tensor before the op.
        step: The op.
        change: How it changes the shape; None if it does not.

    """
    axes = view.axes[view.extra :]
    change = ShapeChange(axes=axes) if change is None else change
    extra = view.axes[: view.extra]
    shape = change.shape(dict(zip(axes, view.shape[view.extra :], strict=True)))
    chunks = change.shape(dict(zip(axes, view.chunks[view.extra :], strict=True)))
    return attrs.evolve(
        view,
        source=ChangedTensor(view=view, step=step, change=change),
        axes=(*extra, *change.axes),
        shape=(*view.shape[: view.extra], *shape),
        chunks=(*view.chunks[: view.extra], *np.minimum(chunks, shape).tolist()),
        steps=(),
        cached=False,
    )
