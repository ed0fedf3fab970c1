"""A picture of a prediction: the image beside its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...prediction.output.result import Prediction
from ...prediction.planning.plan import Plan
from ...prediction.planning.planned_tensors import PlannedInput, PlannedOutput
from ...shown_range import HIGH_PERCENTILE, LOW_PERCENTILE, shown_range
from ...typing import AxisId
from ...units import metres_in
from .letters import CAPTION, with_caption
from .scale_bar import draw_scale_bar
from .shown_image import ShownImage, shown_image
from .shown_planes import PlaneSource, Span, source_of_input, source_of_output
from .side_by_side import GAP, in_a_row, overlay, to_colours, to_grey, to_png

__all__ = ["MOST_SHOWN", "check_drawable", "prediction_picture"]

SIDE = 1024
"""Pixels of the picture along either axis at most."""

SMALL = 320
"""Panels of smaller images are enlarged up to this many pixels."""

MOST_SHOWN = 4096
"""Pixels of the image along an axis that are shown at most: of larger images their middle, so that most of them is not read."""

MOST_PANELS = 4


def prediction_picture(prediction: Prediction) -> bytes:
    """Return a PNG of at most 1024 x 1024 pixels: the first image beside the outputs of a prediction.

    It shows the middle along z, and the first position along all other axes but y and x. Of an image of over 4096 pixels along y or x,
    it shows the middle. Images are grey, or in colour if they have three channels, between percentiles 0.5 and 99.5.
    Labels are drawn over the image. Of other outputs up to two channels are colours: from 0 to 1 if they lie there,
    else between the same percentiles. Where the size of pixels is known, the image has a scale bar.
    Above each panel is the id of its tensor.

    Args:
        prediction: The result of `predict`; its images are read again.

    Raises:
        InputError: No output has axes y and x that the image has, too; or the prediction was planned elsewhere, so that its image is
            not known here.
        SourceError: The image cannot be read any more.

    """
    if prediction.plan is None:
        raise InputError("the picture of a prediction needs its plan, which was made by a worker: predict in this process for a picture")
    image, outputs = check_drawable(prediction.plan)
    sources = [(o, source_of_output(o, prediction[o.id])) for o in outputs]
    count = min(MOST_PANELS, 1 + sum(_channels(source) for _, source in sources))
    spans = _shown(image, *sources[0])
    spans_of_outputs = [_spans_of_output(image, output, source, spans) for output, source in sources]
    shape = _panel_shape([spans, *spans_of_outputs], count)
    original = _image_panel(source_of_input(image.planned), spans, shape)
    grey = original if original.ndim == 2 else np.asarray(original.mean(axis=2), np.uint8)
    coloured = original if original.ndim == 3 else np.repeat(original[..., None], 3, axis=2)
    panels = [with_caption(_with_scale_bar(coloured, image.planned, spans), image.planned.id)]
    for (output, source), shown in zip(sources, spans_of_outputs, strict=True):
        for name, panel in zip(_names(output, source), _output_panels(source, shown, shape, grey), strict=True):
            panels.append(with_caption(panel, name))
    return to_png(in_a_row(panels[:MOST_PANELS]))


def check_drawable(plan: Plan) -> tuple[ShownImage, tuple[PlannedOutput, ...]]:
    """Return the image and the outputs that a picture shows.

    Raises:
        InputError: No image, or no output, has axes y and x.

    """
    image = shown_image(plan)
    outputs = tuple(
        o
        for o in plan.outputs
        if image is not None and not o.data_dependent and all(a in o.axes and image.follow(o, a) is not None for a in ("y", "x"))
    )
    if image is None or not outputs:
        axes = {**{i.id: i.bound.axes for i in plan.inputs}, **{o.id: o.axes for o in plan.outputs}}
        listed = "; ".join(f"{name} has {', '.join(named)}" for name, named in axes.items())
        raise InputError(f"a picture shows planes y, x of an image and of its outputs: {listed}")
    return image, outputs


def _channels(source: PlaneSource) -> int:
    """Return how many channels of an output are shown."""
    return 1 if source.nearest else min(2, source.size("channel"))


def _names(output: PlannedOutput, source: PlaneSource) -> list[str]:
    """Return what is above each panel of an output: its id, with the name or number of the channel where several are shown."""
    count = _channels(source)
    axis = output.tensor.axis("channel")
    channels = (None if axis is None else axis.channel_names) or tuple(map(str, range(count)))
    return [output.id] if count == 1 else [f"{output.id} {channel}" for channel in channels[:count]]


def _shown(image: ShownImage, output: PlannedOutput, source: PlaneSource) -> dict[AxisId, Span]:
    """Return what is shown of the image, by axis: of the part that the output covers the middle along z, and the first position along
    other axes.
    """
    spans = {}
    for axis, size in zip(image.planned.bound.axes, image.planned.bound.shape, strict=True):
        follows = image.follow(output, axis)
        low, high = (0, size) if follows is None else follows.image_span(source.size(axis), size)
        if axis in ("y", "x"):
            beyond = max(0, high - low - MOST_SHOWN)
            spans[axis] = (low + beyond // 2, high - (beyond - beyond // 2))
        else:
            at = (low + high) // 2 if axis == "z" else 0 if axis == "channel" else low
            spans[axis] = (at, at + 1)
    return spans


def _spans_of_output(image: ShownImage, output: PlannedOutput, source: PlaneSource, spans: dict[AxisId, Span]) -> dict[AxisId, Span]:
    """Return what is shown of an output: the same as of the image, along axes that the image has."""
    found = {}
    for axis in source.axes:
        follows = image.follow(output, axis)
        if follows is not None and axis != "channel":
            low, high = follows.output_span(spans[axis], source.size(axis))
            found[axis] = (low, high if axis in ("y", "x") else low + 1)
        else:
            middle = source.size(axis) // 2 if axis == "z" else 0
            found[axis] = (middle, middle + 1)
    return found


def _panel_shape(spans: Sequence[dict[AxisId, Span]], count: int) -> tuple[int, int]:
    """Return the pixels of a panel along y and x: as many as the finest tensor has, or fewer, or a multiple of them."""
    height, width = (max(s[axis][1] - s[axis][0] for s in spans) for axis in ("y", "x"))
    factor = min((SIDE - CAPTION) / height, (SIDE - GAP * (count - 1)) // count / width)
    if factor >= 1:
        factor = min(int(factor), max(1, SMALL // max(height, width)))
    return max(1, int(height * factor)), max(1, int(width * factor))


def _image_panel(source: PlaneSource, spans: dict[AxisId, Span], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image in grey (y, x), or in colour (y, x, rgb) if it has three channels."""
    if source.size("channel") != 3:
        return to_grey(source.plane(spans, shape), LOW_PERCENTILE, HIGH_PERCENTILE)
    colours = np.stack([source.plane({**spans, "channel": (n, n + 1)}, shape) for n in range(3)], axis=-1)
    return to_grey(colours, LOW_PERCENTILE, HIGH_PERCENTILE)


def _with_scale_bar(panel: NDArray[np.uint8], image: PlannedInput, spans: dict[AxisId, Span]) -> NDArray[np.uint8]:
    size, unit = image.bound.image.pixel_size.get("x", (0.0, None))
    metres = metres_in(unit)
    low, high = spans["x"]
    return panel if not metres else draw_scale_bar(panel, size * metres * (high - low) / panel.shape[1])


def _output_panels(
    source: PlaneSource, spans: dict[AxisId, Span], shape: tuple[int, int], grey: NDArray[np.uint8]
) -> Iterator[NDArray[np.uint8]]:
    for channel in range(_channels(source)):
        plane = source.plane({**spans, "channel": (channel, channel + 1)}, shape)
        if source.nearest:
            yield overlay(grey, plane)
            continue
        finite = plane[np.isfinite(plane)]
        low, high = shown_range(finite) if finite.size else (0.0, 1.0)
        # A probability keeps its meaning: the same colour in every picture.
        yield to_colours(plane, *((0.0, 1.0) if finite.size and finite.min() >= 0 and finite.max() <= 1 else (low, high)))
