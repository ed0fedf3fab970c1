"""An array with named axes as an OME-Zarr image, with all that is known of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...axis_names import SPACE
from ...errors import InputError
from ...io.writing.codecs import DEFAULT
from ...io.writing.ome_output import OmeImage, ome_axes
from ...io.writing.pyramid import plan_levels
from ...labelled_arrays import LabelledArray
from ...typing import AxisId, FrozenMapping
from ..output.tensor_array import in_order

__all__ = ["chunk_of", "pixels_of", "saved_image"]

PLANE = 512
"""Pixels of a chunk along y and x; along z they are fewer by `DEEP`, and 1 along other axes."""

DEEP = 16


def chunk_of(axis: AxisId, size: int) -> int:
    """Return the pixels of a chunk along an axis."""
    return max(1, min(size, PLANE // DEEP if axis == "z" else PLANE if axis in SPACE else 1))


def saved_image(array: LabelledArray, path: str = "") -> OmeImage | None:
    """Return an array as an image; None if OME-Zarr cannot hold its axes.

    Args:
        array: The array.
        path: Path of the image within the output.

    """
    try:
        order = ome_axes(array.axes, array.shape, name=array.name)
    except InputError:
        return None
    axes, shape = tuple(array.axes[n] for n in order), [array.shape[n] for n in order]
    chunks = [chunk_of(axis, size) for axis, size in zip(axes, shape, strict=True)]
    sizes = [array.pixel_size.get(axis, (1.0, None)) for axis in axes]
    return OmeImage(
        path=path,
        name=array.name,
        version="0.5",
        order=order,
        axes=axes,
        dtype=array.dtype.newbyteorder("=").name,
        nearest=array.labels or array.dtype.kind == "b",
        levels=plan_levels(
            shape,
            chunks,
            [chunk if chunk < size else None for chunk, size in zip(chunks, shape, strict=True)],
            [axis in SPACE for axis in axes],
            [size for size, _ in sizes],
        ),
        shards=None,
        codec=DEFAULT,
        pixel_size=tuple(size for size, _ in sizes),
        units=tuple(unit for _, unit in sizes),
        position=tuple(array.position.get(axis, 0.0) for axis in axes),
        channel_names=array.channel_names if "channel" in axes else None,
        attributes=FrozenMapping(),
        labels=array.labels,
    )


def pixels_of(array: LabelledArray, axes: Sequence[AxisId], index: Sequence[slice]) -> NDArray[Any]:
    """Return a region of an array, along the axes of its image; those that it lacks have size 1."""
    wanted = dict(zip(axes, index, strict=True))
    pixels = np.asarray(array.data[tuple(wanted.get(axis, slice(0, 1)) for axis in array.axes)])
    return np.ascontiguousarray(in_order(pixels, array.axes, axes, index).astype(array.dtype.newbyteorder("="), copy=False))
