"""Files and folders that hold several images, taken apart into their images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ...typing import FrozenMapping
from ..file_kinds import stem
from ..locations import join
from .image_opening import opener_of
from .series import ImagePart
from .tiff import open_tiff
from .tiff_pages import series_in
from .zarr_archive import open_archive, root_of_archive
from .zarr_groups import fields_of_plate, series_of_group
from .zarr_image import open_zarr

__all__ = ["expand_parts"]


def expand_parts(sources: Iterable[Any]) -> tuple[Any, ...]:
    """Replace files and folders that hold several images by these: fields of plates and wells, series of
    bioformats2raw and of TIFF files.

    Side images of slides, such as thumbnails, are left out. A source that is no path, holds one image or cannot be opened stays as it is.
    An image that is listed and cannot be found or read is among the parts, and fails when it is opened.
    """
    return tuple(one for source in sources for one in _parts(source) or (source,))


def _parts(source: Any) -> tuple[ImagePart, ...]:
    if isinstance(source, ImagePart) or not isinstance(source, str | os.PathLike):
        return ()
    location = os.fsdecode(source)
    try:
        opener = opener_of(location)
        if opener is open_tiff:
            return _of_tiff(location)
        if opener is open_archive:
            return _of_zarr(location, root_of_archive(location))
        return _of_zarr(location, location.rstrip("/")) if opener is open_zarr else ()
    except Exception:  # it fails with a message when it is opened to be read
        return ()


def _of_tiff(location: str) -> tuple[ImagePart, ...]:
    series = [one for one in series_in(location) if not one.is_side_image]
    if len(series) < 2:
        return ()
    return tuple(
        ImagePart(location=location, series=one.number, within=location, fields=FrozenMapping({"series": str(one.number)}))
        for one in series
    )


def _of_zarr(location: str, group: str) -> tuple[ImagePart, ...]:
    series = series_of_group(group)
    if len(series) > 1:
        return tuple(ImagePart(location=join(group, path), within=location, fields=FrozenMapping({"series": path})) for path in series)
    plate = stem(location)
    return tuple(
        ImagePart(
            location=join(group, one.path),
            within=location,
            fields=FrozenMapping({"plate": plate, "row": one.row, "column": one.column, "field": one.field}),
            error=one.error,
        )
        for one in fields_of_plate(group)
    )
