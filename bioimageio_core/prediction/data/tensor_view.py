"""A tensor that is read region by region, with ops applied to each region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from ...blocks import Window
from ...errors import InputError
from ...registry import Beyond, Measure
from ...typing import AxisId, FrozenMapping
from .bind_inputs import pad_windows
from .boxes import Boxes, plan_boxes
from .checked_op import CheckedOp

__all__ = ["AxisArray", "BoundStep", "Readable", "TensorView", "as_windows"]


class Readable(Protocol):
    """A source of regions; read from several threads at once."""

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class AxisArray:
    """A statistic: float64, of size 1 along the reduced axes."""

    values: NDArray[np.float64]
    """Along the axes; of a histogram, along its bins at the end, too."""

    axes: tuple[AxisId, ...]

    def aligned(self, axes: tuple[AxisId, ...], shape: tuple[int, ...], *, what: str) -> AxisArray:
        """Return the statistic along the axes of a tensor, so that it broadcasts against ``shape``.

        Args:
            axes: Axes of the tensor.
            shape: Shape of the tensor.
            what: Name of the statistic, for errors.

        Raises:
            InputError: The statistic varies along an axis that the tensor lacks or has in a different size.

        """
        for axis, size in zip(self.axes, self.values.shape, strict=False):
            if size > 1 and (axis not in axes or shape[axes.index(axis)] != size):
                raise InputError(f"{what} varies along axis {axis!r} ({size} values): expected a tensor with this axis and size")
        at = [self.axes.index(a) if a in self.axes else None for a in axes]
        present = [n for n in at if n is not None]
        dropped = tuple(n for n in range(len(self.axes)) if n not in present)
        bins = tuple(range(len(self.axes), self.values.ndim))
        values = self.values.transpose((*present, *dropped, *bins)).reshape([self.values.shape[n] for n in (*present, *bins)])
        return AxisArray(values=values[tuple(np.newaxis if n is None else slice(None) for n in at)], axes=axes)

    def within(self, windows: Sequence[Window]) -> NDArray[np.float64]:
        """Return the part for a (padded) region."""
        whole = Window(0, 1, (), (0, 1), ())
        used = [whole if size == 1 else w for size, w in zip(self.values.shape, windows, strict=False)]
        return pad_windows(self.values[tuple(slice(w.start, w.stop) for w in used)], used, 0.0)


@attrs.frozen(kw_only=True, eq=False)
class BoundStep:
    """A processing op with its implementation and its statistics."""

    op: CheckedOp
    measured: Mapping[Measure, AxisArray]
    whole_axes: tuple[AxisId, ...] = ()
    """Axes that the op needs complete."""

    halo: Mapping[AxisId, int] = FrozenMapping()
    """Number of neighbouring pixels that the op uses on either side, by axis."""

    def apply(self, tensor: NDArray[Any], windows: Sequence[Window], beyond: Beyond | None = None) -> NDArray[Any]:
        """Apply the op to a region.

        Args:
            tensor: The region along the axes of the model's tensor.
            windows: Its position along extra axes and those of the tensor.
            beyond: Pixels before and after it by axis, for ops that label objects.

        """
        extra = len(windows) - tensor.ndim
        parts = {m: a.within(windows) for m, a in self.measured.items()}
        return self.op(tensor, {m: part.reshape(part.shape[extra:]) for m, part in parts.items()}, beyond)


@attrs.frozen(kw_only=True, eq=False)
class TensorView:
    """A tensor of the complete image: a source, and the steps that apply to each region that is read."""

    source: Readable
    axes: tuple[AxisId, ...]
    """Extra axes, then the axes of the tensor."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    extra: int
    """Number of extra axes."""

    steps: tuple[BoundStep, ...] = ()
    is_picklable: bool = True
    """Whether other processes can read it."""

    cached: bool = False
    """Whether this process caches the chunks that it reads, for blocks that it predicts later."""

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a processed region that spans one position of each extra axis.

        Where steps use neighbouring pixels, a larger region is read, processed and cropped.
        """
        if not self.steps:
            return self.source.read(start, stop)
        halo = [sum(step.halo.get(axis, 0) for step in self.steps) for axis in self.axes]
        begin = [max(0, a - h) for a, h in zip(start, halo, strict=True)]
        end = [min(n, b + h) if h else b for b, h, n in zip(stop, halo, self.shape, strict=True)]
        region = self.source.read(begin, end)
        windows = as_windows(begin, end)
        tensor = region.reshape(region.shape[self.extra :])
        for step in self.steps:
            tensor = step.apply(tensor, windows)
        cropped = [slice(a - low, b - low) if h else slice(None) for a, b, low, h in zip(start, stop, begin, halo, strict=True)]
        tensor = tensor[tuple(cropped[self.extra :])]
        return tensor.reshape(region.shape[: self.extra] + tensor.shape)

    def then(self, step: BoundStep) -> TensorView:
        """Return the view with one more step."""
        return attrs.evolve(self, steps=(*self.steps, step))

    def dtype(self) -> np.dtype[Any]:
        """Return the dtype of regions, found by applying the steps to zeros; a source without a known dtype is read."""
        own = getattr(self.source, "dtype", None)
        tried = self if own is None else attrs.evolve(self, source=_Zeros(dtype=np.dtype(own)))
        smallest = self.boxes(elements=1).size
        with np.errstate(all="ignore"):
            return tried.read((0,) * len(self.shape), [min(s, n) for s, n in zip(smallest, self.shape, strict=True)]).dtype

    def boxes(self, *, elements: int) -> Boxes:
        """Return a partition into boxes of complete chunks, of about ``elements`` elements each."""
        whole = {axis for step in self.steps for axis in step.whole_axes}
        return plan_boxes(self.axes, self.shape, self.chunks, extra=self.extra, elements=elements, whole_axes=whole)


@attrs.frozen(kw_only=True, eq=False)
class _Zeros:
    """A tensor of zeros."""

    dtype: np.dtype[Any]

    def read(self, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return the region ``[start, stop)``."""
        return np.zeros([b - a for a, b in zip(start, stop, strict=True)], self.dtype)


def as_windows(start: Sequence[int], stop: Sequence[int]) -> tuple[Window, ...]:
    """Return the windows of an unpadded region."""
    return tuple(Window(a, b, (), (0, b - a), ()) for a, b in zip(start, stop, strict=True))
