"""A prediction in a notebook."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ...labelled_arrays import LabelledArray
from ...prediction.output.result import Prediction
from ...prediction.planning.planned_tensors import PlannedOutput
from ...units import unit_symbol
from ..html.fragment import Fragment
from ..pictures.array_planes import ShownArray, array_to_show, image_to_show
from ..pictures.shown_planes import source_of_output
from ..plain_text import sizes_in_words
from ..text.array_text import range_in_words
from ..text.plan_text import plan_text
from ..text.prediction_text import prediction_notes, prediction_text, times_in_words
from .plane_panels import plane_panels

__all__ = ["prediction_fragment"]

MOST_PANELS = 5


def prediction_fragment(prediction: Prediction) -> Fragment:
    """Return a prediction with pictures of its image and its outputs, and what is known of the outputs."""
    plan = prediction.plan
    return Fragment(
        kind="prediction",
        title="" if plan is None else plan.model.name,
        status="" if prediction.finished else "incomplete",
        good=None if prediction.finished else False,
        facts=tuple(_facts(prediction)),
        panels=plane_panels(list(_shown(prediction))[:MOST_PANELS]),
        opens="text" if plan is None else "text and plan",
        more=prediction_text(prediction) + ("" if plan is None else f"\n\nthe plan\n{plan_text(plan)}"),
    )


def _shown(prediction: Prediction) -> Iterator[ShownArray]:
    plan = prediction.plan
    planned = {} if plan is None else {output.id: output for output in plan.outputs}
    for image in () if plan is None else plan.inputs[:1]:
        shown = image_to_show(image)
        if shown is not None:
            yield shown
    for name, array in prediction.items():
        shown = array_to_show(array, name)
        if shown is not None and name in planned:
            yield _as_stored(shown, planned[name], array) if not planned[name].data_dependent else shown


def _as_stored(shown: ShownArray, output: PlannedOutput, array: LabelledArray) -> ShownArray:
    """Return an output with the values that its integers stand for."""
    floats = shown.floats or output.storage_dtype.scale is not None
    return attrs.evolve(shown, source=source_of_output(output, array), floats=floats)


def _facts(prediction: Prediction) -> Iterator[tuple[str, str]]:
    for name, array in prediction.items():
        where = "" if array.in_memory else ", in storage"
        yield name, f"{sizes_in_words(array.axes, array.shape)}; {array.dtype}{where}"
        sizes = [f"{axis} {size:g} {unit_symbol(unit or '')}".rstrip() for axis, (size, unit) in array.pixel_size.items()]
        yield "pixel size", ", ".join(sizes)
        yield "range", range_in_words(array)
    for number, note in enumerate(prediction_notes(prediction)):
        text = note.removeprefix("note: ")
        yield "objects" if number < len(prediction.objects) else "note" if text != note else "", text
    if prediction.plan is not None:
        weights = prediction.plan.weights
        yield "weights", f"{weights.weights_format} on {', '.join(weights.devices)}"
    yield "time", times_in_words(prediction) if prediction.times else ""
