"""A prediction as a page: what came out, what is to be known of it, and what it took."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from math import prod

import attrs

from ..errors import BioimageioError
from ..labelled_arrays import LabelledArray
from ..prediction.execution.stage_timer import OF_REGIONS
from ..prediction.output.result import Prediction
from ..prediction.planning.plan import Plan
from ..text import seconds_in_words
from .fragments.plan_drawing import plan_drawing
from .html.data_url import data_url
from .html.render import render
from .pictures.prediction_picture import prediction_picture
from .plain_text import bytes_in_words, sizes_in_words
from .text.plan_text import plan_text
from .text.prediction_text import prediction_notes

__all__ = ["run_page"]


@attrs.frozen(kw_only=True)
class _Output:
    id: str
    sizes: str
    dtype: str
    place: str


@attrs.frozen(kw_only=True)
class _Stage:
    name: str
    seconds: float
    share: float
    """In per cent of the longest stage."""

    summed: bool
    """Whether seconds are summed over workers."""


def run_page(prediction: Prediction, place: Callable[[str], str] | None = None, *, peak_memory: int | None = None) -> str:
    """Return a page that shows a prediction; it runs no scripts and loads nothing.

    Args:
        prediction: The prediction.
        place: Returns where an output is, by its id; None: whether it is in memory or in storage.
        peak_memory: Bytes that the process took; None if that is not known.

    """
    plan, times = prediction.plan, prediction.times
    stages = {name: seconds for name, seconds in times.items() if name != "total" and seconds >= 0.05}
    longest = max(stages.values(), default=1.0)
    return render(
        "run.html.j2",
        run=prediction,
        title="a model" if plan is None else plan.model.name,
        made=datetime.now().astimezone().isoformat(timespec="seconds"),
        picture=_picture(prediction),
        outputs=[
            _Output(
                id=name,
                sizes=sizes_in_words(array.axes, array.shape),
                dtype=str(array.dtype),
                place=_place(array, place, name),
            )
            for name, array in prediction.items()
        ],
        notes=tuple(prediction_notes(prediction)),
        warnings=() if plan is None else plan.warnings,
        figures=[*_time(prediction), *_memory(plan, peak_memory)],
        stages=[
            _Stage(name=name, seconds=seconds, share=100 * seconds / longest, summed=name in OF_REGIONS) for name, seconds in stages.items()
        ],
        drawing="" if plan is None else plan_drawing(plan),
        plan="" if plan is None else plan_text(plan),
        version=version("bioimageio-runtime"),
    )


def _place(array: LabelledArray, place: Callable[[str], str] | None, name: str) -> str:
    if place is not None:
        return place(name)
    return "in memory" if array.in_memory else "in storage"


def _picture(prediction: Prediction) -> str:
    """Return the image beside the outputs; empty where it cannot be drawn."""
    try:
        return data_url("image/png", prediction_picture(prediction))
    except (BioimageioError, OSError):
        return ""


def _time(prediction: Prediction) -> list[tuple[str, str]]:
    total = prediction.times.get("total", 0.0)
    found = [("time", seconds_in_words(total))]
    pixels = max((prod(array.shape) for array in prediction.values()), default=0)
    if total >= 0.05 and prediction.finished and not prediction.done_before:
        found.append(("throughput", f"{pixels / total / 1e6:.2f} million values a second"))
    if prediction.plan is not None:
        weights = prediction.plan.weights
        found.append(("weights", f"{weights.weights_format} on {weights.adapter}, {weights.settings}"))
        found.append(("workers", str(prediction.plan.workers)))
    return found


def _memory(plan: Plan | None, peak: int | None) -> list[tuple[str, str]]:
    found = [("peak memory", bytes_in_words(peak))] if peak else []
    return found if plan is None else [*found, ("memory budget", bytes_in_words(plan.memory))]
