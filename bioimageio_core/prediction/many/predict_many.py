"""Predicts many images with one network; a failure of one image does not stop the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ...errors import InputError
from ...io.places_of_arrays import places_of, unknown_origin
from ...places import check_apart, place_of
from ..execution.executors.chosen_client import chosen_client
from ..output.inputs_kept import check_images_known
from ..output.output_names import fill_template
from ..output.result import Prediction
from ..planning.plan import Plan
from ..predictor import Predictor
from .attempts import Failed, attempt, check_axes_known, may_run_ahead, run
from .on_workers import Alone, results_of_workers
from .requests import PredictionRequest
from .side_by_side import SideBySide

__all__ = ["predict_many"]


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
    client = chosen_client(options.client)
    if client is None:
        yield from _in_this_process(predictor, requests, tables)
        return
    for request, table, result in zip(requests, tables, results_of_workers(predictor, requests, tables, client), strict=True):
        yield _alone(predictor, request, table, continued=result.continued) if isinstance(result, Alone) else result


def _in_this_process(
    predictor: Predictor, requests: Sequence[PredictionRequest], tables: Sequence[str | None]
) -> Iterator[Prediction | Failed]:
    with SideBySide[Prediction | Failed](predictor, len(requests)) as side_by_side:
        for request, table in zip(requests, tables, strict=True):
            small = attempt(request, partial(_small_plan, predictor, request, table, side_by_side)) if may_run_ahead(predictor) else None
            if isinstance(small, Plan):
                yield from side_by_side.add(small, partial(run, predictor, request))
            else:
                yield from side_by_side.rest()
                yield small or _alone(predictor, request, table)
        yield from side_by_side.rest()


def _small_plan(predictor: Predictor, request: PredictionRequest, table: str | None, side_by_side: SideBySide[Any]) -> Plan | None:
    """Return the plan of a small image, after warnings about it; None for an image that is predicted alone."""
    plan = _planned(predictor, request, table, workers=1)  # more would cut a small image
    if side_by_side.at_once(plan) == 1:
        return None
    plan.warn()
    return plan


def _alone(predictor: Predictor, request: PredictionRequest, table: str | None, *, continued: bool = False) -> Prediction | Failed:
    """Predict an image with all cores, or on all workers of a cluster.

    Args:
        predictor: The predictor.
        request: The image.
        table: Its table.
        continued: Whether its output is continued, which another process of this prediction may have begun.

    """
    resume = predictor.options.resume or continued

    def predict() -> Prediction:
        plan = _planned(predictor, request, table, resume=resume)
        plan.warn()
        plan = predictor.probed(plan, request.inputs, request.output, table=table, resume=resume)
        return predictor.run(plan, request.output, resume=resume)

    return attempt(request, predict)


def _planned(predictor: Predictor, request: PredictionRequest, table: str | None, **options: Any) -> Plan:
    plan = predictor.plan(request.inputs, request.output, table=table, **options)
    check_axes_known(plan)
    return plan


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
