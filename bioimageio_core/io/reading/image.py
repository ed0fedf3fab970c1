"""Images of any size, read region by region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import isfinite, prod
from typing import Any

import attrs
import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...axis_names import parse_axes
from ...channel_positions import channel_positions
from ...errors import AxesError, BioimageioError, SourceError
from ...sources.urls import server_failure
from ...text import in_brief
from ...typing import AxisId, FrozenMapping
from ...units import PixelSize, is_pixel_size, normalised_unit
from .readers import Reader, as_declared

__all__ = ["Image", "PixelSize", "check_number_of_pixels", "checked_dtype"]

MOST_PIXELS = 2**63 - 1


def checked_dtype(dtype: DTypeLike, name: str) -> np.dtype[Any]:
    """Return the dtype in native byte order.

    Raises:
        SourceError: It is not bool, integer or real floating point.

    """
    try:
        checked = np.dtype(dtype)
    except TypeError as error:
        raise SourceError(f"{name} has the dtype {dtype!r}, which numpy does not know: expected bool, integer or floating point") from error
    if checked.kind not in "buif":
        raise SourceError(f"{name} holds {checked}, not real numbers: expected bool, integer or floating point")
    return checked.newbyteorder("=")


def check_number_of_pixels(shape: Sequence[int], name: str) -> None:
    """Refuse an image with more pixels than 64 bits count.

    Raises:
        SourceError: There are more than `MOST_PIXELS`.

    """
    pixels = prod(shape)
    if pixels > MOST_PIXELS:
        raise SourceError(f"{name} declares {Decimal(pixels):.3g} pixels: expected at most {MOST_PIXELS:.3g}, which is what 64 bits count")


def _known_sizes(given: Mapping[AxisId, PixelSize]) -> FrozenMapping[AxisId, PixelSize]:
    return FrozenMapping({axis: (size, normalised_unit(unit)) for axis, (size, unit) in given.items() if is_pixel_size(size)})


def _known_positions(given: Mapping[AxisId, float]) -> FrozenMapping[AxisId, float]:
    return FrozenMapping({axis: at for axis, at in given.items() if isfinite(at)})


@attrs.frozen(kw_only=True)
class Image:
    """An array that is read lazily, with what is known about it.

    It can be pickled where its source can: a copy opens paths itself, arrays in memory are part of it.
    """

    name: str
    """Used in messages and for names of outputs."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    """Bool, integer or floating point, in native byte order."""

    axes: tuple[AxisId, ...] | None = None
    """None where the source does not name its axes."""

    location: str | None = None
    """Path or URL that pixels are read from; None for arrays in memory."""

    part: str = ""
    """What of `location` the image is, where that is a file of several images: the number of its scene, or its path."""

    arrays: tuple[str, ...] = ()
    """Paths or URLs of the zarr arrays that hold the image, at all resolutions; empty for images that are not of this kind."""

    channel_names: tuple[str, ...] | None = None
    chunks: tuple[int, ...] | None = None
    """Shape of the unit of storage in pixels, where there is one: regions of complete chunks are read fastest."""

    pixel_size: FrozenMapping[AxisId, PixelSize] = attrs.field(default=FrozenMapping(), converter=_known_sizes)
    """Size of a pixel and the name of its unit along axes of space and time, where known; sizes that are not finite and above 0
    count as not known."""

    position: FrozenMapping[AxisId, float] = attrs.field(default=FrozenMapping(), converter=_known_positions)
    """Position of the centre of the source's first pixel, in the units of `pixel_size`, where known."""

    reader: Reader = attrs.field(repr=False)
    start: tuple[int, ...] = attrs.field(default=(), repr=False)
    """Position of this image's first pixel in what the reader reads; empty for the origin."""

    source_shape: tuple[int, ...] = attrs.field(default=(), repr=False)
    """Shape of what the reader reads, if this image is a part of that; empty if it is all of it."""

    picked: tuple[int, tuple[int, ...]] | None = attrs.field(default=None, repr=False)
    """Number of an axis and the positions that are selected along it, counted from `start`."""

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Read a region and return it as a new, C-contiguous array of `dtype`.

        Args:
            index: One slice of step 1 per axis; clipped to the image, as in numpy.

        Raises:
            AxesError: There are more or fewer slices than axes.
            SourceError: The source cannot be read, as where a chunk is damaged or a server does not answer in time;
                or a region has another shape than the image declares, or values that the declared dtype cannot represent.

        """
        if len(index) != len(self.shape):
            raise AxesError(f"{self.name} has {len(self.shape)} axes (shape {self.shape}), found an index of {len(index)} slices")
        spans = []
        for axis_slice, size in zip(index, self.shape, strict=True):
            begin, end, step = axis_slice.indices(size)
            if step != 1:
                raise ValueError(f"regions are read with step 1, found {axis_slice}")
            spans.append(slice(begin, max(begin, end)))
        try:
            region = self._read_picked(spans) if self.picked else self._read_spans(spans)
        except (BioimageioError, MemoryError):
            raise
        except Exception as error:  # stores, codecs and arrays of others raise errors of many kinds
            reason = server_failure(error) or in_brief(error, named=True)
            raise SourceError(f"{self.location or self.name} cannot be read: {reason}") from error
        expected = tuple(s.stop - s.start for s in spans)
        if region.shape != expected:
            raise SourceError(
                f"{self.location or self.name} has regions of another shape than it declares: expected {expected}, found {region.shape} "
                f"(shape {self.shape}); of a dask array, give chunks= where map_blocks() changes the shape"
            )
        return np.asarray(as_declared(region, self.dtype), order="C")

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
            AxesError: Their number is wrong, or `parse_axes` refuses them.

        """
        parsed = parse_axes(axes)
        if len(parsed) != len(self.shape):
            written = axes if isinstance(axes, str) else ",".join(axes)
            raise AxesError(
                f"{self.name} has {len(self.shape)} axes (shape {self.shape}), and axes= (--axes) is {written!r}: expected one name "
                "per axis; of several images, predict those with other axes in a run of their own"
            )
        kept = {axis: size for axis, size in self.pixel_size.items() if axis in parsed}
        positions = {axis: at for axis, at in self.position.items() if axis in parsed}
        return attrs.evolve(self, axes=parsed, pixel_size=FrozenMapping(kept), position=FrozenMapping(positions))

    def crop(self, region: tuple[slice, ...]) -> Image:
        """Return a region as an image of its own; reads nothing.

        Raises:
            AxesError: The region has the wrong number of slices, or is empty.

        """
        if len(region) != len(self.shape):
            raise AxesError(f"{self.name} has {len(self.shape)} axes (shape {self.shape}), found a region of {len(region)} slices")
        bounds = [s.indices(size) for s, size in zip(region, self.shape, strict=True)]
        if any(end <= begin or step != 1 for begin, end, step in bounds):
            raise AxesError(
                f"the region {region} of {self.name} (shape {self.shape}) is empty or has a step: expected slices of step 1 within it"
            )
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
        """Return the image at one or several positions along an axis; the axis stays, with size 1 for one position.

        Args:
            axis: One of `axes`.
            index: A position (negative ones count from the end), the name of a channel (see `channel_positions`), or a sequence of these.

        Raises:
            AxesError: The image has no such axis, or not that many positions.
            ChannelError: The same for the channel axis; the message names the channels.

        """
        if self.axes is None or axis not in self.axes:
            raise AxesError(f"{self.name} has no axis {axis!r} to select from: its axes are {', '.join(self.axes or ('unknown',))}")
        number = self.axes.index(axis)
        if axis == "channel":
            positions = channel_positions(index, names=self.channel_names, count=self.shape[number], image=self.name)
        else:
            wanted = [index] if isinstance(index, int | np.integer | str) else index
            positions = tuple(self._position(axis, number, one) for one in wanted)
        if not positions:
            raise AxesError(f"nothing is selected from axis {axis!r} of {self.name}: expected at least one position")
        if positions == tuple(range(positions[0], positions[-1] + 1)):
            whole = [slice(None)] * len(self.shape)
            whole[number] = slice(positions[0], positions[-1] + 1)
            return self.crop(tuple(whole))
        if self.picked is not None:
            if self.picked[0] != number:
                raise AxesError(
                    f"positions of {self.name} are selected from axis {self.axes[self.picked[0]]!r} already: select from one axis"
                )
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
        if isinstance(index, int | np.integer) and -size <= index < size:
            return int(index) % size
        raise AxesError(f"{self.name} has {size} positions along {axis!r}, counted from 0: found {index!r}")
