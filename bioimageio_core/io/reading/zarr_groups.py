"""The images that a zarr group holds, by its layout or by what lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from ...errors import SourceError
from ...places import absolute_path, local_path
from ...sources.urls import server_failure
from ..locations import exists, file_system, join, opening_errors, zarr_store
from .zarr_coordinates import without_coordinates
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
    "scenes_of_group",
]

_NODE_FILES = ("zarr.json", ".zarray", ".zgroup")


def is_zarr_node(files: Any, path: str) -> bool:
    """Return whether a folder of an fsspec file system is a zarr array or group."""
    return any(exists(files, join(path, name)) for name in _NODE_FILES)


def attributes_of_group(location: str) -> Mapping[str, Any]:
    """Return the attributes of a zarr group that OME-Zarr defines; none where there is no group.

    Raises:
        SourceError: There is something that cannot be read, or the store cannot be reached.

    """
    import zarr

    with opening_errors(location, "a zarr group"):
        try:
            node = zarr.open(store=zarr_store(location, read_only=True), mode="r")
        except FileNotFoundError as error:
            if server_failure(error) is not None:
                raise
            return {}
    return ome_attributes(dict(node.attrs)) if isinstance(node, zarr.Group) else {}


def images_of_group(group: zarr.Group, location: str) -> tuple[str, ...]:
    """Return the paths within a group, other than a plate or a single image, of the images that it holds; coordinates are none.

    Raises:
        SourceError: Its store cannot list what is in it, and its attributes do not say.

    """
    labels = labels_of_group(ome_attributes(dict(group.attrs))) if group_name(location) == "labels" else ()
    return scenes_of_group(location) or labels or without_coordinates(group, _children(location))


def group_name(location: str) -> str:
    """Return the last name of the path of a group, within an archive if it lies in one."""
    return location.partition("::")[0].rstrip("/").rpartition("/")[2]


def fields_of_plate(location: str) -> tuple[PlateField, ...]:
    """Return the fields of all wells of a plate, each of which is opened; none where the group is no plate.

    A well that cannot be read counts as one field, with the error that says why.

    Raises:
        SourceError: The metadata of the plate cannot be read.

    """
    fields = []
    for well in wells_of_plate(attributes_of_group(location)):
        row, _, column = well.partition("/")
        try:
            paths = _fields_of_well(location, well)
        except SourceError as error:
            fields.append(PlateField(row=row, column=column, field="unknown", path=well, error=error))
            continue
        fields += [PlateField(row=row, column=column, field=path, path=f"{well}/{path}") for path in paths]
    return tuple(fields)


def fields_of_well(location: str) -> tuple[PlateField, ...]:
    """Return the fields of a well, by paths from its plate; none where the group is not a well that lies in its plate."""
    plate, row, column = _last_names(location)
    try:
        wells = wells_of_plate(attributes_of_group(plate)) if plate else ()
    except SourceError:  # above an image that is no well may be anything
        wells = ()
    if f"{row}/{column}" not in wells:
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


def _fields_of_well(plate: str, well: str) -> tuple[str, ...]:
    attributes = attributes_of_group(join(plate, well))
    if "well" not in attributes:
        raise SourceError(f"the plate {plate} lists the well {well}, but {join(plate, well)} is no zarr group of a well: restore it")
    return paths_of_well(attributes)


def scenes_of_group(location: str) -> tuple[str, ...]:
    """Return the paths of the images that belong together in a group: fields of a well, or series of bioformats2raw;
    none where the group is another one.

    The scenes are those that the group ``OME`` names, else consecutive numbers, up to the largest where the store can list them.
    """
    ome = attributes_of_group(location)
    if not is_bioformats2raw(ome):
        return paths_of_well(ome)
    named = attributes_of_group(join(location, "OME")).get("series")
    if isinstance(named, list):
        return tuple(map(str, named))
    try:
        numbers = [int(name) for name in _names_in(location) if name.isdecimal()]
    except SourceError:  # a server that cannot list
        files, path = file_system(location)
        return tuple(takewhile(lambda name: is_zarr_node(files, join(path, name)), map(str, count())))
    return tuple(map(str, range(max(numbers, default=-1) + 1)))


def _children(location: str) -> tuple[str, ...]:
    files, path = file_system(location)
    return tuple(name for name in _names_in(location) if is_zarr_node(files, join(path, name) if path else name))


def _names_in(location: str) -> tuple[str, ...]:
    """Return the names in a folder in order.

    Raises:
        SourceError: The store cannot list them.

    """
    files, path = file_system(location)
    try:
        listed = files.ls(path, detail=False)
    except Exception as error:  # file systems raise different errors where they cannot list
        raise SourceError(f"the zarr group {location} cannot be listed: expected the path of an array in it") from error
    return tuple(sorted(str(entry).rstrip("/").rpartition("/")[2] for entry in listed))
