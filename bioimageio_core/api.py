"""The functions behind the façade: thin orchestration, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from .errors import InvalidDescriptionError, SourceError, YamlError
from .prediction.loaded import LoadedModel
from .prediction.options import PredictOptions
from .prediction.predictor import Predictor, evolve_options
from .prediction.reproduce import TestReport, test_weights
from .prediction.result import Prediction
from .prediction.verify import VerifyReport, verify_blocks
from .registry import Registry, collect
from .sources import Package, open_package
from .sources.package import Source
from .spec.validation import Issue, ValidationReport, read_tree, validate_tree
from .spec.yaml import load_yaml

__all__ = [
    "default_registry",
    "json_schema",
    "load_description",
    "load_model_description",
    "open_predictor",
    "plugins",
    "predict",
    "test_model",
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


def load_description(source: Source | Package) -> Any:
    """Load a description in the version in which it is written.

    Args:
        source: A path to a file, folder or zip, a URL that fsspec can open, bytes, or a mapping.

    Returns:
        A frozen instance of the class of its type and version, such as `bioimageio_core.spec.model.v0_5.ModelDescr`.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It breaks its format; ``report`` holds every problem.

    """
    package = open_package(source)
    return read_tree(_tree(package), default_registry(), package.name)[0]


def load_model_description(source: Source | Package) -> Any:
    """Load the description of a model; see `load_description`.

    Raises:
        InvalidDescriptionError: It describes something else, or breaks its format.

    """
    descr = load_description(source)
    if descr.type != "model":
        raise InvalidDescriptionError(f"{open_package(source).name} describes a {descr.type}: expected a model")
    return descr


def validate(source: Source | Package) -> ValidationReport:
    """Judge a description by its format alone, whatever is installed; never raises for content.

    Raises:
        SourceError: There is nothing there.

    """
    package = open_package(source)
    try:
        tree = _tree(package)
    except YamlError as error:
        issue = Issue(loc=(), message=str(error), severity="error")
        return ValidationReport(source=package.name, type="", format_version="", status="invalid", issues=(issue,))
    return validate_tree(tree, default_registry(), package.name)


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
    with open_predictor(model, **options) as predictor:
        return predictor.predict(inputs, output)


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


def _load(source: Source | Package) -> LoadedModel:
    package = open_package(source)
    descr, _ = read_tree(_tree(package), default_registry(), package.name)
    if descr.type != "model":
        raise InvalidDescriptionError(f"{package.name} describes a {descr.type}: expected a model")
    return LoadedModel.of(descr, package, default_registry())


def _tree(package: Package) -> Mapping[str, Any]:
    content = package.content
    if isinstance(content, bytes):
        try:
            tree: Mapping[str, Any] = load_yaml(content, source=package.name)
        except UnicodeDecodeError:
            raise SourceError(f"{package.name} is no text: expected a YAML file or a zip") from None
        return tree
    return content
