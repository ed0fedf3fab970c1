"""Sizes, places and intensities of the objects of one box; parts of an object are measured where they lie, and added up later."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import DTypeLike, NDArray

from .runs import Runs, runs_of

__all__ = ["BoxMeasurements", "Intensities", "lowest_and_highest", "measure_objects", "sum_dtype"]


@attrs.frozen(kw_only=True, eq=False)
class Intensities:
    """Pixels of an image in the parts of objects, by channel and object; each array has shape (channels, objects)."""

    sums: NDArray[Any]
    """Sums, in the dtype of `sum_dtype`; exact for integers, so that any order of boxes gives the same."""

    lowest: NDArray[Any]
    highest: NDArray[Any]
    """Least and greatest pixels, in the same dtype; NaN where all pixels are NaN."""

    counted: NDArray[np.int64]
    """Pixels that are not NaN; the others count nowhere."""


@attrs.frozen(kw_only=True, eq=False)
class BoxMeasurements:
    """Measurements of the parts of objects in one box; the last axis of each array is that of the objects."""

    ids: NDArray[Any]
    """Ids of the objects in the box, ascending."""

    pixels: NDArray[np.int64]
    """Number of pixels."""

    positions: NDArray[np.int64]
    """Shape (axes, objects): the sum of the positions of all pixels along each axis of the complete tensor."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    """Shape (axes, objects): first and last position along each axis of the complete tensor."""

    intensities: Intensities | None
    """None without an image."""


def measure_objects(labels: NDArray[Any], image: NDArray[Any] | None, start: tuple[int, ...]) -> BoxMeasurements:
    """Measure the parts of objects in one box.

    Args:
        labels: Final ids of the pixels of a box, 0 where there is no object.
        image: The same pixels of an image, of any real dtype, with channels first: shape (channels, ...); or None.
        start: Position of the first pixel of the box in the complete tensor.

    Raises:
        ValueError: The image has another shape than the labels.

    """
    if image is not None and image.shape[1:] != labels.shape:
        raise ValueError(f"expected an image of shape (channels, {', '.join(map(str, labels.shape))}), found {image.shape}")
    runs = runs_of(labels)
    ids, numbers = np.unique(runs.values, return_inverse=True)
    numbers = numbers.reshape(-1)
    objects = slice(int(ids.size > 0 and ids[0] == 0), None)  # all but the background
    pixels = runs.pixels_of(numbers, ids.size)
    positions, first, last = (np.empty((labels.ndim, ids.size), np.int64) for _ in range(3))
    for axis, offset in enumerate(start):
        low, high = runs.along(axis)
        positions[axis] = pixels * offset
        np.add.at(positions[axis], numbers, (low + high) * runs.lengths // 2)
        first[axis], last[axis] = runs.bounds_of(numbers, ids.size, axis)
        first[axis] += offset
        last[axis] += offset
    return BoxMeasurements(
        ids=ids[objects],
        pixels=pixels[objects],
        positions=positions[:, objects],
        first=first[:, objects],
        last=last[:, objects],
        intensities=None if image is None else _intensities(image, runs, numbers, ids.size, objects),
    )


def sum_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype in which pixels are added up: int64 or uint64 for integers of up to 32 bits and booleans, else float64.

    Sums of 64-bit integers could exceed these.
    """
    kind, size = np.dtype(dtype).kind, np.dtype(dtype).itemsize
    return np.dtype({"u": np.uint64, "b": np.uint64, "i": np.int64}.get(kind, np.float64) if size < 8 else np.float64)


def lowest_and_highest(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return arrays of which `numpy.fmin` and `numpy.fmax` take any pixel instead: NaN, or the limits of integers."""
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    low, high = (np.nan, np.nan) if limits is None else (limits.max, limits.min)
    return np.full(shape, low, dtype), np.full(shape, high, dtype)


def _intensities(image: NDArray[Any], runs: Runs, numbers: NDArray[np.intp], count: int, objects: slice) -> Intensities:
    """Return the intensities of all objects: first of each run, which numpy reduces fast, then of the runs of each object."""
    dtype = sum_dtype(image.dtype)
    shape = (image.shape[0], count)
    sums, counted = np.zeros(shape, dtype), np.zeros(shape, np.int64)
    lowest, highest = lowest_and_highest(shape, dtype)
    with np.errstate(invalid="ignore", over="ignore"):  # of infinities
        for channel, pixels in enumerate(image.reshape(image.shape[0], -1) if runs.starts.size else ()):
            values, present = pixels, runs.lengths
            if image.dtype.kind == "f" and (nan := np.isnan(pixels)).any():
                values = np.where(nan, 0, pixels)
                present = np.add.reduceat(~nan, runs.starts, dtype=np.int64)
            np.add.at(sums[channel], numbers, np.add.reduceat(values, runs.starts, dtype=dtype))
            np.add.at(counted[channel], numbers, present)
            np.fmin.at(lowest[channel], numbers, np.fmin.reduceat(pixels, runs.starts).astype(dtype))
            np.fmax.at(highest[channel], numbers, np.fmax.reduceat(pixels, runs.starts).astype(dtype))
    return Intensities(sums=sums[:, objects], lowest=lowest[:, objects], highest=highest[:, objects], counted=counted[:, objects])
