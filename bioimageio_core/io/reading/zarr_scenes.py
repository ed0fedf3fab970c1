"""The images in a zarr group: fields of plates and wells, series of bioformats2raw, images beside each other."""

from __future__ import annotations

from ...file_kinds import stem
from ...places import absolute_path, local_path
from ...typing import FrozenMapping
from ..locations import join, zarr_store
from .scenes import Scene
from .zarr_groups import attributes_of_group, fields_of_plate, fields_of_well, images_of_group, plate_of, scenes_of_group
from .zarr_image import multiscales_in
from .zarr_layouts import PlateField

__all__ = ["scenes_of_zarr"]


def scenes_of_zarr(location: str, within: str) -> tuple[Scene, ...]:
    """Return the images at the location of a zarr array or group; a field of a plate knows its well.

    An image that is listed and cannot be found or read is among them, with the reason.

    Args:
        location: Path or URL of the array or group.
        within: The same as users write it, which may be that of an archive.

    Raises:
        SourceError: The metadata cannot be read.

    """
    import zarr

    ome = attributes_of_group(location)
    several = multiscales_in(ome)
    if several:
        return several if len(several) > 1 else (_field(location) or several)
    well = fields_of_well(location)
    if well:
        plate = plate_of(location)
        return tuple(_of_field(n, one.field, one, join(location, one.field), plate) for n, one in enumerate(well))
    of_plate = fields_of_plate(location)
    if of_plate:
        return tuple(_of_field(n, one.path, one, join(location, one.path), within) for n, one in enumerate(of_plate))
    try:
        group = zarr.open_group(store=zarr_store(location, read_only=True), mode="r")
    except Exception:  # an array, or nothing, which an error says when it is opened
        return (Scene(number=0),)
    together = scenes_of_group(location)
    paths = together or images_of_group(group, location)
    if len(paths) == 1:
        return (Scene(number=0),)
    return tuple(
        Scene(number=n, name=path, location=join(location, path), fields=FrozenMapping({"scene": path}), in_batches=bool(together))
        for n, path in enumerate(paths)
    )


def _of_field(number: int, name: str, field: PlateField, location: str, plate: str) -> Scene:
    fields = {
        "plate": stem(plate),
        "row": field.row,
        "column": field.column,
        "field": field.field,
        "scene": f"{field.row}/{field.column}/{field.field}",
    }
    return Scene(number=number, name=name, location=location, fields=FrozenMapping(fields), error=field.error)


def _field(location: str) -> tuple[Scene, ...]:
    """Return an image as the field of the well and plate in which it lies; none where it does not."""
    local = local_path(location)
    well, _, name = (location if local is None else absolute_path(local)).rstrip("/").rpartition("/")
    found = [one for one in fields_of_well(well) if one.field == name] if "::" not in location else []
    return tuple(_of_field(0, name, one, location, plate_of(well)) for one in found)
