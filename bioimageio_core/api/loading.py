"""The registry of all installed plugins, and models loaded with it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from ..consent import consents_from_environment, with_consent
from ..errors import BioimageioError, DescriptionError, InvalidDescriptionError, PluginError, PredictionWarning
from ..packaging.package_places import package_places
from ..places import Place, place_of
from ..prediction.model.loaded_model import LoadedModel
from ..prediction.options import PredictOptions
from ..registry import Registry, default_registry
from ..sources import Package, Source, open_package
from ..spec.converters import unstructured
from ..spec.updating import package_tree
from ..spec.validation import read_tree, reading_of

__all__ = ["default_registry", "load_model", "load_with_consent", "model_tree", "plugins", "source_places"]


def plugins() -> Registry:
    """Return the registry: registered entries with their distributions, and failures of plugins."""
    return default_registry()


TOLERANCES = ("config", "bioimageio", "reproducibility_tolerance")
"""Where a description says by how much test outputs may differ, which is of no concern to predictions."""


def load_model(source: Source | Package, *, tested: bool = False) -> LoadedModel:
    """Return a model that predictions can be planned with.

    Args:
        source: Any source of `load_description`.
        tested: Whether its outputs are compared with the test outputs, so that tolerances have to obey the format.

    Warns:
        PredictionWarning: Its tolerances break the format, and are left out.

    Raises:
        SourceError: The source cannot be found or read.
        InvalidDescriptionError: The description is not one of a model, or breaks its format.
        UnknownExtensionError: No installed plugin provides one of the ops or the run mode.

    """
    package = open_package(source)
    tree = model_tree(package)
    reading = reading_of(tree, default_registry(), package.name)
    wrong = reading.report.errors
    if not tested and wrong and all(issue.loc[:3] == TOLERANCES for issue in wrong):
        message = f"{package.name}: the tolerances for test outputs break the format, on which predictions do not depend: {wrong[0]}"
        warnings.warn(message, PredictionWarning, stacklevel=2)
        reading = reading_of(_without_tolerances(tree), default_registry(), package.name)
    return LoadedModel.of(_with_run_mode_expanded(reading.valid(), package, default_registry()), package, default_registry())


def load_with_consent(source: Source | Package, options: PredictOptions, *, tested: bool = False) -> tuple[LoadedModel, PredictOptions]:
    """Return a model and the options to use it with: code of a model that the user trusted before needs no `trust`.

    Raises what `load_model` does.
    """
    return with_consent(load_model(source, tested=tested), options, consents_from_environment())


def _without_tolerances(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    own = {key: value for key, value in tree["config"]["bioimageio"].items() if key != TOLERANCES[-1]}
    return {**tree, "config": {**tree["config"], "bioimageio": own}}


def _with_run_mode_expanded(descr: Any, package: Package, registry: Registry) -> Any:
    """Return a description in which the run mode is rewritten to processing ops, if its plugin does so.

    Raises:
        InputError: The run mode refuses the description.
        PluginError: The plugin of the run mode fails.

    """
    entry = registry.run_modes.get(descr.run_mode.name) if descr.run_mode is not None else None
    if entry is None or entry.rewrite is None:
        return descr
    try:
        tree = entry.rewrite(unstructured(descr, registry), lambda source: package.local(source).read_bytes())
    except BioimageioError:
        raise
    except Exception as error:  # plugins may raise anything
        raise PluginError(f"run mode {entry.name!r} cannot be expanded for {package.name}: {type(error).__name__}: {error}") from error
    return read_tree(tree, registry, f"{package.name} in the run mode {entry.name!r}")[0]


def model_tree(package: Package) -> Mapping[str, Any]:
    """Return the tree of a model; check the type of resource before everything else.

    Raises:
        InvalidDescriptionError: The description is not one of a model.

    """
    tree = package_tree(package)
    type_ = tree.get("type", "model")
    if isinstance(type_, str) and type_ != "model":
        raise InvalidDescriptionError(f"{package.name} describes a resource of type {type_!r}: expected a model")
    return tree


def source_places(source: Source | Package) -> tuple[Place, ...]:
    """Return the places that a resource is read from: of its description, and of the files that it names if it is valid.

    Raises:
        SourceError: The source cannot be found or read.

    """
    with open_package(source) as package:
        try:
            descr, _ = read_tree(package_tree(package), default_registry(), package.name)
        except DescriptionError:
            return tuple(map(place_of, package.locations))
        return package_places(descr, package)
