"""Many images, one after the other, of which one that fails does not stop the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..errors import AxesError, BioimageioError, InputError
from ..io.locations import stem
from .output.result import Prediction
from .planning.plan import Plan
from .predictor import Predictor

__all__ = ["Failed", "Many", "plan_many", "predict_many"]


@attrs.frozen(kw_only=True)
class Failed:
    """An image that could not be predicted."""

    inputs: Any
    output: str
    error: BioimageioError


@attrs.frozen(kw_only=True)
class Many:
    """An image and where its prediction goes."""

    inputs: Any
    """What `Predictor.predict` takes."""

    output: str


def plan_many(inputs: Sequence[Any], template: str) -> tuple[Many, ...]:
    """Return where each image goes.

    Args:
        inputs: Images, or mappings of images by tensor id.
        template: As in ``results/{name}.zarr``; ``{name}`` is that of the file without its extension, ``{number}`` counts from 0,
            ``{folder}`` is the name of the folder that the file lies in. Without braces: a folder for outputs named as images.

    Raises:
        InputError: The template is none, or two images would go to one place.

    """
    if "{" not in template:
        template = template.rstrip("/") + "/{name}.zarr"
    planned: dict[str, Many] = {}
    for number, one in enumerate(inputs):
        first = next(iter(one.values())) if isinstance(one, Mapping) else one
        location = os.fspath(first) if isinstance(first, str | os.PathLike) else f"{number}"
        parts = str(location).replace("\\", "/").rstrip("/").split("/")
        try:
            output = template.format(name=stem(str(location)), number=number, folder=parts[-2] if len(parts) > 1 else "")
        except (KeyError, IndexError, ValueError):
            raise InputError(f"output {template!r}: expected braces around name, folder or number, as in results/{{name}}.zarr") from None
        if output in planned:
            raise InputError(
                f"{planned[output].inputs} and {one} would both be predicted to {output}: "
                "tell them apart by {folder} or {number} in the name of the output"
            )
        planned[output] = Many(inputs=one, output=output)
    return tuple(planned.values())


def predict_many(predictor: Predictor, many: Iterable[Many]) -> Iterator[Prediction | Failed]:
    """Predict images one after the other; what is wrong with one of them is yielded in its place."""
    for one in many:
        try:
            plan = predictor.plan(one.inputs, one.output)
            _check_axes_known(plan)
            yield predictor.run(plan, one.output)
        except BioimageioError as error:
            yield Failed(inputs=one.inputs, output=one.output, error=error)


def _check_axes_known(plan: Plan) -> None:
    """Guesses about many images could contradict each other, and nobody would see it."""
    for planned in plan.inputs:
        if planned.bound.axes_guessed:
            image = planned.bound.image
            raise AxesError(
                f"{image.name} does not say its axes; they look like {','.join(image.axes or ())}, "
                "but of many images nothing is guessed: give axes= (--axes)"
            )
