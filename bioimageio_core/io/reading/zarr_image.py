"""Images from zarr arrays, zarr groups and OME-Zarr, version 2 and 3, local or remote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from ...axis_names import named_axes
from ...errors import SourceError
from ...typing import FrozenMapping
from ..array_io import ArrayIO
from ..bounded_codecs import limit_decoders
from ..lazy import Lazy
from ..locations import exists, file_system, join, opening_errors, stem, zarr_store
from .image import Image, check_number_of_pixels, checked_dtype
from .ome_zarr import Multiscale, parse_multiscales
from .readers import Reader
from .scaled_values import with_scaled_values
from .scenes import FOR_ALL, Scene, SceneChoice, check_single, choose_scene
from .xarray_labels import labels_from_coordinates
from .zarr_coordinates import coordinates_beside, dimension_names
from .zarr_groups import attributes_of_group, fields_of_plate, images_of_group, scenes_of_group
from .zarr_layouts import check_version, ome_attributes, paths_of_well, wells_of_plate
from .zarr_reader import OpenZarrReader, ZarrReader

if TYPE_CHECKING:
    import zarr

__all__ = ["UNFINISHED", "image_of_zarr_array", "levels_of", "multiscales_in", "open_zarr"]

UNFINISHED = ".bmz-unfinished.json"
"""Name of the file that lies in an output until it is complete."""


def open_zarr(location: str, level: int | None, wanted: SceneChoice = None) -> Image:
    """Open the image at a path or URL of a zarr array or group.

    Args:
        location: An array, an OME-Zarr image, or a group of arrays or images.
        level: Resolution of an OME-Zarr image, 0 (the finest) where None.
        wanted: Number or name of the image in a group of several; None for the only one.

    Raises:
        SourceError: There is no such image, there are several, or it is an incomplete output of a prediction.

    """
    location = location.rstrip("/")
    files, path = file_system(location)
    for folder in (path, path.rstrip("/").rpartition("/")[0]):
        if folder and exists(files, join(folder, UNFINISHED), shown=location):
            raise SourceError(
                f"{location} belongs to an incomplete output: complete it with resume=True (--resume), "
                "or write it again with overwrite=True (--overwrite)"
            )
    node = _open_node(location, files, path)
    import zarr

    if isinstance(node, zarr.Array):
        check_single(wanted, level, location)
        image = image_of_zarr_array(node, name=stem(location), reader=ZarrReader(handle=Lazy(_open_to_read, location)))
        return _with_labels(attrs.evolve(image, arrays=(location,)), node, location)
    return _image_of_group(node, location, level, wanted)


def image_of_zarr_array(array: zarr.Array[Any], *, name: str | None = None, reader: Reader | None = None) -> Image:
    """Return the image of an open zarr array."""
    name = name or stem(array.name or "") or "array"
    check_number_of_pixels(array.shape, name)
    dimensions = dimension_names(array)
    image = Image(
        name=name,
        shape=tuple(array.shape),
        dtype=checked_dtype(array.dtype, name),
        axes=named_axes(list(dimensions)) if dimensions else None,
        chunks=tuple(array.chunks),
        reader=reader or OpenZarrReader(array=array),
    )
    return with_scaled_values(image, array)


def _with_labels(image: Image, array: zarr.Array[Any], location: str) -> Image:
    """Return the image of an array with the labels that its coordinates give, which xarray writes beside it."""
    dimensions = dimension_names(array)
    coordinates = coordinates_beside(location, dimensions)
    if not coordinates:
        return image
    labels = labels_from_coordinates([str(name) for name in dimensions], coordinates)
    return attrs.evolve(image, channel_names=labels.channel_names, pixel_size=labels.pixel_size, position=labels.position)


def _image_of_group(group: zarr.Group, location: str, level: int | None, wanted: SceneChoice) -> Image:
    ome = ome_attributes(dict(group.attrs))
    check_version(ome, location)
    images = parse_multiscales(ome)
    if images:
        return _image_of_multiscale(images[choose_scene(multiscales_in(ome), wanted, location).number], location, level)
    wells = wells_of_plate(ome)
    if len(wells) == 1:
        return open_zarr(join(location, wells[0]), level, wanted)
    if wells and wanted is None:
        raise SourceError(_several_wells(location, wells))
    if wells:
        fields = fields_of_plate(location)
        field = fields[choose_scene([Scene(number=n, name=one.path) for n, one in enumerate(fields)], wanted, location).number]
        return open_zarr(join(location, field.path), level)
    paths = images_of_group(group, location)
    if not paths:
        raise SourceError(f"{location} is a zarr group without arrays: expected an array")
    by_path = f", or by its path, as in {join(location, paths[-1])}" + (FOR_ALL if scenes_of_group(location) else "")
    chosen = choose_scene([Scene(number=n, name=path) for n, path in enumerate(paths)], wanted, location, other_way=by_path)
    image = open_zarr(join(location, chosen.name), level)
    if len(paths) == 1:
        return image
    return attrs.evolve(image, name=f"{stem(location)} (scene {chosen.name})", location=image.location or join(location, chosen.name))


def multiscales_in(ome: Mapping[str, Any]) -> tuple[Scene, ...]:
    """Return the images that the OME-Zarr attributes of one group describe."""
    return tuple(Scene(number=n, name=image.name or "") for n, image in enumerate(parse_multiscales(ome)))


def _several_wells(location: str, wells: Sequence[str]) -> str:
    shown = ", ".join(wells[:12]) + (", ..." if len(wells) > 12 else "")
    first = join(location, wells[0])
    fields = paths_of_well(attributes_of_group(first)) or ("0",)
    return (
        f"{location} is a plate of {len(wells)} wells ({shown}), whose fields are images ({', '.join(fields[:12])} in {wells[0]}): "
        f"expected one field, such as {join(first, fields[0])}; "
        "for all of them, call predict_many with {row}, {column} and {field} in the output (-o)"
    )


def levels_of(location: str) -> tuple[str, ...]:
    """Return the arrays of all levels of the OME-Zarr images in a group; none where there is no such group."""
    images = parse_multiscales(attributes_of_group(location))
    return tuple(join(location, level.path) for image in images for level in image.levels)


def _image_of_multiscale(image: Multiscale, location: str, level: int | None) -> Image:
    number = level or 0
    if not 0 <= number < len(image.levels):
        raise SourceError(f"{location} has {len(image.levels)} level{'s' * (len(image.levels) != 1)}, counted from 0: found level {number}")
    chosen = image.levels[number]
    place = join(location, chosen.path)
    try:
        array = _open_array(place)
    except (OSError, ValueError) as error:  # also a group in place of the array
        raise SourceError(f"level {number} of {location} is the array {chosen.path!r}, which cannot be opened: {error}") from error
    axes = image.axes if image.axes is not None and len(image.axes) == array.ndim else None
    names = image.channel_names
    if names is not None and (axes is None or "channel" not in axes or array.shape[axes.index("channel")] != len(names)):
        names = None
    name = stem(location)
    opened = Image(
        name=name,
        shape=tuple(array.shape),
        dtype=checked_dtype(array.dtype, name),
        axes=axes,
        channel_names=names,
        chunks=tuple(array.chunks),
        pixel_size=chosen.pixel_size if axes is not None else FrozenMapping(),
        position=chosen.position if axes is not None else FrozenMapping(),
        arrays=tuple(join(location, level.path) for level in image.levels),
        reader=ZarrReader(handle=Lazy(_open_to_read, place)),
    )
    return with_scaled_values(opened, array)


def _open_array(location: str) -> zarr.Array[Any]:
    import zarr

    return limit_decoders(zarr.open_array(store=zarr_store(location, read_only=True), mode="r"))


def _open_to_read(location: str) -> ArrayIO:
    return ArrayIO(_open_array(location))


def _open_node(location: str, files: Any, path: str) -> zarr.Array[Any] | zarr.Group:
    import zarr

    with opening_errors(location, "zarr"):
        store = zarr_store(location, read_only=True)
        try:
            return zarr.open(store=store, mode="r")
        except FileNotFoundError as error:
            if getattr(store, "refused", False):
                raise SourceError(f"{location} does not exist, or the server refuses access to it (403)") from error
            if not exists(files, path):
                raise
            raise SourceError(f"{location} is no zarr array or group: expected a folder with zarr.json, .zarray or .zgroup") from error
