"""One op, made and run as a prediction would."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..packaging.argument_files import ArgumentFiles
from ..registry import LabellingOp, Measure, Needs, OpContext, ProcessingOp, ProcessingOpEntry
from ..sources import Package
from ..statistics import StreamingStatistics
from ..typing import AxisId, FrozenMapping
from .argument_files import made_package
from .label_boxes import Box, grid, label_in_boxes
from .strategies import Block

__all__ = ["Trial"]


@attrs.frozen(kw_only=True, eq=False)
class Trial:
    """An op with its arguments, a tensor, and statistics of the whole of it."""

    entry: ProcessingOpEntry
    kwargs: Any
    axes: tuple[AxisId, ...]
    tensor: NDArray[Any]
    needs: Needs
    measured: dict[Measure, NDArray[Any]]
    op: ProcessingOp
    package: Package
    """The files that the arguments name."""

    @classmethod
    def of(
        cls,
        entry: ProcessingOpEntry,
        kwargs: Any,
        axes: tuple[AxisId, ...],
        tensor: NDArray[Any],
        files: Mapping[str, bytes] = FrozenMapping(),
    ) -> Trial:
        """Measure what the op needs, and make it; ``files`` has contents by source, and other files are made up."""
        needs = entry.requirements(kwargs, axes)
        reference = np.linspace(-3, 8, tensor.size, dtype=np.float32).reshape(tensor.shape)
        measured = {m: _measured(m, tensor if m.tensor is None else reference, axes) for m in needs.measures}
        package = made_package(kwargs, files, axes, tensor.shape)
        op = entry.make(kwargs, axes, _context(kwargs, package))
        return cls(entry=entry, kwargs=kwargs, axes=axes, tensor=tensor, needs=needs, measured=measured, op=op, package=package)

    def new_op(self) -> ProcessingOp:
        """Return the op, made once more."""
        return self.entry.make(self.kwargs, self.axes, _context(self.kwargs, self.package))

    def whole(self, op: ProcessingOp | None = None) -> NDArray[Any]:
        """Return the result for the whole tensor, of this op or another."""
        return (op or self.op)(self.tensor.copy(), self.measured)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the result for the whole tensor that the needs declare."""
        change = self.needs.shape
        return self.tensor.shape if change is None else change.shape(dict(zip(self.axes, self.tensor.shape, strict=True)))

    @property
    def uncut_axes(self) -> tuple[AxisId, ...]:
        """Axes of the tensor that blocks span from end to end."""
        change = self.needs.shape
        changed = () if change is None else (a for a in self.axes if a in change.sizes or a not in change.axes)
        return tuple(dict.fromkeys((*self.needs.whole_axes, *changed)))

    def of_result(self, block: Block) -> Block:
        """Return where the result of a block lies in that for the whole tensor."""
        parts = dict(zip(self.axes, block, strict=True))
        change = self.needs.shape
        fixed = () if change is None else change.sizes
        return tuple(slice(None) if axis in fixed else parts[axis] for axis in self.needs.result_axes(self.axes))

    def of_block(self, block: Block) -> NDArray[Any]:
        """Return the result for a block: it is given with as much around it as `Needs.halo` says, and that is cut off again."""
        given, kept = [], []
        for axis, size, part in zip(self.axes, self.tensor.shape, block, strict=True):
            halo = self.needs.halo.get(axis, 0)
            start = max(0, part.start - halo)
            given.append(slice(start, min(size, part.stop + halo)))
            kept.append(slice(part.start - start, part.stop - start))
        return self._of_part(tuple(given))[self.of_result(tuple(kept))]

    def in_boxes(self, cuts: Mapping[AxisId, Collection[int]], size: Mapping[AxisId, int]) -> NDArray[Any]:
        """Return the labels of the tensor, found box by box, joined, and numbered from 1 in the order of their first pixels.

        Args:
            cuts: Pixels of the tensor at which boxes begin, by axis of space; none: each item of the batch is one box.
            size: Pixels of the result that the largest object spans, by axis of space.

        """
        objects, result = self.needs.objects, self.needs.result_axes(self.axes)
        assert objects is not None
        scale = FrozenMapping() if self.needs.shape is None else self.needs.shape.scale
        places, halo = [], []
        for axis, length in zip(result, self.shape, strict=True):
            factor = scale.get(axis, 1)
            around = 1 if objects.join == "touch" else -(-size.get(axis, 0) * objects.context // factor)
            places.append([n * factor for n in cuts[axis]] if axis in cuts else range(length) if axis == "batch" else ())
            halo.append((self.needs.halo.get(axis, 0) + around) * factor if axis in cuts else 0)

        def label(box: Box) -> NDArray[Any]:
            windows = {axis: (part, scale.get(axis, 1)) for axis, part in zip(result, box.window, strict=True)}
            followed = {axis: slice(part.start // n, -(-part.stop // n)) for axis, (part, n) in windows.items()}
            return self._of_window(tuple(followed[axis] if axis in cuts or axis == "batch" else slice(None) for axis in self.axes))

        boxes = grid(self.shape, places, halo)
        overlap = objects.overlap if objects.join == "overlap" else None
        return label_in_boxes(self.shape, label, boxes, rule=objects.join, overlap=overlap, least_pixels=objects.least_pixels)[0]

    def _of_window(self, window: Block) -> NDArray[Any]:
        if not isinstance(self.op, LabellingOp):
            return self._of_part(window)
        sides = [(*part.indices(size)[:2], size) for part, size in zip(window, self.tensor.shape, strict=True)]
        beyond = {axis: (start, size - stop) for axis, (start, stop, size) in zip(self.axes, sides, strict=True)}
        return self.op.label(self.tensor[window].copy(), self._measured_in(window), beyond)

    def _of_part(self, part: Block) -> NDArray[Any]:
        return self.op(self.tensor[part].copy(), self._measured_in(part))

    def _measured_in(self, part: Block) -> dict[Measure, NDArray[Any]]:
        return {m: values[_within(values.shape, part)] for m, values in self.measured.items()}


def _context(kwargs: Any, package: Package) -> OpContext | None:
    files = ArgumentFiles.of(kwargs, package)
    return None if files is None else OpContext(step=None, files=files)


def _measured(measure: Measure, tensor: NDArray[Any], axes: tuple[AxisId, ...]) -> NDArray[Any]:
    statistics = StreamingStatistics([measure], axes=axes, shape=tensor.shape, dtype=tensor.dtype)
    while not statistics.done:
        part = statistics.partial()
        part.update(tensor, (0,) * tensor.ndim)
        statistics.end_pass(part)
    return statistics.results()[measure]


def _within(shape: tuple[int, ...], given: Block) -> tuple[slice, ...]:
    return tuple(slice(None) if size == 1 else part for size, part in zip(shape, given, strict=False))  # bins are further axes
