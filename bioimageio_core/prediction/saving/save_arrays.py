"""Saves arrays with named axes as runs write their outputs: zarr, or files of a format that is written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs
import numpy as np
from numpy.typing import NDArray

from ...atomic_files import atomic_folder, move_into_place
from ...errors import OutputError
from ...io.writing.chosen_writer import check_layout, loaded_writer, write_file, writer_of
from ...io.writing.image_writer import ImageLayout, ImageLevel
from ...io.writing.ome_output import OmeImage
from ...io.writing.pyramid import halved
from ...io.writing.write_errors import writing
from ...labelled_arrays import LabelledArray
from ...typing import FrozenMapping
from ..files.file_set import file_set
from ..files.run_to_files import check_files_replaceable
from ..option_values import output_location
from ..options import RunOptions
from .saved_image import pixels_of, saved_image
from .saved_zarr import save_as_zarr

__all__ = ["save_arrays"]


def save_arrays(arrays: Sequence[LabelledArray], path: object, *, output_format: str | None, overwrite: bool) -> None:
    """Save arrays; the ending of the name decides about the format.

    Args:
        arrays: The arrays, with different names.
        path: Path or URL of a zarr folder; or path of a file, with ``{output}`` for the name of the array where there are several.
        output_format: Name of the image writer, where several write files with this ending.
        overwrite: Whether existing files, or an existing zarr store, are replaced.

    Raises:
        OutputError: It exists and is not replaced, no format has this ending, the format cannot hold an array, or the write failed.
        MissingRequirementError: A package that the writer needs is not installed.

    """
    location = output_location(path)
    entry = writer_of(location, output_format)
    named = [array if array.name else attrs.evolve(array, name="output") for array in arrays]
    if entry is None:
        save_as_zarr(named, location, overwrite=overwrite)
        return
    files = file_set(location, [array.name for array in named])
    writer = loaded_writer(entry, location)
    images = [_image(array, location) for array in named]
    layouts = [_layout(array, image, levels=entry.levels) for array, image in zip(named, images, strict=True)]
    for layout in layouts:
        check_layout(writer, layout, location)
    check_files_replaceable(files, RunOptions(overwrite=overwrite))
    for array, image, layout in zip(named, images, layouts, strict=True):
        path = files.paths[array.name]
        with writing(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_folder(path.with_name(f".{path.name}.bmz-new"), overwrite=True) as folder:
                write_file(writer, entry.name, layout, partial(_read, array, image), folder / path.name)
                move_into_place(folder / path.name, path, overwrite=overwrite)


def _image(array: LabelledArray, location: str) -> OmeImage:
    """Return an array as an image; refuse axes that no file of images has."""
    image = saved_image(array)
    if image is None:
        raise OutputError(
            f"output {location} cannot be written: {array.name!r} has the axes {', '.join(array.axes)}, and files of images have time, "
            "channel or one other axis, and space; name a zarr folder, which holds all"
        )
    return image


def _layout(array: LabelledArray, image: OmeImage, *, levels: bool) -> ImageLayout:
    """Return an array as a writer gets it."""
    return ImageLayout(
        name=image.name,
        axes=image.axes,
        dtype=np.dtype(image.dtype),
        levels=tuple(ImageLevel(shape=level.shape, chunks=level.chunks) for level in image.levels[: None if levels else 1]),
        channel_names=image.channel_names,
        pixel_size=FrozenMapping({axis: size for axis, size in array.pixel_size.items() if axis in image.axes}),
        position=FrozenMapping({axis: at for axis, at in array.position.items() if axis in image.axes}),
        labels=image.labels,
    )


def _read(array: LabelledArray, image: OmeImage, index: tuple[slice, ...], level: int = 0) -> NDArray[np.generic]:
    """Return a region of a level, which is computed from the finer one."""
    if level == 0:
        return pixels_of(array, image.axes, index)
    steps, before = image.levels[level].steps, image.levels[level - 1].shape
    finer = tuple(slice(s.start * n, min(s.stop * n, size)) for s, n, size in zip(index, steps, before, strict=True))
    return halved(_read(array, image, finer, level - 1), steps, nearest=image.nearest)
