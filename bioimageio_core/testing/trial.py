"""One op, made and run as a prediction would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ..packaging.argument_files import ArgumentFiles
from ..registry import Measure, Needs, OpContext, ProcessingOp, ProcessingOpEntry
from ..sources import Package
from ..statistics import StreamingStatistics
from ..typing import AxisId, FrozenMapping
from .argument_files import made_package
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

    def of_block(self, block: Block) -> NDArray[Any]:
        """Return the result for a block: it is given with as much around it as `Needs.halo` says, and that is cut off again."""
        given, kept = [], []
        for axis, size, part in zip(self.axes, self.tensor.shape, block, strict=True):
            halo = self.needs.halo.get(axis, 0)
            start = max(0, part.start - halo)
            given.append(slice(start, min(size, part.stop + halo)))
            kept.append(slice(part.start - start, part.stop - start))
        here = {m: values[_within(values.shape, given)] for m, values in self.measured.items()}
        return self.op(self.tensor[tuple(given)].copy(), here)[tuple(kept)]


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


def _within(shape: tuple[int, ...], given: list[slice]) -> tuple[slice, ...]:
    return tuple(slice(None) if size == 1 else part for size, part in zip(shape, given, strict=False))  # bins are further axes
