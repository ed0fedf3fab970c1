"""The functions behind the façade: thin orchestration, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from .drafting.draft import DraftedModel, draft_model
from .errors import InvalidDescriptionError, MissingRequirementError, SourceError, UnknownExtensionError, YamlError
from .foreign import ImportedModel, import_foreign
from .packaging import write_package
from .prediction.loaded import LoadedModel
from .prediction.options import PredictOptions, Progress
from .prediction.predictor import Predictor, active_client, evolve_options
from .prediction.reproduce import TestReport, test_weights
from .prediction.result import LabelledArray, Prediction
from .prediction.verify import VerifyReport, verify_blocks
from .probing.measured import MeasuredNetwork
from .registry import Registry, collect
from .report.model_card import model_card
from .report.resource_card import ResourceCard, resource_card
from .sources import Package, Source, open_package
from .spec.node import Node
from .spec.saving import save_description
from .spec.structuring import unstructure
from .spec.updating import load_tree, update_tree
from .spec.validation import Issue, ValidationReport, read_tree, validate_tree
from .spec.yaml import load_yaml

__all__ = [
    "card",
    "default_registry",
    "import_model",
    "init_description",
    "json_schema",
    "load_description",
    "load_model_description",
    "measure_network",
    "open_predictor",
    "package_files",
    "plugins",
    "predict",
    "save_description",
    "save_package",
    "test_model",
    "update_format",
    "validate",
    "verify",
]


@cache
def default_registry() -> Registry:
    """Return the registry of all installed plugins, collected once."""
    return collect()


def plugins() -> Registry:
    """Return what is registered, by whom, and what failed to register."""
    return default_registry()


def load_description(source: Source | Package, format_version: str = "discover") -> Any:
    """Load a description, by default in the version in which it is written.

    Args:
        source: A path to a file, folder or zip, a URL that fsspec can open, an id in the collection, bytes, or a mapping.
        format_version: ``discover``: as it is written; ``latest``: brought to the newest format version of its type;
            or a version such as ``0.5``, if it is one of these two.

    Returns:
        A frozen instance of the class of its type and version, such as `bioimageio_core.spec.model.v0_5.ModelDescr`
        or `bioimageio_core.spec.dataset.v0_2.DatasetDescr`; models of format 0.3 become those of 0.4.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its format, or has no valid counterpart in the newest; ``report`` holds every problem.
        InputError: It can not be had in that format version.

    """
    package = open_package(source)
    return load_tree(_tree(package), default_registry(), package.name, format_version)


def load_model_description(source: Source | Package, format_version: str = "discover") -> Any:
    """Load the description of a model; see `load_description`.

    Raises:
        InvalidDescriptionError: It describes something else, or breaks its format.
        InputError: It can not be had in that format version.

    """
    package = open_package(source)
    return load_tree(_model_tree(package), default_registry(), package.name, format_version)


def validate(source: Source | Package, *, check_files: bool = False) -> ValidationReport:
    """Judge a description by its format alone, whatever is installed; never raises for content.

    Args:
        source: What `load_description` takes.
        check_files: Look up the files that it names as well: whether they are there, within the package, not empty, of the SHA-256 that is
            said, and whether test tensors and covers are what the description says. Files at URLs are fetched.

    Raises:
        SourceError: There is nothing there.

    """
    if isinstance(source, Package):
        return _validate(source, check_files)
    with open_package(source) as package:
        return _validate(package, check_files)


def _validate(package: Package, check_files: bool) -> ValidationReport:
    try:
        tree = _tree(package)
    except YamlError as error:
        issue = Issue(loc=(), message=str(error), severity="error")
        return ValidationReport(source=package.name, type="", format_version="", status="invalid", issues=(issue,))
    if not check_files:
        return validate_tree(tree, default_registry(), package.name)
    from .checks import files_not_checked, with_checked_files

    try:
        descr, report = read_tree(tree, default_registry(), package.name)
    except InvalidDescriptionError as error:
        return files_not_checked(error.report)
    return with_checked_files(report, descr, package)


def card(source: Source | Package) -> ResourceCard:
    """Return what a resource is at a glance; notebooks show it as a page.

    Nothing is fetched but the description itself, and no framework is imported.

    Args:
        source: What `load_description` takes.

    Returns:
        Its facts; of a model a `bioimageio_core.report.model_card.ModelCard`, with what it takes and gives and what can be run here.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its format.

    """
    with open_package(source) as package:
        descr, report = read_tree(_tree(package), default_registry(), package.name)
        return model_card(descr, package, default_registry(), report) if descr.type == "model" else resource_card(descr, package, report)


def update_format(
    source: Source | Package, *, repair: bool = False, report: Callable[[ValidationReport], None] = lambda report: None
) -> Any:
    """Load a description and bring it to the newest format version of its type: 0.5 for models, 0.3 for all others.

    Args:
        source: What `load_description` takes.
        repair: Mend a description that breaks its format, or has no valid counterpart in the newest, where it is certain what is meant;
            what no version can read is kept in its ``config``. The others are as they are without.
        report: Told what that took: issues of severity ``info`` for what is said in another way,
            ``warning`` for what is said elsewhere now, had to be assumed, was repaired or was lost, each with its path.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its own format, or has no valid counterpart in the newest; ``report`` of the error says where.

    """
    package = open_package(source)
    if repair:
        from .spec.repair import repaired

        descr, found = repaired(package.content, default_registry(), package.name)
    else:
        descr, found = update_tree(_tree(package), default_registry(), package.name)
    report(found)
    return descr


def json_schema(type: str | None = None, format_version: str | None = None) -> dict[str, Any]:  # noqa: A002 (the word of the format)
    """Return the JSON Schema (draft 2020-12) of descriptions, for editors and for programs in other languages.

    Ops and weights of installed plugins are part of it; those of others are allowed whatever they hold.

    Args:
        type: A resource type, such as ``model``; None: any.
        format_version: Major and minor, such as ``0.5``, or a full version; None: any.

    Raises:
        InputError: There are no such descriptions.

    """
    from .spec.schema import json_schema

    return json_schema(default_registry(), type=type, format_version=format_version)


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
    return Predictor(_load(model), evolve_options(PredictOptions(), options))


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


def _predict_from_worker(
    model: Source, inputs: Any, output: Any, options: dict[str, Any]
) -> tuple[dict[str, LabelledArray], dict[str, Mapping[str, Any]]]:
    """Predict within a task of a cluster; return what can be sent to a process without its plugins."""
    from distributed import worker_client

    with worker_client() as client, open_predictor(model, **{**options, "client": client}) as predictor:
        prediction = predictor.predict(inputs, output)
    return dict(prediction), {"statistics": prediction.statistics, "times": prediction.times, "nan_counts": prediction.nan_counts}


def test_model(source: Source | Package, *, report: Callable[[str], None] = lambda stage: None, **options: Any) -> TestReport:
    """Run a model on its test inputs in every weights format that can be run here, and compare with its test outputs.

    Args:
        source: What `load_description` takes.
        report: Told which weights format is tested.
        options: `weights_format`, `device`, `trust` of `PredictOptions`.

    """
    return test_weights(_load(source), evolve_options(PredictOptions(), options), report)


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


def measure_network(source: Source | Package, *, again: bool = False, **options: Any) -> MeasuredNetwork:
    """Measure which sizes the network of a model takes, its stride, and how much halo it needs, by running it on noise.

    What is measured is remembered by the SHA-256 of the weights, and shown by `card`.

    Args:
        source: What `load_description` takes.
        again: Measure even if something is remembered.
        options: `weights_format`, `device`, `trust` and `progress` of `PredictOptions`.

    Raises:
        ModelRunError: The network fails on inputs that the description allows.

    """
    from .probing.of_model import measure_model

    chosen = evolve_options(PredictOptions(), options)
    report = chosen.progress or (lambda stage, done, total: None)
    with open_package(source) as package:
        return measure_model(_load(package), chosen, report, again=again)


def save_package(
    source: Source | Package | Node, path: str | Path, *, weights_formats: Sequence[str] | None = None, overwrite: bool = False
) -> Path:
    """Write a description with copies of all files that it names, so that the result needs nothing else.

    Files lie beside the description under unique names, and their SHA-256 is filled in where the format has a field for it.
    The same description and files give the same bytes.
    A package that could not be written whole is not there at all.

    Args:
        source: What `load_description` takes, or a description; the paths of the latter have to be absolute.
        path: A zip if it ends in ``.zip``, else a folder.
        weights_formats: The weights to keep; None keeps all.
        overwrite: Replace a package that is there.

    Returns:
        The path.

    Raises:
        SourceError: A file is missing, or cannot be fetched.
        HashMismatchError: A file is not the one that the description names.
        InputError: The model has none of some weights format.
        OutputError: Something is there already, or cannot be written.

    """
    target = Path(path).expanduser()
    with open_package(unstructure(source) if isinstance(source, Node) else source) as package:
        descr, _ = read_tree(_tree(package), default_registry(), package.name)
        write_package(descr, package, default_registry(), target, weights_formats=weights_formats, overwrite=overwrite)
    return target


def import_model(path: str | Path, folder: str | Path, format: str | None = None, *, overwrite: bool = False) -> ImportedModel:  # noqa: A002
    """Read a model of another system into a folder with a description and all files that it names.

    Which formats are read depends on the plugins that are installed.
    A folder that could not be written whole is not there at all.

    Args:
        path: A file or folder.
        folder: The folder to write.
        format: Name of the format; None: the only one whose pattern and first bytes fit.
        overwrite: Replace a package that is there.

    Returns:
        The folder, the format, and what validation says of the description.

    Raises:
        SourceError: There is nothing at ``path``.
        InputError: No format fits, several do, or the file is broken.
        PluginError: The plugin that reads the format fails.
        InvalidDescriptionError: The plugin returns a description that breaks its format.
        OutputError: Something is there already, or cannot be written.

    """
    return import_foreign(Path(path).expanduser(), Path(folder).expanduser(), default_registry(), format=format, overwrite=overwrite)


def init_description(
    path: str | Path,
    folder: str | Path,
    *,
    name: str | None = None,
    axes: str | Mapping[str, str] | None = None,
    size: Mapping[str, int] | None = None,
    weights_format: str | None = None,
    trust: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> DraftedModel:
    """Begin a description from the weights of a network, in a folder with test tensors, documentation and a cover.

    What the file says is read, and what it does not say is measured by running the network or, as the axes, guessed.
    What could not be known has a placeholder that says TODO, and is listed.
    A folder that could not be written whole is not there at all.

    Args:
        path: ONNX, TorchScript, an archive of `torch.export` (``.pt2``), ``.keras``, ``.h5``, or a zip with a TensorFlow SavedModel.
        folder: The folder to write.
        name: Of the model; None: that of the folder.
        axes: Axes of the inputs instead of a guess, as in ``"bcyx"``; by id of the input where they differ.
        size: Sizes that the network is known to take, by axis.
        weights_format: Format of the file; None: what its content says.
        trust: Run code that comes with the weights.
        overwrite: Replace a package that is there.
        progress: Called as ``progress(stage, done, total)``.

    Returns:
        The folder, what was measured and guessed, and what is to be filled in.

    Raises:
        SourceError: There is no such file.
        InputError: It is of no format that can be begun from, or the network takes nothing of what was tried.
        MissingRequirementError: What runs the format is not installed.
        OutputError: Something is there already, or cannot be written.

    """
    return draft_model(
        Path(path).expanduser(),
        Path(folder).expanduser(),
        default_registry(),
        name=name,
        axes={"": axes} if isinstance(axes, str) else axes,
        sizes=size,
        weights_format=weights_format,
        trust=trust,
        overwrite=overwrite,
        report=progress or (lambda stage, done, total: None),
    )


def package_files(path: Path) -> Mapping[str, int]:
    """Return the names of the files in a package on this machine, and their sizes in bytes when unpacked."""
    if path.is_dir():
        return {file.name: file.stat().st_size for file in sorted(path.iterdir()) if file.is_file()}
    with ZipFile(path) as opened:
        return {info.filename: info.file_size for info in opened.infolist()}


def _load(source: Source | Package) -> LoadedModel:
    package = open_package(source)
    descr, _ = read_tree(_model_tree(package), default_registry(), package.name)
    return LoadedModel.of(descr, package, default_registry())


def _model_tree(package: Package) -> Mapping[str, Any]:
    """Return the tree of a model; that it is something else is said before anything that is wrong with it."""
    tree = _tree(package)
    type_ = tree.get("type", "model")
    if isinstance(type_, str) and type_ != "model":
        raise InvalidDescriptionError(f"{package.name} describes a resource of type {type_!r}: expected a model")
    return tree


def _tree(package: Package) -> Mapping[str, Any]:
    content = package.content
    if isinstance(content, bytes):
        try:
            tree: Mapping[str, Any] = load_yaml(content, source=package.name)
        except UnicodeDecodeError:
            raise SourceError(f"{package.name} is no text: expected a YAML file or a zip") from None
        return tree
    return content
