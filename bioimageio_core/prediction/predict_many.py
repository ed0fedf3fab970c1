"""Predicts many images one after the other; a failure of one image does not stop the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from ..errors import AxesError, BioimageioError, InputError
from ..io.locations import stem
from .data.bind_inputs import warn_of_images
from .output.result import Prediction
from .planning.plan import Plan
from .predictor import Predictor

__all__ = ["Failed", "PredictionRequest", "plan_many", "predict_many"]


@attrs.frozen(kw_only=True)
class Failed:
    """An image whose prediction failed."""

    inputs: Any
    output: str
    error: BioimageioError


@attrs.frozen(kw_only=True)
class PredictionRequest:
    """An image to predict, and the path of its output."""

    inputs: Any
    """One image, or a mapping by tensor id, as for `Predictor.predict`."""

    output: str


def plan_many(inputs: Sequence[Any], template: str) -> tuple[PredictionRequest, ...]:
    """Return the prediction requests for many images.

    Args:
        inputs: Images, or mappings of images by tensor id.
        template: As in ``results/{name}.zarr``: ``{name}`` is the file name without extension, ``{number}`` counts from 0,
            ``{folder}`` is the name of the folder of the file. Without braces: a folder for outputs with the names of the images.

    Raises:
        InputError: The template has unknown fields, or two images have the same output.

    """
    if "{" not in template:
        template = template.rstrip("/") + "/{name}.zarr"
    planned: dict[str, PredictionRequest] = {}
    for number, one in enumerate(inputs):
        first = next(iter(one.values())) if isinstance(one, Mapping) else one
        location = os.fspath(first) if isinstance(first, str | os.PathLike) else f"{number}"
        parts = str(location).replace("\\", "/").rstrip("/").split("/")
        try:
            output = template.format(name=stem(str(location)), number=number, folder=parts[-2] if len(parts) > 1 else "")
        except (KeyError, IndexError, ValueError):
            raise InputError(
                f"output {template!r}: expected the fields {{name}}, {{folder}} or {{number}}, as in results/{{name}}.zarr"
            ) from None
        if output in planned:
            raise InputError(
                f"{planned[output].inputs} and {one} have the same output {output}: "
                "expected a distinct output for each; use {folder} or {number} in the template"
            )
        planned[output] = PredictionRequest(inputs=one, output=output)
    return tuple(planned.values())


def predict_many(predictor: Predictor, requests: Iterable[PredictionRequest]) -> Iterator[Prediction | Failed]:
    """Predict images one after the other; yield a `Failed` for each image whose prediction fails."""
    for request in requests:
        try:
            plan = predictor.plan(request.inputs, request.output)
            _check_axes_known(plan)
            warn_of_images(i.bound for i in plan.inputs)
            yield predictor.run(predictor.probed(plan, request.inputs, request.output), request.output)
        except BioimageioError as error:
            yield Failed(inputs=request.inputs, output=request.output, error=error)


def _check_axes_known(plan: Plan) -> None:
    """Refuse guessed axes: guesses for several images could contradict each other unnoticed."""
    for planned in plan.inputs:
        if planned.bound.axes_guessed:
            image = planned.bound.image
            raise AxesError(
                f"the axes of {image.name} are unknown; they look like {','.join(image.axes or ())}, "
                "but axes of many images are not guessed: give axes= (--axes)"
            )
