"""The images that writers get, from a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import numpy as np

from ...errors import InputError, OutputError
from ...io.writing.chosen_writer import check_layout, loaded_writer
from ...io.writing.image_writer import ImageLayout, ImageLevel
from ...registry import ImageWriterEntry
from ...typing import FrozenMapping
from ..options import PredictOptions
from ..planning.plan import Plan
from .file_set import FileSet

__all__ = ["as_file", "check_layouts", "image_layout"]


def as_file(options: PredictOptions, entry: ImageWriterEntry, location: str) -> PredictOptions:
    """Return the options with which a run writes what the files are made of: an OME-Zarr image for each output.

    Raises:
        OutputError: The options are those of zarr outputs.

    """
    if options.ome != "auto" or options.shards:
        name = "ome" if options.ome != "auto" else "shards"
        raise OutputError(f"{name}= (--{name}) is for zarr outputs, found the file {location}: leave it out, or name a zarr folder")
    return attrs.evolve(options, ome="0.5", pyramid=entry.levels)


def check_layouts(plan: Plan, files: FileSet, entry: ImageWriterEntry) -> None:
    """Refuse what the format cannot hold, before anything is computed.

    Raises:
        OutputError: It cannot hold an output.
        MissingRequirementError: A package that the writer needs is not installed.

    """
    writer = loaded_writer(entry, files.location)
    for name, path in files.paths.items():
        check_layout(writer, image_layout(plan, name, {}), path)


def image_layout(plan: Plan, output: str, record: Mapping[str, Any]) -> ImageLayout:
    """Return an output as an image for writers.

    Args:
        plan: The plan, with an OME-Zarr image for the output.
        output: Id of the output.
        record: How it was made, as JSON values.

    Raises:
        InputError: The network determines its size.

    """
    image = plan.ome.get(output)
    if image is None:
        raise InputError(f"output {output!r} has a size that the network determines, so it cannot be written to a file: write plain zarr")
    planned = next(o for o in plan.outputs if o.id == output)
    sizes = {a: (size, unit) for a, size, unit in zip(image.axes, image.pixel_size, image.units, strict=True) if a != "channel"}
    known = FrozenMapping({axis: size for axis, size in sizes.items() if size != (1.0, None)})
    placed = {axis for i in plan.inputs for axis in i.bound.image.position}  # else the position of a part of the image is no position
    positions = {axis: at for axis, at in zip(image.axes, image.position, strict=True) if axis in placed and axis in known}
    return ImageLayout(
        name=image.name,
        axes=image.axes,
        dtype=np.dtype(image.dtype),
        levels=tuple(ImageLevel(shape=level.shape, chunks=level.chunks) for level in image.levels),
        channel_names=image.channel_names if "channel" in image.axes else None,
        pixel_size=known,
        position=FrozenMapping(positions),
        labels=image.labels or (planned.labelling is not None),
        record=FrozenMapping(dict(record) | ({"scale": dict(image.attributes)} if image.attributes else {})),
    )
