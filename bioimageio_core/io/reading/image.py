"""An image of any size, of which only the asked regions are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...errors import AxesError, ChannelError, SourceError
from ...typing import AxisId, FrozenMapping
from .axes import parse_axes
from .readers import Reader

__all__ = ["Image", "checked_dtype"]


def checked_dtype(dtype: DTypeLike, name: str) -> np.dtype[Any]:
    """Return the dtype in native byte order.

    Raises:
        SourceError: It is none of bool, integer and real floating point.

    """
    try:
        checked = np.dtype(dtype)
    except TypeError as error:
        raise SourceError(f"{name} has the dtype {dtype!r}, which numpy doesn't know; give a numpy array.") from error
    if checked.kind not in "buif":
        raise SourceError(f"{name} holds {checked}, not real numbers; give an array of bool, integer or floating point dtype.")
    return checked.newbyteorder("=")


@attrs.frozen(kw_only=True)
class Image:
    """A lazily read array, with what is known about it.

    It can be pickled where its source can: paths are opened anew, arrays in memory travel along.
    """

    name: str
    """For messages and for names of outputs."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """Bool, integer or floating point, in native byte order."""

    axes: tuple[AxisId, ...] | None = None
    """None where the source doesn't say."""

    location: str | None = None
    """Path or URL that pixels are read from; None for arrays in memory."""

    channel_names: tuple[str, ...] | None = None
    chunks: tuple[int, ...] | None = None
    """The unit of storage, where there is one: regions of whole chunks are read fastest."""

    pixel_size: FrozenMapping[AxisId, tuple[float, str | None]] = FrozenMapping()
    """Size and unit (as the source writes it) along space and time axes, where known."""

    position: FrozenMapping[AxisId, float] = FrozenMapping()
    """Of the centre of the source's first pixel, in the units of `pixel_size`, where known."""

    reader: Reader = attrs.field(repr=False)
    start: tuple[int, ...] = attrs.field(default=(), repr=False)
    """Where this image begins in what the reader reads; empty for the origin."""

    source_shape: tuple[int, ...] = attrs.field(default=(), repr=False)
    """Shape of what the reader reads, where this image is a part of it; empty where it is all of it."""

    picked: tuple[int, tuple[int, ...]] | None = attrs.field(default=None, repr=False)
    """Axis number and positions that were picked out along it, counted from `start`."""

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region as a new, C-contiguous array; only the region is read.

        Args:
            index: One slice of step 1 per axis; cut off at the borders, as numpy does.

        """
        if len(index) != len(self.shape):
            raise AxesError(f"{self.name} has {len(self.shape)} axes (shape {self.shape}), got an index of {len(index)} slices.")
        spans = []
        for axis_slice, size in zip(index, self.shape, strict=True):
            begin, end, step = axis_slice.indices(size)
            if step != 1:
                raise ValueError(f"Regions are read with step 1, got {axis_slice}.")
            spans.append(slice(begin, max(begin, end)))
        region = self._read_picked(spans) if self.picked else self._read_spans(spans)
        return np.asarray(region, dtype=self.dtype, order="C")

    def _read_spans(self, spans: Sequence[slice]) -> NDArray[Any]:
        starts = self.start or (0,) * len(self.shape)
        return self.reader.read(tuple(slice(s.start + b, s.stop + b) for s, b in zip(spans, starts, strict=True)))

    def _read_picked(self, spans: list[slice]) -> NDArray[Any]:
        assert self.picked is not None
        axis, positions = self.picked
        chosen = positions[spans[axis]]
        if not chosen:
            return np.empty([s.stop - s.start for s in spans], self.dtype)
        parts = [self._read_spans([*spans[:axis], slice(i, i + 1), *spans[axis + 1 :]]) for i in chosen]
        return np.concatenate(parts, axis)

    def with_axes(self, axes: str | Sequence[str]) -> Image:
        """Return this image with other axes.

        Raises:
            AxesError: They are of the wrong number, or `parse_axes` refuses them.

        """
        parsed = parse_axes(axes)
        if len(parsed) != len(self.shape):
            written = axes if isinstance(axes, str) else ",".join(axes)
            raise AxesError(f"{self.name} has {len(self.shape)} axes (shape {self.shape}), got axes {written!r}; name one per axis.")
        kept = {axis: size for axis, size in self.pixel_size.items() if axis in parsed}
        positions = {axis: at for axis, at in self.position.items() if axis in parsed}
        return attrs.evolve(self, axes=parsed, pixel_size=FrozenMapping(kept), position=FrozenMapping(positions))

    def crop(self, region: tuple[slice, ...]) -> Image:
        """Return the region as an image of its own, reading nothing.

        Raises:
            AxesError: The region has the wrong number of slices, or is empty.

        """
        if len(region) != len(self.shape):
            raise AxesError(f"{self.name} has {len(self.shape)} axes (shape {self.shape}), got a region of {len(region)} slices.")
        bounds = [s.indices(size) for s, size in zip(region, self.shape, strict=True)]
        if any(end <= begin or step != 1 for begin, end, step in bounds):
            raise AxesError(f"The region {region} of {self.name} (shape {self.shape}) is empty or has a step.")
        shape = tuple(end - begin for begin, end, _ in bounds)
        begins = [begin for begin, _, _ in bounds]
        picked = self.picked
        names = self.channel_names
        if picked is not None:
            axis = picked[0]
            picked = axis, picked[1][begins[axis] : bounds[axis][1]]
            begins[axis] = 0
        if names is not None and self.axes is not None and "channel" in self.axes:
            names = names[slice(*bounds[self.axes.index("channel")])]
        starts = tuple(s + b for s, b in zip(self.start or (0,) * len(shape), begins, strict=True))
        whole = self.source_shape or self.shape
        return attrs.evolve(self, shape=shape, start=starts, source_shape=whole, picked=picked, channel_names=names)

    def select(self, axis: AxisId, index: int | str | Sequence[int | str]) -> Image:
        """Return the image at one position, or at several, along an axis, which is kept (with size 1 for one position).

        Args:
            axis: One of `axes`.
            index: Position, negative from the end, or the name of a channel; or a sequence of these.

        Raises:
            AxesError: The image has no such axis, or not that many positions.
            ChannelError: As `AxesError`, for the channel axis, and naming the channels.

        """
        if self.axes is None or axis not in self.axes:
            raise AxesError(f"{self.name} has no axis {axis!r} to select from; its axes are {self.axes or 'unknown'}.")
        number = self.axes.index(axis)
        wanted = [index] if isinstance(index, int | str) else list(index)
        positions = tuple(self._position(axis, number, one) for one in wanted)
        if not positions:
            raise AxesError(f"Nothing is selected from axis {axis!r} of {self.name}; give at least one position.")
        if positions == tuple(range(positions[0], positions[-1] + 1)):
            whole = [slice(None)] * len(self.shape)
            whole[number] = slice(positions[0], positions[-1] + 1)
            return self.crop(tuple(whole))
        if self.picked is not None:
            if self.picked[0] != number:
                raise AxesError(f"Positions of {self.name} are picked from axis {self.axes[self.picked[0]]!r} already; pick from one axis.")
            picked = tuple(self.picked[1][i] for i in positions)
        else:
            picked = positions
        names = self.channel_names
        if names is not None and axis == "channel":
            names = tuple(names[i] for i in positions)
        shape = (*self.shape[:number], len(positions), *self.shape[number + 1 :])
        source_shape = self.source_shape or self.shape
        return attrs.evolve(self, shape=shape, source_shape=source_shape, picked=(number, picked), channel_names=names)

    def _position(self, axis: AxisId, number: int, index: int | str) -> int:
        size = self.shape[number]
        if isinstance(index, str):
            if axis == "channel" and self.channel_names is not None and index in self.channel_names:
                return self.channel_names.index(index)
        elif -size <= index < size:
            return index % size
        if axis != "channel":
            raise AxesError(f"{self.name} has {size} positions along {axis!r}, counted from 0; there is no {index!r}.")
        named = f" ({', '.join(self.channel_names)})" if self.channel_names else ""
        raise ChannelError(f"{self.name} has {size} channel{'s' * (size != 1)}{named}, counted from 0; there is no {index!r}.")
