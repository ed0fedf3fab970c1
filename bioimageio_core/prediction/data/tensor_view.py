"""A whole tensor that is read region by region, with ops applied on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from ...blocks import Window, unravel
from ...errors import InputError
from ...registry import Measure, ProcessingOp
from ...typing import AxisId, FrozenMapping
from .bind_inputs import pad_windows

__all__ = ["AxisArray", "BoundStep", "Boxes", "Readable", "TensorView", "as_windows"]


class Readable(Protocol):
    """Something whose regions can be read, from several threads at once."""

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class AxisArray:
    """A statistic: float64, of size 1 along the axes that were reduced."""

    values: NDArray[np.float64]
    axes: tuple[AxisId, ...]

    def aligned(self, axes: tuple[AxisId, ...], shape: tuple[int, ...], *, what: str) -> AxisArray:
        """Return the statistic along other axes, so that it broadcasts against a tensor of ``shape``.

        Raises:
            InputError: It varies along an axis that the tensor lacks, or has in another size.

        """
        for axis, size in zip(self.axes, self.values.shape, strict=True):
            if size > 1 and (axis not in axes or shape[axes.index(axis)] != size):
                raise InputError(
                    f"{what} varies along axis {axis!r} ({size} values), which the tensor that it is applied to has not in this size"
                )
        at = [self.axes.index(a) if a in self.axes else None for a in axes]
        present = [n for n in at if n is not None]
        dropped = tuple(n for n in range(len(self.axes)) if n not in present)
        values = self.values.transpose((*present, *dropped)).reshape([self.values.shape[n] for n in present])
        return AxisArray(values=values[tuple(np.newaxis if n is None else slice(None) for n in at)], axes=axes)

    def within(self, windows: Sequence[Window]) -> NDArray[np.float64]:
        """Return the part that belongs to a (padded) region."""
        whole = Window(0, 1, (), (0, 1), ())
        used = [whole if size == 1 else w for size, w in zip(self.values.shape, windows, strict=True)]
        return pad_windows(self.values[tuple(slice(w.start, w.stop) for w in used)], used, 0.0)


@attrs.frozen(kw_only=True, eq=False)
class BoundStep:
    """An op with its implementation and its statistics."""

    op: ProcessingOp
    measured: Mapping[Measure, AxisArray]
    whole_axes: tuple[AxisId, ...] = ()
    """Axes along which the op must not be given a part."""

    halo: Mapping[AxisId, int] = FrozenMapping()
    """Pixels that the op looks to either side."""

    def apply(self, tensor: NDArray[Any], windows: Sequence[Window]) -> NDArray[Any]:
        """Apply the op to a region.

        Args:
            tensor: The region along the axes of the model's tensor.
            windows: Where it lies, along extra axes and those of the tensor.

        """
        extra = len(windows) - tensor.ndim
        parts = {m: a.within(windows) for m, a in self.measured.items()}
        return self.op(tensor, {m: part.reshape(part.shape[extra:]) for m, part in parts.items()})


@attrs.frozen(kw_only=True, eq=False)
class TensorView:
    """A tensor of the whole image: a source, and the steps that are applied to what is read from it."""

    source: Readable
    axes: tuple[AxisId, ...]
    """Extra axes, then the tensor's."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    extra: int
    """Number of extra axes."""

    steps: tuple[BoundStep, ...] = ()
    stage: int = 0
    """How often `source` was replaced by one that has steps behind it."""

    is_picklable: bool = True
    """Whether other processes can read it."""

    kept: bool = False
    """Whether what is read is kept for the blocks that are predicted, in the process that reads it."""

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a region that spans one position of each extra axis, processed; where steps look aside, more is read and cut off again."""
        if not self.steps:
            return self.source.read(start, stop)
        reach = [sum(step.halo.get(axis, 0) for step in self.steps) for axis in self.axes]
        begin = [max(0, a - r) for a, r in zip(start, reach, strict=True)]
        end = [min(n, b + r) if r else b for b, r, n in zip(stop, reach, self.shape, strict=True)]
        region = self.source.read(begin, end)
        windows = as_windows(begin, end)
        tensor = region.reshape(region.shape[self.extra :])
        for step in self.steps:
            tensor = step.apply(tensor, windows)
        wanted = [slice(a - low, b - low) if r else slice(None) for a, b, low, r in zip(start, stop, begin, reach, strict=True)]
        tensor = tensor[tuple(wanted[self.extra :])]
        return tensor.reshape(region.shape[: self.extra] + tensor.shape)

    def then(self, step: BoundStep) -> TensorView:
        """Return the sample with one more step."""
        return attrs.evolve(self, steps=(*self.steps, step))

    def boxes(self, *, elements: int) -> Boxes:
        """Return a partition into boxes of about so many elements, each of whole chunks, for one position of each extra axis."""
        whole = {axis for step in self.steps for axis in step.whole_axes}
        size = [
            1 if n < self.extra else length if axis in whole else min(chunk, length)
            for n, (axis, chunk, length) in enumerate(zip(self.axes, self.chunks, self.shape, strict=True))
        ]
        for axis in reversed(range(self.extra, len(size))):
            rest = int(np.prod(size)) // size[axis]
            fit = max(1, elements // max(1, rest * size[axis]))
            size[axis] = min(self.shape[axis], size[axis] * fit)
        return Boxes(shape=self.shape, size=tuple(size))


@attrs.frozen(kw_only=True)
class Boxes:
    """A partition of an array into boxes, numbered row-major."""

    shape: tuple[int, ...]
    size: tuple[int, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of boxes along each axis."""
        return tuple(-(-n // s) for n, s in zip(self.shape, self.size, strict=True))

    @property
    def count(self) -> int:
        """Number of boxes."""
        return int(np.prod(self.counts, dtype=object))

    def box(self, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return ``(start, stop)`` of a box."""
        start = tuple(i * s for i, s in zip(unravel(number, self.counts), self.size, strict=True))
        return start, tuple(min(a + s, n) for a, s, n in zip(start, self.size, self.shape, strict=True))


def as_windows(start: Sequence[int], stop: Sequence[int]) -> tuple[Window, ...]:
    """Return the windows of an unpadded region."""
    return tuple(Window(a, b, (), (0, b - a), ()) for a, b in zip(start, stop, strict=True))
