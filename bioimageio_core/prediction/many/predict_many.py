"""Predicts many images with one network; a failure of one image does not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import attrs

from ...errors import AxesError, BioimageioError, InputError
from ...io.places_of_arrays import places_of, unknown_origin
from ...places import check_apart, place_of
from ...shown import Shown
from ...text import in_brief, in_one_line, kind_of_object
from ..output.inputs_kept import check_images_known
from ..output.output_names import fill_template, location_of
from ..output.result import Prediction
from ..planning.plan import Plan
from ..predictor import Predictor
from .requests import PredictionRequest
from .side_by_side import SideBySide

__all__ = ["Failed", "predict_many"]

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


def predict_many(predictor: Predictor, requests: Sequence[PredictionRequest]) -> Iterator[Prediction | Failed]:
    """Predict images, small ones side by side; yield a `Failed` for each image whose prediction fails, for whatever reason.

    Results are in the order of the requests. Small images are started before the results of those before are asked for.

    Raises:
        OutputError: An output would overwrite the mask, the statistics or the model, or may overwrite an image of which
            it is not known where it is read from; nothing is predicted.

    """
    options = predictor.options
    read = [("the mask", place) for place in places_of(options.mask)]
    read += [("the model", place) for place in predictor.model.places]
    if options.statistics.path is not None:
        read.append(("the statistics", place_of(options.statistics.path)))
    unknown = [(r.name, image) for r in requests for image in r.images if unknown_origin(image) is not None]
    for request in requests:
        check_apart(request.output, read)
        if options.overwrite:
            check_images_known(request.output, unknown)
    tables = _tables(options.table, requests, scene=options.scene)
    with SideBySide[Prediction | Failed](predictor) as side_by_side:
        for request, table in zip(requests, tables, strict=True):
            plan = _attempt(request, partial(_planned, predictor, request, table))
            if isinstance(plan, Failed):
                yield from side_by_side.rest()
                yield plan
            elif side_by_side.at_once(plan) > 1:
                yield from side_by_side.add(plan, partial(_run, predictor, request))
            else:
                yield from side_by_side.rest()
                yield _run(predictor, request, plan)
        yield from side_by_side.rest()


def _planned(predictor: Predictor, request: PredictionRequest, table: str | None) -> Plan:
    """Return the plan of an image, after warnings about it."""
    plan = predictor.plan(request.inputs, request.output, table=table)
    _check_axes_known(plan)
    plan.warn()
    return predictor.probed(plan, request.inputs, request.output, table=table)


def _run(predictor: Predictor, request: PredictionRequest, plan: Plan) -> Prediction | Failed:
    return _attempt(request, partial(predictor.run, plan, request.output))


def _attempt(request: PredictionRequest, do: Callable[[], R]) -> R | Failed:
    """Return what a function returns for an image; whatever fails, an error of this library included, does not stop other images."""
    try:
        return do()
    except BioimageioError as error:
        return Failed(inputs=request.inputs, output=request.output, error=error)
    except Exception as error:
        return Failed(inputs=request.inputs, output=request.output, error=_unexpected(error))


def _tables(template: str | None, requests: Sequence[PredictionRequest], *, scene: int | str | None) -> tuple[str | None, ...]:
    """Return the table of each image.

    Raises:
        InputError: Two images have the same table.

    """
    if template is None:
        return (None,) * len(requests)
    tables = tuple(fill_template(template, r.inputs, r.number, scene=scene) for r in requests)
    first: dict[str, PredictionRequest] = {}
    for request, table in zip(requests, tables, strict=True):
        if first.setdefault(table, request) is not request:
            raise InputError(
                f"{first[table].name} and {request.name} have the same table {table}: "
                "expected a distinct table for each, as in table='{name}.csv' (--table '{name}.csv')"
            )
    return tables


def _unexpected(error: Exception) -> BioimageioError:
    """Return an unforeseen error as one for users; its type tells developers where to look."""
    failed = BioimageioError(f"the prediction failed unexpectedly: {in_brief(error, named=True)}")
    failed.__cause__ = error
    return failed


def _check_axes_known(plan: Plan) -> None:
    """Refuse guessed axes: guesses for several images could contradict each other unnoticed."""
    for planned in plan.inputs:
        if planned.bound.axes_guessed:
            image = planned.bound.image
            raise AxesError(
                f"the axes of {image.name} are unknown; they look like {','.join(image.axes or ())}, "
                "but axes of many images are not guessed: give axes= (--axes)"
            )
