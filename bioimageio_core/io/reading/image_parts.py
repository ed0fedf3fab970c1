"""Files and folders that hold several images, taken apart into their images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeAlias

from ...file_kinds import stem
from ...places import absolute_path, local_path
from ...typing import FrozenMapping
from ..locations import join, zarr_store
from .image_opening import opener_of
from .series import ImagePart, Series, SeriesChoice, choose_series
from .tiff import open_tiff
from .tiff_pages import series_in
from .zarr_archive import open_archive, root_of_archive
from .zarr_groups import attributes_of_group, fields_of_plate, fields_of_well, images_of_group, plate_of, series_of_group
from .zarr_image import multiscales_in, open_zarr
from .zarr_layouts import PlateField, wells_of_plate

__all__ = ["expand_parts", "part_of"]

_Fields: TypeAlias = FrozenMapping[str, str]


def expand_parts(sources: Iterable[Any]) -> tuple[Any, ...]:
    """Replace files and folders that hold several images by these: fields of plates and wells, series of
    bioformats2raw and of TIFF files.

    Side images of slides, such as thumbnails, are left out. A source that is no path, holds one image or cannot be opened stays as it is.
    An image that is listed and cannot be found or read is among the parts, and fails when it is opened.
    """
    return tuple(one for source in sources for one in _parts(source) or (source,))


def part_of(source: Any, series: SeriesChoice) -> ImagePart | None:
    """Return what sets the image that a source stands for apart from others in the same file or folder.

    Args:
        source: Any source of `open_image`.
        series: The series that is chosen.

    Returns:
        The chosen series, or the field of a plate; None where a file or folder holds one image, no single one is chosen,
        or it cannot be opened.

    """
    if isinstance(source, ImagePart):
        return source
    if not isinstance(source, str | os.PathLike):
        return None
    location = os.fsdecode(source)
    try:
        if series is None:
            parts = _parts(location)
            return parts[0] if len(parts) == 1 else None
        found = _series_in(location)
        chosen = choose_series([one for one, _ in found], series, location)
    except Exception:  # it fails with a message when it is opened to be read
        return None
    fields = dict(found)[chosen]
    return (
        None
        if len(found) == 1 and "series" in fields
        else ImagePart(location=location, series=chosen.number, within=location, fields=fields)
    )


def _series_in(location: str) -> list[tuple[Series, _Fields]]:
    """Return the images that `open_image` chooses from, each with what sets it apart in names of outputs."""
    import zarr

    opener = opener_of(location)
    if opener is open_tiff:
        return [(one, FrozenMapping({"series": str(one.number)})) for one in series_in(location)]
    group = root_of_archive(location) if opener is open_archive else location.rstrip("/")
    ome = attributes_of_group(group)
    several = multiscales_in(ome)
    if several:
        return [(one, FrozenMapping({"series": str(one.number)})) for one in several]
    if wells_of_plate(ome):
        group = join(group, wells_of_plate(ome)[0])  # more than one cannot be chosen from
    well = fields_of_well(group)
    if well:
        return [(Series(number=n, name=one.field), _fields_of(one, plate_of(group))) for n, one in enumerate(well)]
    paths = images_of_group(zarr.open_group(store=zarr_store(group, read_only=True), mode="r"), group)
    return [(Series(number=n, name=path), FrozenMapping({"series": path})) for n, path in enumerate(paths)]


def _fields_of(one: PlateField, plate: str) -> _Fields:
    return FrozenMapping({"plate": stem(plate), "row": one.row, "column": one.column, "field": one.field})


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
    well = fields_of_well(group)
    if well:
        plate = plate_of(group)
        return tuple(ImagePart(location=join(group, one.field), within=location, fields=_fields_of(one, plate)) for one in well)
    series = series_of_group(group)
    if len(series) > 1:
        return tuple(ImagePart(location=join(group, path), within=location, fields=FrozenMapping({"series": path})) for path in series)
    of_plate = tuple(
        ImagePart(location=join(group, one.path), within=location, fields=_fields_of(one, location), error=one.error)
        for one in fields_of_plate(group)
    )
    return of_plate or _field(location)


def _field(location: str) -> tuple[ImagePart, ...]:
    """Return a field that lies in its well and plate; none where an image does not."""
    local = local_path(location)
    well, _, name = (location if local is None else absolute_path(local)).rstrip("/").rpartition("/")
    found = [one for one in fields_of_well(well) if one.field == name] if "::" not in location else []
    return tuple(ImagePart(location=location, within=location, fields=_fields_of(one, plate_of(well))) for one in found)
