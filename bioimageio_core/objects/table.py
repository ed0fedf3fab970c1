"""The table of all objects: what boxes measure is added up by id, and becomes columns."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ..typing import AxisId, FrozenMapping
from ..units import METRES, conversion, normalised_unit
from .measuring import BoxMeasurements, Intensities, lowest_and_highest, sum_dtype

__all__ = ["Measurements", "TableLayout"]

Column: TypeAlias = Callable[[], "NDArray[Any]"]
"""Makes the values of a column."""

EXTENTS = {1: "length", 2: "area", 3: "volume"}
"""What objects have along a number of axes."""


@attrs.frozen(kw_only=True)
class TableLayout:
    """What a table of objects has columns for.

    Columns of one axis or channel end with its name: ``centroid-y``, ``mean-DAPI``.
    Positions and sizes are in pixels; where the size of a pixel is known, further columns end with its unit: ``centroid-y-micrometer``,
    ``area-micrometer2``. The unit is in the name so that the table needs no further file, and spelt out so that the name is plain ASCII.
    """

    axes: tuple[AxisId, ...]
    """Axes of the labels."""

    shape: tuple[int, ...]
    """Shape of the labels."""

    origin: tuple[int, ...] = ()
    """Position of the first pixel of the labels in the image, where they are those of a part; empty for the complete image."""

    sample_axes: tuple[AxisId, ...] = ()
    """Axes of samples, along which no object extends; each has a column of that name with the position of the object."""

    pixel_size: Mapping[AxisId, tuple[float, str | None]] = FrozenMapping()
    """Size of a pixel and its unit, where known."""

    channels: tuple[str, ...] = ()
    """Names of the channels of the image; where they are not distinct, channels are named by their numbers from 0."""

    dtype: np.dtype[Any] | None = attrs.field(default=None, converter=attrs.converters.optional(np.dtype))
    """Dtype of the image; None without one."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Distinct names of the channels."""
        distinct = len(set(self.channels)) == len(self.channels) and all(self.channels)
        return self.channels if distinct else tuple(map(str, range(len(self.channels))))

    @property
    def object_axes(self) -> tuple[AxisId, ...]:
        """Axes along which objects extend."""
        return tuple(axis for axis in self.axes if axis not in self.sample_axes)

    @property
    def units(self) -> Mapping[AxisId, str]:
        """Names of the units of the object axes whose pixel size has one."""
        named = {axis: normalised_unit(self.pixel_size[axis][1]) for axis in self.object_axes if axis in self.pixel_size}
        return {axis: unit for axis, unit in named.items() if unit is not None}

    @property
    def extent(self) -> tuple[str, float] | None:
        """The name of the column for the physical size of an object, and that of a pixel; None where an object axis has no length.

        Lengths are in the unit of the last axis.
        """
        axes, units = self.object_axes, self.units
        if len(axes) not in EXTENTS or any(units.get(axis) not in METRES for axis in axes):
            return None
        unit = units[axes[-1]]
        size = 1.0
        for axis in axes:
            size *= self.pixel_size[axis][0] * (conversion(units[axis], unit) or 1.0)
        return f"{EXTENTS[len(axes)]}-{unit}{len(axes) if len(axes) > 1 else ''}", size

    @property
    def column_units(self) -> Mapping[str, str]:
        """The unit of each column that has one, as in ``{"area-micrometer2": "micrometer2"}``."""
        extent = {} if self.extent is None else {self.extent[0]: self.extent[0].partition("-")[2]}
        return {**extent, **{f"centroid-{axis}-{unit}": unit for axis, unit in self.units.items()}}


class Measurements:
    """Adds up the measurements of boxes; memory is 8 bytes for each object and number that is kept of it.

    Sums of floating point pixels depend on the order of boxes in their last digits, all else does not.
    """

    def __init__(self, count: int, layout: TableLayout) -> None:
        """Start a table.

        Args:
            count: Number of objects, whose ids are 1 to ``count``.
            layout: What is measured.

        """
        self.layout = layout
        places = (len(layout.axes), count)
        self._pixels = np.zeros(count, np.int64)
        self._positions = np.zeros(places, np.int64)
        self._first, self._last = lowest_and_highest(places, np.dtype(np.int64))
        self._intensities: Intensities | None = None
        if layout.dtype is not None:
            values, dtype = (len(layout.channels), count), sum_dtype(layout.dtype)
            lowest, highest = lowest_and_highest(values, dtype)
            self._intensities = Intensities(
                sums=np.zeros(values, dtype), lowest=lowest, highest=highest, counted=np.zeros(values, np.int64)
            )

    def add(self, part: BoxMeasurements) -> None:
        """Add what is measured in one box."""
        rows = part.ids.astype(np.intp) - 1
        self._pixels[rows] += part.pixels
        self._positions[:, rows] += part.positions
        self._first[:, rows] = np.minimum(self._first[:, rows], part.first)
        self._last[:, rows] = np.maximum(self._last[:, rows], part.last)
        total, new = self._intensities, part.intensities
        if total is None or new is None:
            return
        with np.errstate(invalid="ignore", over="ignore"):  # of infinities
            total.sums[:, rows] += new.sums
        total.counted[:, rows] += new.counted
        total.lowest[:, rows] = np.fmin(total.lowest[:, rows], new.lowest)
        total.highest[:, rows] = np.fmax(total.highest[:, rows], new.highest)

    def pieces(self, rows: int = 2**16) -> Iterator[Mapping[str, NDArray[Any]]]:
        """Yield the table in pieces of rows; at least one, which may be empty."""
        for start in range(0, max(self._pixels.size, 1), rows):
            yield self.columns(start, start + rows)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(self._columns_of(np.zeros(0, np.intp)))

    def columns(self, start: int = 0, stop: int | None = None, names: Container[str] | None = None) -> Mapping[str, NDArray[Any]]:
        """Return columns by name, in order, for the objects with ids from ``start + 1`` to ``stop``; only those of `names`, if given.

        - ``id``; then the position along each axis of samples, under the name of the axis
        - ``pixels``, and ``length-``, ``area-`` or ``volume-UNIT`` where all pixel sizes are known
        - ``centroid-AXIS``: mean position of the pixels, that of the first pixel of the tensor is 0; ``centroid-AXIS-UNIT``: its distance
          from that pixel
        - ``first-AXIS`` and ``stop-AXIS``: the bounding box, which ends before ``stop``
        - ``touches_edge``: whether it reaches an end of the tensor along an object axis of more than one pixel
        - ``mean-``, ``min-``, ``max-`` and ``sum-CHANNEL`` of the pixels of each channel, without NaN

        An object of which no pixel is drawn, since others cover it, has no row.
        """
        made = self._columns_of(np.flatnonzero(self._pixels[start:stop]) + start)
        return {name: make() for name, make in made.items() if names is None or name in names}

    def _columns_of(self, chosen: NDArray[np.intp]) -> Mapping[str, Column]:
        """Return what makes each column for some objects."""
        layout = self.layout
        numbers = {axis: number for number, axis in enumerate(layout.axes)}
        columns: dict[str, Column] = {"id": lambda: chosen + 1}
        columns |= {axis: partial(self._bound, self._first, numbers[axis], chosen) for axis in layout.sample_axes}
        columns["pixels"] = lambda: self._pixels[chosen]
        if layout.extent is not None:
            name, size = layout.extent
            columns[name] = lambda: self._pixels[chosen] * size
        columns |= {f"centroid-{axis}": partial(self._centroid, numbers[axis], chosen) for axis in layout.object_axes}
        for axis, unit in layout.units.items():
            columns[f"centroid-{axis}-{unit}"] = partial(self._distance, numbers[axis], layout.pixel_size[axis][0], chosen)
        for axis in layout.object_axes:
            columns[f"first-{axis}"] = partial(self._bound, self._first, numbers[axis], chosen)
            columns[f"stop-{axis}"] = partial(self._bound, self._last, numbers[axis], chosen, 1)
        columns["touches_edge"] = lambda: self._touches_edge([numbers[axis] for axis in layout.object_axes], chosen)
        if self._intensities is not None:
            for channel, name in enumerate(layout.channel_names):
                columns |= _intensity_columns(self._intensities, name, channel, chosen)
        return columns

    def _origin(self, number: int) -> int:
        return self.layout.origin[number] if self.layout.origin else 0

    def _bound(self, places: NDArray[np.int64], number: int, chosen: NDArray[np.intp], after: int = 0) -> NDArray[np.int64]:
        return np.asarray(places[number, chosen] + (after + self._origin(number)))

    def _centroid(self, number: int, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray(self._positions[number, chosen] / self._pixels[chosen] + self._origin(number))

    def _distance(self, number: int, pixel_size: float, chosen: NDArray[np.intp]) -> NDArray[np.float64]:
        return self._centroid(number, chosen) * pixel_size

    def _touches_edge(self, numbers: Sequence[int], chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        edge = np.zeros(chosen.size, bool)
        for number in numbers:
            size = self.layout.shape[number]
            if size > 1:
                edge |= (self._first[number, chosen] == 0) | (self._last[number, chosen] == size - 1)
        return edge


def _intensity_columns(found: Intensities, name: str, channel: int, chosen: NDArray[np.intp]) -> Mapping[str, Column]:
    def mean() -> NDArray[np.float64]:
        with np.errstate(invalid="ignore"):  # NaN where all pixels are
            return np.asarray(found.sums[channel, chosen] / found.counted[channel, chosen])

    return {
        f"mean-{name}": mean,
        f"min-{name}": lambda: found.lowest[channel, chosen],
        f"max-{name}": lambda: found.highest[channel, chosen],
        f"sum-{name}": lambda: found.sums[channel, chosen],
    }
