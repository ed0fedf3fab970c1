"""The registry of all installed plugins, and models loaded with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..errors import BioimageioError, InvalidDescriptionError, PluginError
from ..prediction.model.loaded_model import LoadedModel
from ..registry import Registry, collect
from ..sources import Package, Source, open_package
from ..spec.converters import unstructured
from ..spec.updating import package_tree
from ..spec.validation import read_tree

__all__ = ["default_registry", "load_model", "model_tree", "plugins"]


@cache
def default_registry() -> Registry:
    """Return the registry of all installed plugins, collected once."""
    return collect()


def plugins() -> Registry:
    """Return what is registered, by whom, and what failed to register."""
    return default_registry()


def load_model(source: Source | Package) -> LoadedModel:
    """Return a model that is ready to be planned with.

    Raises:
        SourceError: There is nothing there.
        InvalidDescriptionError: It describes something else, or breaks its format.
        UnknownExtensionError: No plugin brings some of its ops or its run mode.

    """
    package = open_package(source)
    descr, _ = read_tree(model_tree(package), default_registry(), package.name)
    return LoadedModel.of(_written_out(descr, package, default_registry()), package, default_registry())


def _written_out(descr: Any, package: Package, registry: Registry) -> Any:
    """Return a description with all that its run mode stands for.

    Raises:
        InputError: The run mode cannot be written out.
        PluginError: The plugin that brings it fails.

    """
    entry = registry.run_modes.get(descr.run_mode.name) if descr.run_mode is not None else None
    if entry is None or entry.rewrite is None:
        return descr
    try:
        tree = entry.rewrite(unstructured(descr, registry), lambda source: package.local(source).read_bytes())
    except BioimageioError:
        raise
    except Exception as error:  # whatever a stranger's code raises
        raise PluginError(f"run mode {entry.name!r} cannot be written out for {package.name}: {type(error).__name__}: {error}") from error
    return read_tree(tree, registry, f"{package.name} in the run mode {entry.name!r}")[0]


def model_tree(package: Package) -> Mapping[str, Any]:
    """Return the tree of a model; that it is something else is said before anything that is wrong with it."""
    tree = package_tree(package)
    type_ = tree.get("type", "model")
    if isinstance(type_, str) and type_ != "model":
        raise InvalidDescriptionError(f"{package.name} describes a resource of type {type_!r}: expected a model")
    return tree
