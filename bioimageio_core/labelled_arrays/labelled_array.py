"""An array with named axes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from ..channel_positions import channel_positions
from ..errors import AxesError
from ..shown import Shown, form_of
from ..typing import AxisId, FrozenMapping
from ..units import PixelSize
from .axis_metadata import AxisMetadata, axis_numbers
from .axis_positions import axis_positions
from .lazy_data import computing, is_in_memory
from .numpy_protocol import NumpyProtocol, chosen, clipped
from .quantiles import QUANTILE, quantiles
from .reduction_methods import Axes, ReductionMethods
from .saving import save_array
from .stored_part import StoredPart, chosen_positions, is_basic

if TYPE_CHECKING:
    import dask.array as da
    import xarray as xr

__all__ = ["LabelledArray"]

NAMED = 4
"""Up to this many names of channels stand in a line."""


def _axes(given: Iterable[AxisId]) -> tuple[AxisId, ...]:
    return tuple(given)


def _frozen(given: Mapping[AxisId, Any]) -> FrozenMapping[AxisId, Any]:
    return FrozenMapping(given)


@attrs.frozen(eq=False, repr=False)
class LabelledArray(ReductionMethods, NumpyProtocol, Shown):
    """An array with named axes, which computes like numpy and keeps the names.

    Arithmetic and comparisons match axes by name; numbers and arrays without names broadcast as in numpy.
    Where the pixels are in storage, parts and results are lazy: `compute`, `numpy.asarray` and ``float`` read and calculate.
    """

    data: Any
    """A `numpy.ndarray`; if an output was given, a `zarr.Array` with these axes, or an array over one with other axes, a part of it,
    or a file; a dask array where something was calculated with these."""

    axes: tuple[AxisId, ...] = attrs.field(converter=_axes)
    channel_names: tuple[str, ...] | None = attrs.field(default=None, kw_only=True)
    pixel_size: Mapping[AxisId, PixelSize] = attrs.field(default=FrozenMapping(), converter=_frozen, kw_only=True)
    """Size of a pixel and the name of its unit along axes of space and time, where known."""

    position: Mapping[AxisId, float] = attrs.field(default=FrozenMapping(), converter=_frozen, kw_only=True)
    """Position of the centre of the first pixel, in the units of `pixel_size`, where known."""

    labels: bool = attrs.field(default=False, kw_only=True)
    """Whether the values are numbers of objects, 0 where there is none."""

    name: str = attrs.field(default="", kw_only=True)
    """Id of the output."""

    def __attrs_post_init__(self) -> None:
        if len(self.axes) != len(self.data.shape):
            raise AxesError(f"an array of shape {tuple(self.data.shape)} has {len(self.data.shape)} axes: found the names {self.axes}")
        if len(set(self.axes)) < len(self.axes):
            raise AxesError(f"axes of one array have different names: found {', '.join(map(repr, self.axes))}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis."""
        return tuple(self.data.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the array."""
        dtype: np.dtype[Any] = np.dtype(self.data.dtype)
        return dtype

    @property
    def dims(self) -> tuple[AxisId, ...]:
        """Names of the axes, as xarray calls them."""
        return self.axes

    @property
    def values(self) -> NDArray[Any]:
        """The pixels as numpy; those in storage are read, and what is lazy is computed."""
        return np.asarray(self)

    @property
    def T(self) -> LabelledArray:  # noqa: N802  (numpy's name)
        """The array with its axes reversed."""
        return self.transpose()

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the array takes, or would take, in memory."""
        return self.size * self.dtype.itemsize

    @property
    def sizes(self) -> dict[AxisId, int]:
        """Size by axis."""
        return dict(zip(self.axes, self.shape, strict=True))

    @property
    def in_memory(self) -> bool:
        """Whether all pixels are in memory."""
        return is_in_memory(self.data)

    @property
    def axis_metadata(self) -> AxisMetadata:
        """What is known of the axes."""
        return AxisMetadata(axes=self.axes, channel_names=self.channel_names, pixel_size=self.pixel_size, position=self.position)

    def compute(self) -> LabelledArray:
        """Return the array in memory."""
        return self if self.in_memory else attrs.evolve(self, data=np.asarray(self))

    def to_dask(self) -> da.Array:
        """Return the pixels as a dask array, in blocks of complete chunks where they are in storage."""
        import dask.array as da

        return da.from_array(self.data) if self.in_memory else computing(self.data)

    def to_xarray(self) -> xr.DataArray:
        """Return a `xarray.DataArray` with names of channels and coordinates, whose attribute ``units`` names the unit.

        Pixels in storage stay there: the array is a lazy one.

        Raises:
            MissingRequirementError: xarray is not installed.

        """
        from .to_xarray import data_array

        return data_array(self.name, computing(self.data), self.axis_metadata, labels=self.labels)

    def save(self, path: str | os.PathLike[str], *, output_format: str | None = None, overwrite: bool = False) -> None:
        """Save the array with axes, pixel sizes and names of channels, as far as the format holds them; lazy arrays are computed in parts.

        Args:
            path: Zarr folder or file, as its ending says: ``result.zarr``, ``result.ome.tif``, ``result.npy``, ...
            output_format: Name of the image writer, where several write files with this ending, such as ``imagej`` for ``.tif``.
            overwrite: Whether to replace what exists.

        Raises:
            OutputError: It exists and is not replaced, no format has this ending, or the format cannot hold the array.
            MissingRequirementError: A package that the writer needs is not installed.

        """
        save_array(self, path, output_format=output_format, overwrite=overwrite)

    def picture(self, **positions: int) -> Any:
        """Draw a plane as a PNG picture, which notebooks show: bytes with a method ``save``.

        Args:
            positions: Position along axes other than y and x, by axis; the middle along z and the first elsewhere by default.

        Raises:
            InputError: The array lacks the axes y and x.
            AxesError: There is no such axis or position.

        """
        return form_of(self.isel(**positions), "picture")

    def isel(self, **positions: Any) -> LabelledArray:
        """Return the part at some positions, by axis: ``isel(z=5)`` drops the axis; a slice, a list or a mask of booleans keeps it.

        Raises:
            AxesError: There is no such axis, or one is given twice.
            InputError: Positions are neither integers, a slice nor a boolean for each position.
            IndexError: There is no such position.

        """
        index: list[Any] = [slice(None)] * self.ndim
        listed: dict[AxisId, list[int]] = {}
        for number, one in zip(axis_numbers(list(positions), self.axes), positions.values(), strict=True):
            chosen = axis_positions(self.axes[number], self.shape[number], one)
            if isinstance(chosen, list):
                listed[self.axes[number]] = chosen
            else:
                index[number] = chosen
        found: LabelledArray = self._part(tuple(index))
        for axis, several in listed.items():
            found = found._taken(axis, several)
        return found

    def sel(self, *, channel: int | str | Sequence[int | str]) -> LabelledArray:
        """Return channels by name or number: one without the axis, or several in the order of a list.

        Raises:
            ChannelError: There is no such channel; the message lists those that are there.
            AxesError: The array has no axis of channels.

        """
        if "channel" not in self.axes:
            raise AxesError(f"no axis 'channel' to select {channel!r} from: the axes are {', '.join(self.axes)}; isel() selects positions")
        count = self.sizes["channel"]
        found = channel_positions(channel, names=self.channel_names, count=count, image=self.name or "the array")
        return self.isel(channel=found[0] if isinstance(channel, str | int | np.integer) and len(found) == 1 else list(found))

    def transpose(self, *axes: Any) -> LabelledArray:
        """Return the array with its axes in another order, or reversed, as that of numpy."""
        given = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], list | tuple)) else axes
        order = axis_numbers(list(given), self.axes) if given else tuple(reversed(range(self.ndim)))
        if len(order) < self.ndim:
            raise AxesError(f"the axes {given!r} are no order of {', '.join(self.axes)}: expected each of them once")
        return self._with(computing(self.data).transpose(order), self.axis_metadata.only(self.axes[n] for n in order))

    def squeeze(self, axis: Axes = None) -> LabelledArray:
        """Return the array without axes of size 1: all of these, or the given ones."""
        dropped = axis_numbers(axis, self.axes) if axis is not None else [n for n, size in enumerate(self.shape) if size == 1]
        wrong = [self.axes[n] for n in dropped if self.shape[n] != 1]
        if wrong:
            raise AxesError(f"axis {wrong[0]!r} has {self.sizes[wrong[0]]} pixels: expected 1; isel({wrong[0]}=0) selects the first")
        found: LabelledArray = self._part(tuple(0 if n in dropped else slice(None) for n in range(self.ndim)), scalar=False)
        return found

    def astype(self, dtype: DTypeLike) -> LabelledArray:
        """Return the array in another dtype."""
        return self._with(computing(self.data).astype(dtype), self.axis_metadata)

    def copy(self) -> LabelledArray:
        """Return a copy, with pixels of its own if they are in memory; nothing in storage is read, as it is not changed."""
        return attrs.evolve(self, data=self.data.copy()) if self.in_memory else attrs.evolve(self)

    def clip(self, min: Any = None, max: Any = None) -> LabelledArray:  # noqa: A002  (numpy's names)
        """Return the array with values below ``min`` and above ``max`` replaced by these; None is no limit."""
        found: LabelledArray = clipped(self, min, max)
        return found

    def where(self, condition: Any, other: Any = np.nan) -> LabelledArray:
        """Return the array where a condition is true, and another value or array elsewhere; NaN makes integers float64."""
        found: LabelledArray = chosen(condition, self, other)
        return attrs.evolve(found, name=self.name)

    def quantile(self, q: ArrayLike, *axes: AxisId | int) -> Any:
        """Return a quantile along axes, or all, in float64 by numpy's linear method; several ones along a first axis ``quantile``.

        Where the array is lazy, all pixels along the axes are in memory together: over all axes, the complete array.

        Raises:
            InputError: ``q`` is not from 0 to 1.
            AxesError: There is no such axis.

        """
        numbers = axis_numbers(list(axes) or None, self.axes)
        found = quantiles(computing(self.data), q, numbers)
        left = self.axis_metadata.only(axis for number, axis in enumerate(self.axes) if number not in numbers)
        labels = attrs.evolve(left, axes=(*[QUANTILE] * (found.ndim - len(left.axes)), *left.axes))
        return found if is_in_memory(found) and not labels.axes else self._with(found, labels)

    def item(self) -> Any:
        """Return the value of an array with a single pixel, as a number of Python."""
        return np.asarray(self).item()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if self.in_memory:
            array: NDArray[Any] = np.asarray(self.data)
        elif copy is False:
            raise ValueError("pixels in storage become an array only by a copy: expected copy=None or copy=True")
        else:
            array = np.asarray(self.data[...])
        found = array if dtype is None else array.astype(dtype, copy=False)
        return found.copy() if copy and np.may_share_memory(found, array) and self.in_memory else found

    def __getitem__(self, index: Any) -> Any:
        """Return a part: axes of slices are kept, those of whole numbers dropped; a number where nothing is left.

        With arrays, masks and new axes in the index, it is the part that the data return, without names.
        """
        if is_basic(index):
            return self._part(index)
        plain = tuple(map(_plain, index)) if isinstance(index, tuple) else _plain(index)
        return self.data[plain]

    def __len__(self) -> int:
        if not self.axes:
            raise TypeError("len() of a single number")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[n] for n in range(len(self)))

    def __bool__(self) -> bool:
        return bool(np.asarray(self))

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __repr__(self) -> str:
        where = "in memory" if self.in_memory else "lazy" if hasattr(self.data, "dask") else "in storage"
        names = f" ({', '.join(self.channel_names)})" if self.channel_names and len(self.channel_names) <= NAMED else ""
        sizes = ", ".join(f"{axis} {size}{names if axis == 'channel' else ''}" for axis, size in self.sizes.items())
        return f"<LabelledArray {' '.join(filter(None, [self.name, str(self.dtype)]))}: {sizes or 'a number'}, {where}>"

    def _part(self, index: Any, *, scalar: bool = True) -> Any:
        chosen = chosen_positions(index, self.shape)
        labels = self.axis_metadata.selected(chosen)
        if self.in_memory or hasattr(self.data, "dask"):
            part = self.data[index]
        elif isinstance(self.data, StoredPart):
            part = attrs.evolve(self.data, chosen=self.data.narrowed(chosen))
        else:
            part = StoredPart(source=self.data, chosen=chosen, dtype=self.dtype)
        if scalar and not labels.axes and not hasattr(part, "dask"):
            return part if self.in_memory else np.asarray(part)[()]
        return self._with(part, labels, labels=self.labels)

    def _taken(self, axis: AxisId, positions: Sequence[int]) -> LabelledArray:
        """Return the array at some positions along an axis, in the given order."""
        labels = self.axis_metadata.without([axis])
        if axis == "channel" and self.channel_names is not None:
            labels = attrs.evolve(labels, channel_names=tuple(self.channel_names[n] for n in positions))
        taken = computing(self.data)[(*[slice(None)] * self.axes.index(axis), np.array(positions, np.intp))]
        return self._with(taken, labels, labels=self.labels)

    def _with(self, data: Any, known: AxisMetadata, *, labels: bool = False, name: str | None = None) -> LabelledArray:
        return LabelledArray(
            np.asarray(data) if is_in_memory(data) else data,
            known.axes,
            channel_names=known.channel_names,
            pixel_size=known.pixel_size,
            position=known.position,
            labels=labels,
            name=self.name if name is None else name,
        )


def _plain(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, LabelledArray) else value
