"""Axes, pixel sizes, names of channels and positions of datasets in HDF5 files, as different programs write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from ...axis_names import SPACE, named_axes, parse_axes
from ...errors import AxesError
from ...io.reading.image import PixelSize
from ...typing import AxisId, FrozenMapping
from ...units import normalised_unit
from .hdf5_files import attribute

if TYPE_CHECKING:
    import h5py

__all__ = ["Labels", "labels_of_dataset"]

Axes: TypeAlias = tuple[AxisId, ...] | None


@attrs.frozen(kw_only=True)
class Labels:
    """What a dataset tells about its axes."""

    axes: Axes = None
    pixel_size: FrozenMapping[AxisId, PixelSize] = FrozenMapping()
    channel_names: tuple[str, ...] | None = None
    position: FrozenMapping[AxisId, float] = FrozenMapping()


def labels_of_dataset(dataset: h5py.Dataset) -> Labels:
    """Return axes and pixel sizes of a dataset, from the first of these that it has, and what the writer of this library adds to them.

    - ``axistags``: axes of vigra, which ilastik writes, as JSON, with sizes of pixels, whose unit this library writes as description
    - labels of dimensions (``DIMENSION_LABELS``)
    - ``axes``: letters or names
    - names of dimension scales, as in NetCDF
    - ``element_size_um``, which Fiji writes: sizes of pixels in micrometers along z, y and x, and these axes where there are no others

    Names that cannot be read, or are not one per axis, count as absent.
    """
    found = _axes_and_sizes(dataset)
    return attrs.evolve(found, channel_names=_channel_names(dataset), position=FrozenMapping(_position(dataset, found)))


def _axes_and_sizes(dataset: h5py.Dataset) -> Labels:
    sizes = _element_sizes(dataset)
    for find in (_axistags, _dimension_labels, _axes_attribute, _dimension_scales):
        found = _found(find, dataset)
        if found is not None and found.axes is not None and len(found.axes) == dataset.ndim:
            known = {axis: size for axis, size in found.pixel_size.items() if size[1] is not None}  # a position is in this unit
            return attrs.evolve(found, pixel_size=FrozenMapping({**found.pixel_size, **sizes, **known}))
    axes = SPACE[-dataset.ndim :] if sizes and dataset.ndim <= len(SPACE) else None
    return Labels(axes=axes, pixel_size=FrozenMapping(sizes))


def _found(find: Callable[[h5py.Dataset], Labels], dataset: h5py.Dataset) -> Labels | None:
    try:
        return find(dataset)
    except (AxesError, AttributeError, KeyError, TypeError, ValueError, RuntimeError):  # whatever stands there in place of axes
        return None


def _axistags(dataset: h5py.Dataset) -> Labels:
    tags = json.loads(attribute(dataset, "axistags"))["axes"]
    axes = named_axes([tag["key"] for tag in tags])
    sizes = [float(tag.get("resolution") or 0) for tag in tags]
    units = [normalised_unit(str(tag.get("description") or "")) for tag in tags]
    known = {a: (size, unit) for a, size, unit in zip(axes or (), sizes, units, strict=True) if size > 0 and a != "channel"}
    return Labels(axes=axes, pixel_size=FrozenMapping(known))


def _dimension_labels(dataset: h5py.Dataset) -> Labels:
    return Labels(axes=named_axes([dimension.label for dimension in dataset.dims]))


def _axes_attribute(dataset: h5py.Dataset) -> Labels:
    written: Any = attribute(dataset, "axes")
    return Labels(axes=parse_axes(written.replace(":", ",") if isinstance(written, str) else [str(one) for one in written]))


def _dimension_scales(dataset: h5py.Dataset) -> Labels:
    return Labels(axes=named_axes([PurePosixPath(dimension[0].name).name if len(dimension) else None for dimension in dataset.dims]))


def _element_sizes(dataset: h5py.Dataset) -> dict[AxisId, PixelSize]:
    written = attribute(dataset, "element_size_um")
    if not isinstance(written, list) or len(written) != len(SPACE) or not all(isinstance(one, int | float) for one in written):
        return {}
    return {axis: (float(size), "micrometer") for axis, size in zip(SPACE, written, strict=True)}


def _channel_names(dataset: h5py.Dataset) -> tuple[str, ...] | None:
    """Return the names that this library writes, as a list in JSON; None for anything else."""
    names = _json(attribute(dataset, "channel_names"))
    return tuple(names) if isinstance(names, list) and all(isinstance(one, str) for one in names) else None


def _position(dataset: h5py.Dataset, labels: Labels) -> dict[AxisId, float]:
    """Return the position of the first pixel along axes whose pixel size is known, which this library writes as a mapping in JSON."""
    written = _json(attribute(dataset, "position"))
    if not isinstance(written, dict):
        return {}
    return {axis: float(at) for axis, at in written.items() if axis in labels.pixel_size and isinstance(at, int | float)}


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
