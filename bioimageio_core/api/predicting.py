"""Predicts with models; tests, verifies and measures them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Unpack

import attrs

from ..errors import InputError, MissingRequirementError, UnknownExtensionError
from ..io.reading.image_parts import expand_parts
from ..labelled_arrays import LabelledArray
from ..model_tests.evidence import gather_evidence
from ..model_tests.remembered_tests import remember_test
from ..model_tests.test_report import TestReport
from ..model_tests.weights_tests import test_weights
from ..prediction.data.expand_image_paths import expand_image_paths
from ..prediction.execution.chosen_executor import executor_of
from ..prediction.execution.executors.chosen_client import chosen_client
from ..prediction.geometry.network_geometry import NetworkAnalysis
from ..prediction.image_statistics import measure_for_model, measure_images, parse_measure
from ..prediction.many.attempts import Failed
from ..prediction.many.predict_many import predict_many as predict_all
from ..prediction.many.requests import PredictionRequest, plan_many
from ..prediction.option_values import output_location
from ..prediction.options import PredictOptions, evolve_options
from ..prediction.output.result import Prediction
from ..prediction.predict_kwargs import AnalysisKwargs, PredictKwargs, StatisticsKwargs, WeightsKwargs, shows_options
from ..prediction.predictor import Predictor
from ..prediction.statistics_file import Statistics
from ..prediction.verify import TOLERANCE, VerifyReport, verify_blocks
from ..progress import no_progress, shown_progress
from ..resources import allotted_cores
from ..sources import Package, Source, open_package
from .chains import Models, open_chain
from .loading import load_with_consent

__all__ = [
    "analyse_network",
    "compute_statistics",
    "open_predictor",
    "predict",
    "predict_many",
    "prediction_picture",
    "test_model",
    "verify",
]


@shows_options(PredictKwargs)
def open_predictor(model: Models, **options: Unpack[PredictKwargs]) -> Predictor:
    """Open a model for planning and predicting; a context manager.

    Args:
        model: Any source of `load_description`; or a list of them, each of which takes outputs of those before, as one prediction:
            those that its description names (``output_of``), those of the same id, or the only output.
            A member may be an open predictor, with options of its own.
        options: See `PredictOptions`.

    Raises:
        SourceError: The source cannot be found or read.
        InvalidDescriptionError: The description breaks its format.
        UnknownExtensionError: No installed plugin provides one of the ops or the run mode.
        InputError: The list is empty, or a model takes no output of those before.

    """
    return open_chain(model, options)


@shows_options(PredictKwargs)
def predict(model: Models, inputs: Any, output: Any = None, **options: Unpack[PredictKwargs]) -> Prediction:
    """Run a model on images of any size.

    Args:
        model: Any source of `load_description`; or a list of them, see `open_predictor`.
        inputs: One image for a model with one input, or a mapping by tensor id:
            arrays (numpy, dask, zarr, xarray) or paths of files in a format that is read.
        output: Path or URL of a zarr group to write, with one array per output; None returns numpy arrays.
        options: See `PredictOptions`.

    Returns:
        Outputs by id: axes of the image that the model lacks, then the described axes of the output.

    Raises:
        BioimageioError: See the classes in `bioimageio_core.errors`.

    """
    try:
        with open_predictor(model, **options) as predictor, shown_progress(predictor.options.progress) as progress:
            return predictor.predict(inputs, output, progress=progress)
    except (UnknownExtensionError, MissingRequirementError):
        client = chosen_client(options.get("client"))
        if client is None:
            raise
    # The workers may have plugins that this process lacks, so one of them plans and submits the tasks.
    from ..prediction.execution.executors.submissions import result_of

    patience = options.get("wait_for_workers")
    own = {**options, "client": None, "progress": None}
    outputs, more = result_of(client, _predict_from_worker, model, inputs, output, own, wait_for_workers=patience)
    return Prediction(outputs, plan=None, **more)


@shows_options(PredictKwargs)
def predict_many(
    model: Models, inputs: Any, output: str | os.PathLike[str], **options: Unpack[PredictKwargs]
) -> Iterator[Prediction | Failed]:
    """Run a model on many images with one network, small ones side by side; a failure of one image does not stop the rest.

    Args:
        model: Any source of `load_description`.
        inputs: A pattern (``data/*.tif``), a folder, or a sequence of inputs of `predict`.
        output: Template of the outputs, as in ``results/{name}.zarr``, with ``{name}``, ``{folder}`` and ``{number}``,
            and those that set several images in one file or folder apart (``{scene}``, or ``{plate}``, ``{row}``, ``{column}`` and
            ``{field}``); or a folder.
        options: See `PredictOptions`. With ``resume``, complete outputs are left unchanged.

    Returns:
        An iterator that yields, for each image in their order, its prediction or a `Failed` with the error. Small images are predicted
        ahead of it: when it is closed early, a few further outputs are complete.

    Raises:
        InputError: Two images have the same output, or the template has unknown fields.

    """
    found = expand_image_paths([os.fspath(inputs)]) if isinstance(inputs, str | os.PathLike) else tuple(inputs)
    planned = plan_many(found, output_location(output), scene=options.get("scene"))
    return _predict_all(open_predictor(model, **options), planned)


def prediction_picture(prediction: Prediction, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False) -> bytes:
    """Draw the first image of a prediction beside its outputs, in at most 1024 x 1024 pixels.

    It shows the middle along z, and the first position along all other axes but y and x. Of an image of over 4096 pixels along y or x,
    it shows the middle. Images are grey, or in colour if they have three channels, between percentiles 0.5 and 99.5.
    Labels are drawn over the image. Of other outputs up to two channels are colours: from 0 to 1 if they lie there,
    else between the same percentiles. Where the size of pixels is known, the image has a scale bar.

    Args:
        prediction: The result of `predict`; its images are read again.
        path: PNG file to write, besides; None writes none.
        overwrite: Replace an existing file.

    Returns:
        The content of a PNG file, which notebooks show.

    Raises:
        InputError: No output has axes y and x that the image has, too; the prediction was planned elsewhere;
            or the name of the file does not end in ``.png``.
        SourceError: The image cannot be read any more.
        OutputError: The file exists, or it would overwrite an image.

    """
    from ..report.pictures.picture_file import check_picture, write_picture
    from ..report.pictures.png_picture import PngPicture
    from ..report.pictures.prediction_picture import prediction_picture as drawn

    if path is not None:
        check_picture(os.fspath(path), prediction.plan, overwrite=overwrite)
    content = PngPicture(drawn(prediction))
    if path is not None:
        write_picture(os.fspath(path), content, overwrite=overwrite)
    return content


def _predict_all(predictor: Predictor, planned: Sequence[PredictionRequest]) -> Iterator[Prediction | Failed]:
    with predictor:
        yield from predict_all(predictor, planned)


@shows_options(StatisticsKwargs)
def compute_statistics(
    images: Any,
    model: Source | Package | None = None,
    *,
    measures: Iterable[str] = ("mean", "std"),
    over: Iterable[str] = (),
    **options: Unpack[StatisticsKwargs],
) -> Statistics:
    """Measure images exactly and out of core.

    With a model, statistics of the dataset or of each image are measured, as its ops need; without, those of all images together.

    Args:
        images: A path, pattern, folder or array, or a sequence of them; of plates and of files that hold several images, all of these.
        model: Any source of `load_description`; measure the statistics that its preprocessing needs, for ``predict(statistics=...)``.
        measures: Without a model: some of ``mean``, ``std``, ``min``, ``max``, ``median``, ``count`` (of pixels that
            are not NaN), ``histogram 256 0 65535`` (number of bins, and their range) and ``percentile 99.8``,
            by interpolation (numpy's ``linear``); with ``inverted_cdf`` after a percentile, an element of the image.
        over: Axes to reduce; none means all.
        options: `axes`, `channel`, `level`, `scene`, `run_mode`, `run_mode_kwargs`, `stats_over`, `client`, `wait_for_workers`,
            `workers` and `progress` of `PredictOptions`.

    Raises:
        InputError: There are no images, they do not match the model or each other, or a measure is unknown.

    """
    chosen = evolve_options(PredictOptions(), options)
    if isinstance(images, str | os.PathLike):
        sources: Sequence[Any] = expand_image_paths([os.fspath(images)])
    else:
        sources = list(images) if isinstance(images, list | tuple) else [images]
    if chosen.scene is None:
        sources = expand_parts(sources)
    if not sources:
        where = f" in {images}" if isinstance(images, str | os.PathLike) else ""
        raise InputError(f"no images{where} to measure: expected files of a format that is read, such as .tif, .zarr or .png")
    client = chosen_client(chosen.client)
    workers = chosen.workers or allotted_cores()
    with executor_of(client, wait_for_workers=chosen.wait_for_workers) as executor, shown_progress(chosen.progress) as progress:
        chosen = attrs.evolve(chosen, progress=progress)
        if model is None:
            wanted = [parse_measure(text, tuple(over)) for text in measures]
            return measure_images(sources, wanted, chosen, executor=executor, workers=workers)
        with open_package(model) as package:
            loaded, chosen = load_with_consent(package, chosen)
            return measure_for_model(loaded, sources, chosen, executor=executor, workers=workers)


def _predict_from_worker(
    model: Models, inputs: Any, output: Any, options: dict[str, Any]
) -> tuple[dict[str, LabelledArray], dict[str, Any]]:
    """Predict within a task of a cluster; return the outputs in a form that processes without its plugins can unpickle."""
    from distributed import worker_client

    with worker_client() as client, open_predictor(model, **{**options, "client": client}) as predictor:
        prediction = predictor.predict(inputs, output)
    kept = ("statistics", "times", "nan_counts", "notes")
    return dict(prediction), {name: getattr(prediction, name) for name in kept}


@shows_options(WeightsKwargs)
def test_model(
    source: Source | Package,
    *,
    quick: bool = False,
    isolated: bool = False,
    report: Callable[[str], None] = lambda stage: None,
    **options: Unpack[WeightsKwargs],
) -> TestReport:
    """Run a model on its test inputs in every weights format that can run here, and compare with its test outputs.

    Its verdict is remembered, and shown by `card`.
    It also tests further sizes, batches if the description promises them, and whether blockwise prediction equals
    prediction of the whole image.

    Args:
        source: Any source of `load_description`.
        quick: Whether to compare with the test outputs only.
        isolated: Whether to test each weights format in its own virtual environment, with packages from the index of pip;
            dependencies that the model names itself are installed only if it is trusted.
        report: Called with the name of each stage.
        options: `weights_format`, `device`, `precision`, `compile`, `imports`, `trust` of `PredictOptions`.

    Raises:
        InputError: The model lacks the requested weights format.
        SourceError: A test tensor is missing or unreadable.

    """
    chosen = evolve_options(PredictOptions(), options)
    model, chosen = load_with_consent(source, chosen, tested=True)
    if isolated:
        from ..environments.isolated_test import test_isolated

        found = test_isolated(model, chosen, quick=quick, report=report)
    else:
        found = test_weights(model, chosen, sizes=not quick, blocks=not quick, report=report)
    found = attrs.evolve(found, evidence=gather_evidence(model.package))
    remember_test(found)
    return found


test_model.__test__ = False  # type: ignore[attr-defined]  # pytest collects functions of this name


@shows_options(PredictKwargs)
def verify(source: Source | Package, inputs: Any = None, *, tolerance: float = TOLERANCE, **options: Unpack[PredictKwargs]) -> VerifyReport:
    """Measure whether blockwise prediction equals prediction of the whole image.

    Args:
        source: Any source of `load_description`.
        inputs: The images to predict; None: the test inputs, repeated to span several blocks.
        tolerance: Greatest allowed difference: ``|blockwise - whole| <= tolerance * max(1, |whole|)``,
            which 100 pixels per million may exceed, as in test outputs.
        options: See `PredictOptions`.

    Raises:
        InputError: The image is a single block, or the fixed size of the network leaves no room for a second grid.

    """
    with open_predictor(source, **options) as predictor, shown_progress(predictor.options.progress) as progress:
        predictor.options = attrs.evolve(predictor.options, progress=progress)
        return verify_blocks(predictor, inputs, tolerance=tolerance)


@shows_options(AnalysisKwargs)
def analyse_network(source: Source | Package, *, again: bool = False, **options: Unpack[AnalysisKwargs]) -> NetworkAnalysis:
    """Analyse the valid sizes, the stride and the required halo of a network, by running it on noise.

    The measurement is remembered by the SHA-256 of the weights, and shown by `card`.

    Args:
        source: Any source of `load_description`.
        again: Whether to measure again if a measurement is remembered.
        options: `weights_format`, `device`, `imports`, `trust` and `progress` of `PredictOptions`.

    Raises:
        ModelRunError: The network fails on inputs that the description allows.

    """
    from ..network_analysis.analyse_model import analyse_model

    chosen = evolve_options(PredictOptions(), options)
    with open_package(source) as package, shown_progress(chosen.progress) as progress:
        return analyse_model(*load_with_consent(package, chosen), progress or no_progress, again=again)
