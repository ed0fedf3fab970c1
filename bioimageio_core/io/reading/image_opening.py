"""Opens images from arrays, paths and URLs of all formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from ...errors import SourceError
from ...labelled_arrays import LabelledArray
from ...text import kind_of_object
from ...typing import FrozenMapping
from ..locations import opening_errors
from .arrays_of_others import picture_as_array, tensor_as_array
from .chosen_reader import reader_of
from .image import Image, checked_dtype
from .readers import ArrayReader, dtype_with_nan, without_mask
from .scaled_values import with_scaled_values
from .scenes import ImagePart, SceneChoice, check_single
from .xarray_labels import labels_of
from .zarr_image import image_of_zarr_array

__all__ = ["open_image"]


def open_image(source: Any, *, axes: str | Sequence[str] | None = None, level: int | None = None, scene: int | str | None = None) -> Image:
    """Open an image without reading its pixels.

    Args:
        source: A numpy, dask, zarr or xarray array, a tensor of PyTorch, a picture of Pillow, or another object with ``shape``,
            ``dtype`` and ``__getitem__``;
            or a path or fsspec URL of a file or folder that an installed plugin reads, as of TIFF and OME-Zarr.
        axes: The axes, as `bioimageio_core.axis_names.parse_axes` reads them, in place of those that the source names.
        level: Resolution of an OME-Zarr or pyramidal TIFF, 0 (the finest) where None.
        scene: Number (from 0) or name of the image, in a file or folder that holds several.

    Raises:
        SourceError: The source does not exist, is not an image of real numbers, holds several images of which none is chosen,
            or its server does not answer.
        MissingRequirementError: A package that reads this kind of file is not installed.
        AxesError: ``axes`` are unknown or of the wrong number.

    """
    if isinstance(source, Image):
        image = source
    elif isinstance(source, ImagePart) and source.error is not None:
        raise source.error
    elif isinstance(source, str | os.PathLike):
        image = _open_location(os.fsdecode(source), level, source.scene if isinstance(source, ImagePart) else scene)
    else:
        image = _open_array(source)
        check_single(scene, level, image.name)
    if image.shape == ():
        raise SourceError(f"{image.name} is a single number: expected an array with axes")
    if 0 in (image.chunks or ()) and 0 not in image.shape:
        raise SourceError(f"{image.location or image.name} is damaged: its chunks have the shape {image.chunks}, without any pixel")
    return image if axes is None else image.with_axes(axes)


def _open_location(location: str, level: int | None, scene: SceneChoice) -> Image:
    reader = reader_of(location)
    with opening_errors(location, "an image"):
        image = reader.open(location, scene, level)
    return attrs.evolve(image, location=image.location or location)


def _open_array(source: Any) -> Image:
    if isinstance(source, LabelledArray):
        return _open_labelled(source)
    picture = picture_as_array(source)
    if picture is not None:
        pixels, axes, names = picture
        return attrs.evolve(_open_array(pixels), name="picture", axes=axes, channel_names=names)
    tensor = tensor_as_array(source)
    source = source if tensor is None else tensor
    if not (hasattr(source, "shape") and hasattr(source, "dtype") and hasattr(source, "__getitem__")):
        hint = "; numpy.asarray() makes arrays of nested lists" if isinstance(source, list | tuple) else ""
        raise SourceError(f"expected an array, a path or a URL as image, found {kind_of_object(source)}{hint}")
    if isinstance(source, np.ma.MaskedArray) and not np.ma.is_masked(source):
        source = source.data
    if isinstance(source, np.ndarray):
        return Image(name="array", shape=source.shape, dtype=_dtype(source, "array"), reader=ArrayReader(array=source))
    if type(source).__module__.partition(".")[0] == "zarr":
        root = getattr(source.store, "root", None)
        location = None if root is None else str(Path(root) / source.path)
        return attrs.evolve(image_of_zarr_array(source), location=location)
    name = getattr(source, "name", None)
    # Dask names its arrays by hash, which means nothing to users.
    name = name if isinstance(name, str) and name and not hasattr(source, "dask") else "array"
    if hasattr(source, "dask") and _is_masked(source):
        # Also a graph that is built from the array takes NaN from it, instead of values under a mask.
        source = source.map_blocks(_filled, dtype=_dtype(source, name), meta=np.empty((0,) * source.ndim, _dtype(source, name)))
    labels = labels_of(source)
    return Image(
        name=name,
        shape=_known_shape(source, name),
        dtype=_dtype(source, name),
        axes=labels.axes,
        channel_names=labels.channel_names,
        chunks=_chunks(source),
        pixel_size=labels.pixel_size,
        position=labels.position,
        reader=ArrayReader(array=source, persisted=_is_persisted(source)),
    )


def _open_labelled(source: LabelledArray) -> Image:
    """Return an output of a prediction, or what is calculated from one, as an image."""
    image, stored = _open_array(source.data), source.data
    while hasattr(stored, "source"):  # a part of an array, or one with other axes
        stored = stored.source
    if stored is not source.data and hasattr(stored, "store_path"):
        image = with_scaled_values(image, stored)
    return attrs.evolve(
        image,
        name=source.name or image.name,
        axes=source.axes,
        channel_names=source.channel_names,
        pixel_size=FrozenMapping(source.pixel_size),
        position=FrozenMapping(source.position),
    )


def _known_shape(source: Any, name: str) -> tuple[int, ...]:
    if any(size != size for size in source.shape):  # NaN
        raise SourceError(f"{name} has unknown sizes (shape {source.shape}): call compute_chunk_sizes() of the dask array before")
    return tuple(int(size) for size in source.shape)


def _is_persisted(source: Any) -> bool:
    """Return whether a dask array, alone or in xarray, holds results on a cluster."""
    graph = source.__dask_graph__() if hasattr(source, "__dask_graph__") else None
    if graph is None or "distributed" not in sys.modules:
        return False
    from distributed import Future

    made = [layer for layer in getattr(graph, "layers", {}).values() if layer.is_materialized()]  # all others may be huge
    return any(isinstance(value, Future) for layer in made for value in layer.values())


def _is_masked(source: Any) -> bool:
    """Return whether an array has a mask, or is a dask array of blocks that have one; xarray itself puts NaN in place of masks."""
    return isinstance(getattr(source, "_meta", source), np.ma.MaskedArray)


def _dtype(source: Any, name: str) -> np.dtype[Any]:
    """Return the dtype that an array is read as: of floating point where it has a mask, since masked pixels are read as NaN."""
    dtype = checked_dtype(source.dtype, name)
    return dtype_with_nan(dtype) if _is_masked(source) else dtype


def _filled(block: Any) -> Any:
    masked = np.ma.asarray(block)
    return without_mask(masked).astype(dtype_with_nan(masked.dtype), copy=False)


def _chunks(source: Any) -> tuple[int, ...] | None:
    chunks = getattr(source, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != len(source.shape):
        return None
    return tuple(max(c) if isinstance(c, tuple) else int(c) for c in chunks)
