"""The layers of arrays, and of the results of predictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from ..axis_names import axis_of_name
from ..io import Image, open_image
from ..io.locations import parent
from ..io.places_of_arrays import location_of_zarr
from ..io.reading.image_levels import open_levels
from ..io.reading.scaled_values import with_scale
from ..labelled_arrays import LabelledArray
from ..prediction.chain.predicted_image import EarlierOutput, PredictedReader
from ..prediction.files.file_image import FileImage
from ..prediction.output.result import Prediction
from ..prediction.output.tensor_array import TensorArray
from ..prediction.planning.outputs.ome_layout import pixel_placement
from ..prediction.planning.plan import Plan
from ..prediction.planning.planned_tensors import PlannedInput, PlannedOutput
from ..typing import FrozenMapping
from .layer import Colour, Layer
from .make_layer import image_layer, labels_layer, shows_planes, with_known_axes
from .written_records import about_image

__all__ = ["layers_of_array", "layers_of_prediction"]


def layers_of_array(source: Any, *, axes: str | Sequence[str] | None = None, labels: bool | None = None) -> Iterator[Layer]:
    """Yield the layer of an array.

    Args:
        source: An array that `open_image` opens.
        axes: Axes of an array that names none.
        labels: Whether it is labels; None: labels where an array declares them, and images else.

    Raises:
        SourceError: It does not hold real numbers.
        AxesError: The axes are not known, or y or x is missing.

    """
    image = with_known_axes(open_image(source), axes)
    is_output = isinstance(source, LabelledArray)
    if labels is None:
        labels = isinstance(source, LabelledArray) and source.labels and image.dtype.kind in "bui"
    make = labels_layer if labels else image_layer
    yield make(image.name, [image], is_output=is_output)


def layers_of_prediction(prediction: Prediction) -> Iterator[Layer]:
    """Yield the image of a prediction, its outputs that have axes y and x, and tables of objects that were measured.

    Raises:
        SourceError: An image or output cannot be read any more.

    """
    plan = prediction.plan
    if plan is not None:
        yield from _layers_of_inputs(plan)
    planned = {} if plan is None else {output.id: output for output in plan.outputs}
    for name, array in prediction.items():
        if not shows_planes(array.axes):
            continue
        output = planned.get(name)
        if plan is None or output is None:
            yield from layers_of_array(array)
            continue
        objects = prediction.objects.get(name)
        for layer in _layers_of_output(plan, output, array):
            yield attrs.evolve(layer, table=objects) if objects and layer.kind == "labels" else layer


def _layers_of_inputs(plan: Plan) -> Iterator[Layer]:
    """Yield the images of the user, at the start of a chain of models."""
    for planned in plan.inputs:
        image = planned.bound.image
        if isinstance(image.reader, EarlierOutput | PredictedReader):
            yield from _layers_of_inputs(image.reader.plan)
        elif shows_planes(image.axes or ()):
            yield _layer_of_input(planned, image)


def _layer_of_input(planned: PlannedInput, image: Image) -> Layer:
    """Return the image as it was predicted, with the axes and pixel sizes that were given, and the levels of its file."""
    if image.location is None or image.start or image.picked or image.part or planned.bound.resampled:
        return image_layer(image.name, [with_known_axes(image, None)])
    levels = list(open_levels(image.location))
    coarser = [
        attrs.evolve(level, axes=image.axes) for level in levels if len(level.shape) == len(image.shape) and level.shape < image.shape
    ]
    shown = [with_known_axes(one, None) for one in (image, *coarser)]
    return image_layer(image.name, shown, colours=about_image(levels[0]).channel_colours)


def _layers_of_output(plan: Plan, output: PlannedOutput, array: LabelledArray) -> Iterator[Layer]:
    scale = output.storage_dtype.scale
    labels = output.labelling is not None or (array.dtype.kind in "bui" and scale is None)
    source = array.data.source if isinstance(array.data, TensorArray) else array.data
    stored = location_of_zarr(source) if hasattr(source, "store_path") else None
    colours: Mapping[int, Colour] = FrozenMapping()
    if isinstance(source, FileImage):
        images = [with_known_axes(image, source.axes) for image in open_levels(source.location)]
    elif stored is not None and output.id in plan.ome:
        images = list(open_levels(parent(stored)))
        colours = about_image(images[0]).label_colours
    else:
        images = [_of_array(plan, output, array)]
    if labels:
        yield labels_layer(output.id, images, colours=colours, is_output=True)
    else:
        yield image_layer(output.id, images, is_output=True)


def _of_array(plan: Plan, output: PlannedOutput, array: LabelledArray) -> Image:
    """Return an output with one level: in memory, or a plain array."""
    sizes, position = {}, {}
    for number, axis in enumerate(output.axes):
        size, unit, at = pixel_placement(output, number, plan.inputs, plan.grids)
        if axis not in ("channel", "batch", "index"):
            sizes[axis_of_name(axis)], position[axis_of_name(axis)] = (size, unit), at
    image = attrs.evolve(
        open_image(array.data, axes=array.axes),
        name=output.id,
        channel_names=_channel_names(output),
        pixel_size=FrozenMapping(sizes),
        position=FrozenMapping(position),
    )
    scale = output.storage_dtype.scale
    if scale is None or not isinstance(array.data, np.ndarray):  # zarr arrays hold their scale
        return image
    return with_scale(image, {"scale_factor": scale[0], "add_offset": scale[1]})


def _channel_names(output: PlannedOutput) -> tuple[str, ...] | None:
    channel = output.tensor.axis("channel")
    return None if channel is None else channel.channel_names
