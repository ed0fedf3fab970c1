"""Models at work: predicted with, tested, verified, measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import MissingRequirementError, UnknownExtensionError
from ..model_tests.test_report import TestReport
from ..model_tests.weights_tests import test_weights
from ..network_analysis.network_geometry import NetworkAnalysis
from ..prediction.data.expand_image_paths import expand_image_paths
from ..prediction.execution.executors.base import Executor
from ..prediction.execution.executors.threads import Threads
from ..prediction.image_statistics import measure_for_model, measure_images, parse_measure
from ..prediction.options import PredictOptions, evolve_options
from ..prediction.output.result import LabelledArray, Prediction
from ..prediction.predict_many import Failed, Many, plan_many
from ..prediction.predict_many import predict_many as predict_all
from ..prediction.predictor import Predictor, active_client
from ..prediction.statistics_file import Statistics
from ..prediction.verify import VerifyReport, verify_blocks
from ..resources import allotted_cores
from ..sources import Package, Source, open_package
from .loading import load_model

__all__ = ["analyse_network", "compute_statistics", "open_predictor", "predict", "predict_many", "test_model", "verify"]


def open_predictor(model: Source | Package, **options: Any) -> Predictor:
    """Open a model for planning and predicting; a context manager.

    Args:
        model: What `load_description` takes.
        options: See `PredictOptions`.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: The description breaks its format.
        UnknownExtensionError: No plugin brings some of its ops or its run mode.

    """
    return Predictor(load_model(model), evolve_options(PredictOptions(), options))


def predict(model: Source | Package, inputs: Any, output: Any = None, **options: Any) -> Prediction:
    """Run a model on images of any size.

    Args:
        model: What `load_description` takes.
        inputs: One image for a model with one input, or a mapping by tensor id:
            arrays (numpy, dask, zarr, xarray) or paths (``.npy``, ``.tif``, ``.zarr``).
        output: Path or URL of a zarr group to write, with one array per output; None returns numpy arrays.
        options: See `PredictOptions`.

    Returns:
        Outputs by id, along the axes that the model describes, behind axes of the image that the model lacks.

    Raises:
        BioimageioError: See the classes in `bioimageio_core.errors`.

    """
    try:
        with open_predictor(model, **options) as predictor:
            return predictor.predict(inputs, output)
    except (UnknownExtensionError, MissingRequirementError):
        client = active_client(evolve_options(PredictOptions(), options))
        if client is None:
            raise
    # The workers may have what this process lacks, so one of them plans and submits the work to all.
    submitted = client.submit(_predict_from_worker, model, inputs, output, {**options, "client": None, "progress": None}, pure=False)
    try:
        outputs, more = submitted.result()
    finally:
        submitted.cancel()
    return Prediction(outputs, plan=None, **more)


def predict_many(model: Source | Package, inputs: Any, output: str, **options: Any) -> Iterator[Prediction | Failed]:
    """Run a model on many images, one after the other, with one network; what is wrong with one of them does not stop the rest.

    Args:
        model: What `load_description` takes.
        inputs: A pattern (``data/*.tif``), a folder, or a sequence of what `predict` takes.
        output: Template of the outputs, as in ``results/{name}.zarr``, with ``{name}``, ``{folder}`` and ``{number}``; or a folder.
        options: See `PredictOptions`. With ``resume`` those that are done are left as they are.

    Returns:
        An iterator of the prediction of each image, or of a `Failed` with its error.

    Raises:
        InputError: Two images would go to one place, or axes of some image would have to be guessed.

    """
    found = expand_image_paths([os.fspath(inputs)]) if isinstance(inputs, str | os.PathLike) else tuple(inputs)
    planned = plan_many(found, str(output))
    return _predict_all(open_predictor(model, **options), planned)


def _predict_all(predictor: Predictor, planned: Sequence[Many]) -> Iterator[Prediction | Failed]:
    with predictor:
        yield from predict_all(predictor, planned)


def compute_statistics(
    images: Any,
    model: Source | Package | None = None,
    *,
    measures: Iterable[str] = ("mean", "std"),
    over: Iterable[str] = (),
    **options: Any,
) -> Statistics:
    """Measure images out of core, exactly: all together and each of them.

    Args:
        images: A path, pattern, folder or array, or a sequence of them.
        model: Measure what its preprocessing wants, for ``predict(statistics=...)``.
        measures: Without a model: some of ``mean``, ``std``, ``min``, ``max``, ``median`` and ``percentile 99.8``,
            by interpolation (numpy's ``linear``); with ``inverted_cdf`` behind a percentile, an element of the image.
        over: Axes to reduce over; none means all.
        options: `axes`, `channel`, `level`, `stats_over`, `client`, `workers` and `progress` of `PredictOptions`.

    Raises:
        InputError: Images do not fit the model or each other, or there is no such measure.

    """
    chosen = evolve_options(PredictOptions(), options)
    if isinstance(images, str | os.PathLike):
        sources: Sequence[Any] = expand_image_paths([os.fspath(images)])
    else:
        sources = list(images) if isinstance(images, list | tuple) else [images]
    client = active_client(chosen)
    executor: Executor = Threads()
    if client is not None:
        from ..prediction.execution.executors.dask_cluster import Cluster

        executor = Cluster(client)
    workers = chosen.workers or allotted_cores()
    if model is None:
        wanted = [parse_measure(text, tuple(over)) for text in measures]
        return measure_images(sources, wanted, chosen, executor=executor, workers=workers)
    with open_package(model) as package:
        return measure_for_model(load_model(package), sources, chosen, executor=executor, workers=workers)


def _predict_from_worker(
    model: Source, inputs: Any, output: Any, options: dict[str, Any]
) -> tuple[dict[str, LabelledArray], dict[str, Mapping[str, Any]]]:
    """Predict within a task of a cluster; return what can be sent to a process without its plugins."""
    from distributed import worker_client

    with worker_client() as client, open_predictor(model, **{**options, "client": client}) as predictor:
        prediction = predictor.predict(inputs, output)
    return dict(prediction), {"statistics": prediction.statistics, "times": prediction.times, "nan_counts": prediction.nan_counts}


def test_model(
    source: Source | Package,
    *,
    quick: bool = False,
    isolated: bool = False,
    report: Callable[[str], None] = lambda stage: None,
    **options: Any,
) -> TestReport:
    """Run a model on its test inputs in every weights format that can be run here, and compare with its test outputs.

    Sizes other than those of the test inputs are tried, too, and batches, as far as the description promises them,
    and blockwise prediction is compared with that of the whole.

    Args:
        source: What `load_description` takes.
        quick: Compare with the test outputs, and try nothing else.
        isolated: Test each weights format in a virtual environment of its own, with what pip installs for it from its index;
            dependencies that the model names itself are installed only where it is trusted.
        report: Told what is tested.
        options: `weights_format`, `device`, `precision`, `compile`, `trust` of `PredictOptions`.

    Raises:
        InputError: The model lacks the weights format asked for.
        SourceError: A test tensor is missing, or is no array.

    """
    if isolated:
        from ..environments.isolated_test import test_isolated

        return test_isolated(load_model(source), evolve_options(PredictOptions(), options), quick=quick, report=report)
    return test_weights(load_model(source), evolve_options(PredictOptions(), options), sizes=not quick, blocks=not quick, report=report)


test_model.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


def verify(source: Source | Package, inputs: Any = None, *, tolerance: float = 1e-4, **options: Any) -> VerifyReport:
    """Measure whether blockwise prediction equals that of the whole image.

    Args:
        source: What `load_description` takes.
        inputs: The images to measure on; None takes the test inputs, repeated to span several blocks.
        tolerance: Greatest difference allowed, as ``|blockwise - whole| <= tolerance * max(1, |whole|)``.
        options: See `PredictOptions`.

    """
    with open_predictor(source, **options) as predictor:
        return verify_blocks(predictor, inputs, tolerance=tolerance)


def analyse_network(source: Source | Package, *, again: bool = False, **options: Any) -> NetworkAnalysis:
    """Measure which sizes the network of a model takes, its stride, and how much halo it needs, by running it on noise.

    What is measured is remembered by the SHA-256 of the weights, and shown by `card`.

    Args:
        source: What `load_description` takes.
        again: Measure even if something is remembered.
        options: `weights_format`, `device`, `trust` and `progress` of `PredictOptions`.

    Raises:
        ModelRunError: The network fails on inputs that the description allows.

    """
    from ..network_analysis.analyse_model import analyse_model

    chosen = evolve_options(PredictOptions(), options)
    report = chosen.progress or (lambda stage, done, total: None)
    with open_package(source) as package:
        return analyse_model(load_model(package), chosen, report, again=again)
