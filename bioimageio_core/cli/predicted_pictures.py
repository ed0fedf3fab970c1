"""Pictures of predictions that ``bmz predict --picture`` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .output_files import check_file_apart

if TYPE_CHECKING:
    from ..prediction.many.requests import PredictionRequest
    from ..prediction.output.result import Prediction
    from ..prediction.planning.plan import Plan

__all__ = ["draw", "replaces", "several_pictures", "single_picture"]


def replaces(options: Mapping[str, Any]) -> bool:
    """Return whether an existing picture is replaced: where the output is, or where a run is continued, which may have drawn it."""
    return bool(options.get("overwrite") or options.get("resume") or options.get("shard"))


def single_picture(
    template: str | None, plan: Plan, inputs: Any, output: str, *, models: Sequence[str], scene: Any, replace: bool
) -> str | None:
    """Return the path of the picture of one prediction, which is checked; None if there is none.

    Raises:
        InputError: The path does not end in ``.png``, or nothing can be drawn.
        OutputError: The picture would overwrite something.

    """
    if template is None:
        return None
    from ..prediction.output.output_names import fill_template
    from ..report.pictures.picture_file import check_picture
    from ..report.pictures.prediction_picture import check_drawable

    path = fill_template(template, inputs, scene=scene)
    check_drawable(plan)
    check_picture(path, plan, output, overwrite=replace)
    check_file_apart(path, models)
    return path


def several_pictures(
    template: str | None, requests: Sequence[PredictionRequest], *, models: Sequence[str], scene: Any, replace: bool
) -> dict[str, str]:
    """Return the path of the picture of each output, all of which are checked before anything is predicted.

    Raises:
        InputError: It is no template, a path does not end in ``.png``, or two predictions have the same picture.
        OutputError: A picture would overwrite something.

    """
    if template is None:
        return {}
    from ..errors import InputError
    from ..io.places_of_arrays import places_of
    from ..places import check_apart
    from ..prediction.output.output_names import fill_template, is_template
    from ..report.pictures.picture_file import check_picture

    if not is_template(template):
        raise InputError(f"--picture is {template!r}: expected a template for many images, as in pictures/{{name}}.png")
    images = [("an image", place) for request in requests for image in _images(request.inputs) for place in places_of(image)]
    found: dict[str, str] = {}
    for request in requests:
        path = fill_template(template, request.inputs, request.number, scene=scene)
        if path in found.values():
            raise InputError(f"several predictions have the same picture {path}: use {{folder}}, {{number}} or {{scene}} in the template")
        check_picture(path, None, request.output, overwrite=replace)
        check_apart(path, images, within=True)
        check_file_apart(path, models)
        found[request.output] = path
    return found


def _images(inputs: Any) -> tuple[Any, ...]:
    return tuple(inputs.values()) if isinstance(inputs, Mapping) else (inputs,)


def draw(prediction: Prediction, path: str | None, *, replace: bool) -> str | None:
    """Draw a prediction, if it is complete, and return the path of the picture; None if there is none."""
    if path is None or not prediction.finished:
        return None
    from ..api import prediction_picture

    prediction_picture(prediction, path, overwrite=replace)
    return path
