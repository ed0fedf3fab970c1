"""Planes of tensors at the resolution of a picture, read a band of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ...labelled_arrays import LabelledArray
from ...prediction.planning.planned_tensors import PlannedInput, PlannedOutput
from ...typing import AxisId

__all__ = ["PlaneSource", "Span", "source_of_input", "source_of_output"]

Span: TypeAlias = tuple[int, int]
"""Start and stop along an axis."""

BAND = 512
"""Rows that are read at once."""


@attrs.frozen(kw_only=True)
class PlaneSource:
    """A tensor that planes are read from."""

    axes: tuple[AxisId, ...]
    shape: tuple[int, ...]
    read: Callable[[Sequence[int], Sequence[int]], NDArray[Any]]
    """Returns the region from start to stop along all axes."""

    factor: float = 1.0
    offset: float = 0.0
    """Values are ``stored * factor + offset``."""

    nearest: bool = False
    """Whether pixels are ids, of which no mean can be taken."""

    def size(self, axis: AxisId) -> int:
        """Return the size along an axis; 1 where there is none."""
        return self.shape[self.axes.index(axis)] if axis in self.axes else 1

    def plane(self, spans: Mapping[AxisId, Span], shape: tuple[int, int]) -> NDArray[Any]:
        """Return a plane with axes y, x and a shape, of means of cells or of their first pixels.

        Args:
            spans: What is shown along y and x, and the position along other axes, which is 0 by default.
            shape: Number of pixels of the picture along y and x.

        """
        (top, bottom), (left, right) = spans["y"], spans["x"]
        steps = max(1, (bottom - top) // shape[0]), max(1, (right - left) // shape[1])
        rows = steps[0] * max(1, BAND // steps[0])
        bands = [
            self._cells(self._rows({**spans, "y": (y, min(y + rows, bottom)), "x": (left, right)}), steps) for y in range(top, bottom, rows)
        ]
        cells = np.concatenate(bands)
        found = cells[_nearest(len(cells), shape[0])][:, _nearest(cells.shape[1], shape[1])]
        return found if self.nearest else found * self.factor + self.offset

    def _rows(self, spans: Mapping[AxisId, Span]) -> NDArray[Any]:
        ranges = [spans.get(axis, (0, 1)) for axis in self.axes]
        region = np.asarray(self.read([start for start, _ in ranges], [stop for _, stop in ranges]))
        # Only y and x are longer than 1.
        plane = region.reshape([n for n, axis in zip(region.shape, self.axes, strict=True) if axis in ("y", "x")])
        return plane if self.axes.index("y") < self.axes.index("x") else plane.T

    def _cells(self, rows: NDArray[Any], steps: tuple[int, int]) -> NDArray[Any]:
        if self.nearest:
            return rows[:: steps[0], :: steps[1]]
        sums, counts = rows.astype(np.float64), np.ones(rows.shape[:2], np.float64)
        for axis, step in enumerate(steps):
            starts = np.arange(0, rows.shape[axis], step)
            sums, counts = np.add.reduceat(sums, starts, axis), np.add.reduceat(counts, starts, axis)
        cells: NDArray[Any] = sums / counts
        return cells


def _nearest(size: int, wanted: int) -> NDArray[np.intp]:
    """Return positions along an axis that show it in another number of pixels."""
    return ((np.arange(wanted) + 0.5) * size / wanted).astype(np.intp)


def source_of_input(image: PlannedInput) -> PlaneSource:
    """Return the image as the network gets it: resampled, and with the chosen channels."""
    return PlaneSource(axes=image.bound.axes, shape=image.bound.shape, read=image.bound.read)


def source_of_output(output: PlannedOutput, array: LabelledArray) -> PlaneSource:
    """Return an output; integers that do not stand for floats are ids of objects or classes."""
    factor, offset = output.storage_dtype.scale or (1.0, 0.0)
    ids = output.labelling is not None or (array.dtype.kind in "bui" and output.storage_dtype.scale is None)

    def read(start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        return np.asarray(array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))])

    return PlaneSource(axes=array.axes, shape=array.shape, read=read, factor=factor, offset=offset, nearest=ids)
