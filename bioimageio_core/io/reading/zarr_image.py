"""Images from zarr arrays, zarr groups and OME-Zarr, version 2 and 3, local or remote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ...axis_names import named_axes
from ...errors import SourceError
from ...typing import FrozenMapping
from ..lazy import Lazy
from ..locations import exists, file_system, join, opening_errors, stem, zarr_store
from .image import Image, checked_dtype
from .ome_zarr import Multiscale, parse_multiscales
from .readers import Reader
from .zarr_reader import OpenZarrReader, ZarrReader

if TYPE_CHECKING:
    import zarr

__all__ = ["UNFINISHED", "image_of_zarr_array", "is_zarr_node", "levels_of", "open_zarr"]

UNFINISHED = ".bmz-unfinished.json"
"""Name of the file that lies in an output until it is complete."""

_NODE_FILES = ("zarr.json", ".zarray", ".zgroup")


def is_zarr_node(files: Any, path: str) -> bool:
    """Return whether a folder of an fsspec file system is a zarr array or group."""
    return any(files.exists(join(path, name)) for name in _NODE_FILES)


def open_zarr(location: str, level: int | None) -> Image:
    """Open the image at a path or URL of a zarr array or group.

    Args:
        location: An array, an OME-Zarr image, or a group with a single array or image.
        level: Resolution of an OME-Zarr image, 0 (the finest) where None.

    Raises:
        SourceError: There is no such image, there are several, or it is an incomplete output of a prediction.

    """
    files, path = file_system(location)
    for folder in (path, path.rstrip("/").rpartition("/")[0]):
        if folder and exists(files, join(folder, UNFINISHED)):
            raise SourceError(f"{location} belongs to an incomplete output: complete it (--resume), or write it again (--overwrite)")
    node = _open_node(location, files, path)
    import zarr

    if isinstance(node, zarr.Array):
        if level:
            raise SourceError(f"{location} is a single array without level {level}: expected the OME-Zarr image that holds it")
        image = image_of_zarr_array(node, name=stem(location), reader=ZarrReader(handle=Lazy(_open_array, location)))
        return attrs.evolve(image, arrays=(location,))
    return _image_of_group(node, location, files, path, level)


def image_of_zarr_array(array: zarr.Array[Any], *, name: str | None = None, reader: Reader | None = None) -> Image:
    """Return the image of an open zarr array."""
    name = name or stem(array.name or "") or "array"
    dimensions = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    names = [None if d is None else str(d) for d in dimensions] if isinstance(dimensions, list | tuple) else []
    return Image(
        name=name,
        shape=tuple(array.shape),
        dtype=checked_dtype(array.dtype, name),
        axes=named_axes(names) if len(names) == array.ndim else None,
        chunks=tuple(array.chunks),
        reader=reader or OpenZarrReader(array=array),
    )


def _image_of_group(group: zarr.Group, location: str, files: Any, path: str, level: int | None) -> Image:
    images = parse_multiscales(dict(group.attrs))
    if len(images) == 1:
        return _image_of_multiscale(images[0], location, level)
    if len(images) > 1:
        names = [image.levels[0].path for image in images if image.levels]
        raise SourceError(_several(location, names))
    names = _children(location, files, path)
    if len(names) == 1:
        return open_zarr(join(location, names[0]), level)
    if not names:
        raise SourceError(f"{location} is a zarr group without arrays: expected an array")
    raise SourceError(_several(location, names))


def levels_of(location: str) -> tuple[str, ...]:
    """Return the arrays of all levels of the OME-Zarr images in a group; none where there is no such group."""
    import zarr

    try:
        attributes = zarr.open_group(store=zarr_store(location, read_only=True), mode="r").attrs
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    return tuple(join(location, level.path) for image in parse_multiscales(dict(attributes)) for level in image.levels)


def _several(location: str, names: list[str]) -> str:
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"{location} is a zarr group of several images ({shown}): expected one of them, such as {join(location, names[0])}"


def _children(location: str, files: Any, path: str) -> list[str]:
    try:
        listed = files.ls(path, detail=False)
    except Exception as error:  # file systems raise different errors where they cannot list
        raise SourceError(f"the zarr group {location} cannot be listed: expected the path of an array in it") from error
    folders = sorted(str(entry).rstrip("/") for entry in listed)
    return [folder.rpartition("/")[2] for folder in folders if is_zarr_node(files, folder)]


def _image_of_multiscale(image: Multiscale, location: str, level: int | None) -> Image:
    number = level or 0
    if not 0 <= number < len(image.levels):
        raise SourceError(f"{location} has {len(image.levels)} levels, counted from 0: found level {number}")
    chosen = image.levels[number]
    place = join(location, chosen.path)
    try:
        array = _open_array(place)
    except OSError as error:
        raise SourceError(f"level {number} of {location} is the array {chosen.path!r}, which cannot be opened: {error}") from error
    axes = image.axes if image.axes is not None and len(image.axes) == array.ndim else None
    names = image.channel_names
    if names is not None and (axes is None or "channel" not in axes or array.shape[axes.index("channel")] != len(names)):
        names = None
    name = stem(location)
    return Image(
        name=name,
        shape=tuple(array.shape),
        dtype=checked_dtype(array.dtype, name),
        axes=axes,
        channel_names=names,
        chunks=tuple(array.chunks),
        pixel_size=chosen.pixel_size if axes is not None else FrozenMapping(),
        position=chosen.position if axes is not None else FrozenMapping(),
        arrays=tuple(join(location, level.path) for level in image.levels),
        reader=ZarrReader(handle=Lazy(_open_array, place)),
    )


def _open_array(location: str) -> zarr.Array[Any]:
    import zarr

    return zarr.open_array(store=zarr_store(location, read_only=True), mode="r")


def _open_node(location: str, files: Any, path: str) -> zarr.Array[Any] | zarr.Group:
    import zarr

    with opening_errors(location, "zarr"):
        try:
            return zarr.open(store=zarr_store(location, read_only=True), mode="r")
        except FileNotFoundError as error:
            if not exists(files, path):
                raise
            raise SourceError(f"{location} is no zarr array or group: expected a folder with zarr.json, .zarray or .zgroup") from error
