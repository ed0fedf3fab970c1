"""One attempt to predict an image; whatever fails, an error of this library included, does not stop other images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from ...errors import AxesError, BioimageioError
from ...shown import Shown
from ...text import in_brief, in_one_line, kind_of_object
from ..output.output_names import location_of
from ..output.result import Prediction
from ..planning.plan import Plan
from ..predictor import Predictor
from .requests import PredictionRequest

__all__ = ["Failed", "attempt", "check_axes_known", "may_run_ahead", "run"]

R = TypeVar("R")


@attrs.frozen(kw_only=True, repr=False)
class Failed(Shown):
    """An image whose prediction failed."""

    inputs: Any
    output: str
    error: BioimageioError

    @property
    def image(self) -> str:
        """The image in words: where it is read from, or what kind of array it is."""
        return location_of(self.inputs) or kind_of_object(self.inputs)

    def __repr__(self) -> str:
        return f"<Failed {self.image}: {in_one_line(str(self.error))}>"


def attempt(request: PredictionRequest, do: Callable[[], R]) -> R | Failed:
    """Return what a function returns for an image, or the failure."""
    try:
        return do()
    except BioimageioError as error:
        return Failed(inputs=request.inputs, output=request.output, error=error)
    except Exception as error:
        return Failed(inputs=request.inputs, output=request.output, error=_unexpected(error))


def may_run_ahead(predictor: Predictor) -> bool:
    """Return whether small images may run before the results of others are asked for: not where each reports its progress, or other
    processes share it.
    """
    options = predictor.options
    reports = options.progress is True or options.callback is not None
    return predictor.runs_side_by_side and options.shard is None and not options.probe and not reports


def run(predictor: Predictor, request: PredictionRequest, plan: Plan) -> Prediction | Failed:
    """Carry out the plan of a small image, which shows no progress of its own."""
    return attempt(request, lambda: predictor.run(plan, request.output, progress=False))


def check_axes_known(plan: Plan) -> None:
    """Refuse guessed axes: guesses for several images could contradict each other unnoticed.

    Raises:
        AxesError: The axes of an image are guessed.

    """
    for planned in plan.inputs:
        if planned.bound.axes_guessed:
            image = planned.bound.image
            raise AxesError(
                f"the axes of {image.name} are unknown; they look like {','.join(image.axes or ())}, "
                "but axes of many images are not guessed: give axes= (--axes)"
            )


def _unexpected(error: Exception) -> BioimageioError:
    """Return an unforeseen error as one for users; its type tells developers where to look."""
    failed = BioimageioError(f"the prediction failed unexpectedly: {in_brief(error, named=True)}")
    failed.__cause__ = error
    return failed
