"""Images from TIFF, OME-TIFF and ImageJ TIFF files."""

from __future__ import annotations

import importlib.util

from ...errors import MissingRequirementError
from ...typing import FrozenMapping
from ..lazy import Lazy
from ..locations import opening_errors, stem
from .image import Image, checked_dtype
from .readers import HandleReader
from .scenes import SceneChoice
from .tiff_metadata import AXES, series_axes, tiff_metadata, tiff_position
from .tiff_pages import open_tiff_array

__all__ = ["open_tiff"]


def open_tiff(location: str, level: int | None, wanted: SceneChoice) -> Image:
    """Open a scene of a TIFF file.

    Contiguous uncompressed files on a local disk are memory mapped; from others only the strips or TIFF tiles of a region are read.

    Args:
        location: Path or URL.
        level: Level of the pyramid, 0 (the finest) where None.
        wanted: Number or name of the scene; None for the only one that is no side image of a slide.

    Raises:
        MissingRequirementError: tifffile is not installed.
        SourceError: The file does not exist, is not a TIFF file or holds several images, or its server does not answer.

    """
    if importlib.util.find_spec("tifffile") is None:
        raise MissingRequirementError(f"{location} needs tifffile to be read: pip install 'bioimageio-runtime[images]'")
    handle = Lazy(open_tiff_array, location, level, wanted)
    with opening_errors(location, "TIFF"):
        array = handle()
        series = array.series
        axes = series_axes(series.axes, len(series.shape))
        chunks = array.chunks
    shape = tuple(int(n) for n in series.shape)
    sizes, names = tiff_metadata(array.tiff, array.number)
    # A level of the pyramid has larger pixels than the finest level, which the metadata describe.
    shrunk = {AXES.get(a): full / max(1, n) for a, full, n in zip(series.axes, array.tiff.series[array.number].shape, shape, strict=False)}
    # The centre of the first pixel of a level lies behind that of the finest level, which they share an edge with.
    position = tiff_position(array.tiff, array.number, sizes)
    position = {a: at + (shrunk.get(a, 1.0) - 1) / 2 * sizes[a][0] for a, at in position.items() if axes is None or a in axes}
    sizes = {a: (size * shrunk.get(a, 1.0), unit) for a, (size, unit) in sizes.items() if axes is None or a in axes}
    if names is not None and (axes is None or "channel" not in axes or shape[axes.index("channel")] != len(names)):
        names = None
    name = stem(location)
    part = str(array.number) if len(array.tiff.series) > 1 else ""
    name += f" (scene {part})" if part else ""
    return Image(
        name=name,
        shape=shape,
        dtype=checked_dtype(series.dtype, name),
        axes=axes,
        part=part,
        channel_names=names,
        chunks=chunks,
        pixel_size=FrozenMapping(sizes),
        position=FrozenMapping(position),
        reader=HandleReader(handle=handle),
    )
