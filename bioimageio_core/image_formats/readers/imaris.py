"""Reads files of Imaris 5.5 and later, which are HDF5."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ...errors import SourceError
from ...io import Image, Scene, SceneChoice, check_single, lazy_image
from ...io.reading.image import PixelSize
from ...typing import AxisId
from ...units import normalised_unit
from .hdf5_files import DatasetArray, attribute, dataset_at, is_hdf5, opened_hdf5

if TYPE_CHECKING:
    import h5py

__all__ = ["ImarisReader"]

AXES: tuple[AxisId, ...] = ("x", "y", "z")
"""Axes in the order in which Imaris numbers extents."""


@attrs.frozen
class ImarisReader:
    """Reads files of Imaris: one image, with time and channels where there are several, at several levels."""

    def sniff(self, location: str) -> bool:
        """Return whether a file begins like HDF5."""
        return is_hdf5(location)

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the only image."""
        return (Scene(number=0),)

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open the image; chunks of a region are read, and nothing else.

        Raises:
            SourceError: There is no such level, the file is none of Imaris, or a part is missing.

        """
        check_single(scene, None, location)
        with opened_hdf5(location) as file:
            levels = _count(file, "DataSet", "ResolutionLevel")
            number = level or 0
            if not levels:
                raise SourceError(f"{location} holds no image of Imaris: expected the group DataSet with a ResolutionLevel 0")
            if not 0 <= number < levels:
                raise SourceError(f"{location} has {levels} levels, counted from 0: found level {number}")
            base = f"DataSet/ResolutionLevel {number}"
            times = _count(file, base, "TimePoint")
            channels = _count(file, f"{base}/TimePoint 0", "Channel") if times else 0
            if not channels:
                raise SourceError(f"{location} holds no pixels: expected TimePoint 0 with a Channel 0 in {base}")
            first = dataset_at(file, f"{base}/TimePoint 0/Channel 0/Data", location)
            shape = _shape(file[f"{base}/TimePoint 0/Channel 0"], first.shape, location)
            sizes, position = _extents(file, dict(zip("zyx", shape, strict=True)))
            names = [attribute(file.get(f"DataSetInfo/Channel {n}"), "Name") for n in range(channels)]
            chunks = first.chunks
        lead = {axis: size for axis, size in (("time", times), ("channel", channels)) if size > 1}
        return lazy_image(
            DatasetArray,
            location,
            tuple(f"{base}/TimePoint {time}/Channel {channel}/Data" for time in range(times) for channel in range(channels)),
            tuple(lead.values()),
            shape,
            axes=(*lead, "z", "y", "x"),
            channel_names=[str(name) for name in names] if all(names) else None,
            pixel_size=sizes,
            position=position,
            chunks=None if chunks is None else (*(1 for _ in lead), *chunks),
        )


def _count(file: h5py.File, path: str, name: str) -> int:
    """Return the number of members of a group that are counted from 0."""
    group: Any = file.get(path)
    number = 0
    while group is not None and f"{name} {number}" in group:
        number += 1
    return number


def _shape(channel: h5py.Group, stored: tuple[int, ...], location: str) -> tuple[int, ...]:
    """Return the sizes along z, y and x; datasets are larger where chunks fill them up."""
    written = [attribute(channel, f"ImageSize{axis}") for axis in "ZYX"]
    shape = tuple(size if one is None else int(one) for one, size in zip(written, stored, strict=True))
    if any(not 0 < size <= most for size, most in zip(shape, stored, strict=True)):
        raise SourceError(f"{location} declares an image of {shape} pixels (z, y, x), but stores {stored}")
    return shape


def _extents(file: h5py.File, shape: dict[str, int]) -> tuple[dict[AxisId, PixelSize], dict[AxisId, float]]:
    """Return sizes of pixels, and the position of the centre of the first, along the axes whose extents can be read."""
    info = file.get("DataSetInfo/Image")
    unit = normalised_unit(str(attribute(info, "Unit") or "um")) or "micrometer"
    sizes: dict[AxisId, PixelSize] = {}
    position: dict[AxisId, float] = {}
    for number, axis in enumerate(AXES):
        try:
            low, high = (float(attribute(info, f"Ext{end}{number}")) for end in ("Min", "Max"))
        except (TypeError, ValueError):
            continue
        size = (high - low) / shape[axis]
        if size > 0:
            sizes[axis], position[axis] = (size, unit), low + size / 2
    return sizes, position
