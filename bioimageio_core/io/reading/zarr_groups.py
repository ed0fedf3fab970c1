"""The images that a zarr group holds, by its layout or by what lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from ...errors import SourceError
from ...places import absolute_path, local_path
from ..locations import file_system, join, zarr_store
from .zarr_layouts import PlateField, is_bioformats2raw, labels_of_group, ome_attributes, paths_of_well, wells_of_plate

if TYPE_CHECKING:
    import zarr

__all__ = [
    "attributes_of_group",
    "fields_of_plate",
    "fields_of_well",
    "group_name",
    "images_of_group",
    "is_zarr_node",
    "plate_of",
    "series_of_group",
]

_NODE_FILES = ("zarr.json", ".zarray", ".zgroup")


def is_zarr_node(files: Any, path: str) -> bool:
    """Return whether a folder of an fsspec file system is a zarr array or group."""
    return any(files.exists(join(path, name)) for name in _NODE_FILES)


def attributes_of_group(location: str) -> Mapping[str, Any]:
    """Return the attributes of a zarr group that OME-Zarr defines; none where there is no group."""
    import zarr

    try:
        group = zarr.open_group(store=zarr_store(location, read_only=True), mode="r")
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return ome_attributes(dict(group.attrs))


def images_of_group(group: zarr.Group, location: str) -> tuple[str, ...]:
    """Return the paths within a group, other than a plate or a single image, of the images that it holds.

    Raises:
        SourceError: Its store cannot list what is in it, and its attributes do not say.

    """
    labels = labels_of_group(ome_attributes(dict(group.attrs))) if group_name(location) == "labels" else ()
    return series_of_group(location) or labels or _children(location)


def group_name(location: str) -> str:
    """Return the last name of the path of a group, within an archive if it lies in one."""
    return location.partition("::")[0].rstrip("/").rpartition("/")[2]


def fields_of_plate(location: str) -> tuple[PlateField, ...]:
    """Return the fields of all wells of a plate, each of which is opened; none where the group is no plate."""
    fields = []
    for well in wells_of_plate(attributes_of_group(location)):
        row, _, column = well.partition("/")
        paths = paths_of_well(attributes_of_group(join(location, well)))
        fields += [PlateField(row=row, column=column, field=path, path=f"{well}/{path}") for path in paths]
    return tuple(fields)


def fields_of_well(location: str) -> tuple[PlateField, ...]:
    """Return the fields of a well, by paths from its plate; none where the group is not a well that lies in its plate."""
    plate, row, column = _last_names(location)
    if not plate or f"{row}/{column}" not in wells_of_plate(attributes_of_group(plate)):
        return ()
    paths = paths_of_well(attributes_of_group(location))
    return tuple(PlateField(row=row, column=column, field=path, path=f"{row}/{column}/{path}") for path in paths)


def plate_of(location: str) -> str:
    """Return the location of the plate of a well; empty where its path is too short."""
    return _last_names(location)[0]


def _last_names(location: str) -> tuple[str, str, str]:
    local = local_path(location)
    plate, row, column = (["", "", *(location if local is None else absolute_path(local)).rstrip("/").rsplit("/", 2)])[-3:]
    return (plate, row, column) if "::" not in location else ("", "", "")


def series_of_group(location: str) -> tuple[str, ...]:
    """Return the paths of the images that belong together in a group: fields of a well, or series of bioformats2raw;
    none where the group is another one.

    The series are those that the group ``OME`` names, else consecutive numbers.
    """
    ome = attributes_of_group(location)
    if not is_bioformats2raw(ome):
        return paths_of_well(ome)
    named = attributes_of_group(join(location, "OME")).get("series")
    if isinstance(named, list):
        return tuple(map(str, named))
    files, path = file_system(location)
    return tuple(takewhile(lambda name: is_zarr_node(files, join(path, name)), map(str, count())))


def _children(location: str) -> tuple[str, ...]:
    files, path = file_system(location)
    try:
        listed = files.ls(path, detail=False)
    except Exception as error:  # file systems raise different errors where they cannot list
        raise SourceError(f"the zarr group {location} cannot be listed: expected the path of an array in it") from error
    folders = sorted(str(entry).rstrip("/") for entry in listed)
    return tuple(folder.rpartition("/")[2] for folder in folders if is_zarr_node(files, folder))
