"""The packages that one weights format of a model needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import attrs

from ..errors import InputError, UnknownExtensionError
from ..prediction.model.loaded_model import LoadedModel
from ..registry import OWN_PLUGINS, WeightsAdapterEntry, blamed
from ..shown import Shown
from ..text import in_one_line
from .dependencies import Dependencies, own_dependencies

__all__ = ["Environment", "environment_of"]

LIBRARY = "bioimageio-runtime"
"""The distribution of this library."""


@attrs.frozen(kw_only=True, repr=False)
class Environment(Shown):
    """An environment for one weights format of a model."""

    name: str
    """Name of the environment for conda."""

    weights_format: str
    adapter: str
    python: str
    """The supported versions of Python, as in ``>=3.11``."""

    requirements: tuple[str, ...]
    """Requirements for pip: this library, plugins, and frameworks in the described versions."""

    own: Dependencies
    """Requirements in a file that the model names."""

    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Environment {self.name}: {', '.join(self.requirements)}>"

    def conda_file(self) -> str:
        """Return the text of a conda environment file."""
        from ..spec.yaml import dump_yaml

        pip = list(dict.fromkeys([*self.requirements, *self.own.pip]))
        tree = {
            "name": self.name,
            "channels": list(dict.fromkeys([*self.own.channels, "conda-forge", "nodefaults"])),
            "dependencies": [f"python{self.python}", "pip", *self.own.conda, {"pip": pip}],
        }
        return "".join(f"# {line}\n" for line in self.notes) + dump_yaml(tree)

    def pip_file(self) -> str:
        """Return the text of a requirements file for pip; conda packages of the model are listed as comments."""
        lines = [*(f"# {line}" for line in self.notes), *self.requirements, *self.own.pip]
        lines += [f"# of conda: {package}" for package in self.own.conda]
        return "".join(f"{line}\n" for line in dict.fromkeys(lines))


def environment_of(model: LoadedModel, weights_format: str | None = None, *, trust: bool = False) -> Environment:
    """Return the environment that a model needs; imports no framework.

    Args:
        model: The model.
        weights_format: The weights to run; None: the preferred ones if everything were installed.
        trust: Whether packages and channels that the model itself names are part of it.

    Raises:
        InputError: The model has no such weights.
        UnknownExtensionError: No installed plugin runs them.
        PluginError: The plugin that runs them fails.
        SourceError: The file of the model's own dependencies is missing, or cannot be read.

    """
    if weights_format is not None and weights_format not in model.weights:
        raise InputError(f"the model has no {weights_format!r} weights: expected one of {', '.join(model.weights)}")
    wanted = [weights_format] if weights_format is not None else list(model.weights)
    adapters = [a for name in wanted for a in model.registry.adapters_for(name)]
    if not adapters:
        raise UnknownExtensionError(f"no installed plugin runs the weights of this model ({', '.join(wanted)}): install one that does")
    adapter = max(adapters, key=lambda a: a.preference)
    entry = model.weights[adapter.weights_format]
    with blamed(f"environment of {model.registry.words_for('weights_adapters', adapter.name)}"):
        own = tuple(adapter.environment(entry)) if adapter.environment is not None else ()
    needed = dict.fromkeys([*_plugins(model, adapter), *own])
    dependencies = own_dependencies(entry, model.package)
    return Environment(
        name=re.sub(r"[^a-z0-9]+", "-", f"{model.io.name} {adapter.weights_format}".lower()).strip("-"),
        weights_format=adapter.weights_format,
        adapter=adapter.name,
        python=metadata.metadata(LIBRARY)["Requires-Python"] or "",
        requirements=tuple(needed),
        own=dependencies if trust else Dependencies(source=dependencies.source),
        notes=(*_notes(model.io.name, adapter, entry), *_left_out(dependencies, trust=trust)),
    )


def _plugins(model: LoadedModel, adapter: WeightsAdapterEntry) -> Iterator[str]:
    """Yield the distributions of the adapter, the ops and the run mode of a model."""
    registry = model.registry
    yield adapter.extra or registry.provenance[("weights_adapters", adapter.name)].distribution
    names = [("processing_ops", op.name) for t in (*model.io.inputs, *model.io.outputs) for op in t.ops]
    names += [("run_modes", model.io.run_mode)] if model.io.run_mode is not None else []
    for key in names:
        plugin = registry.provenance.get(key)
        distribution = plugin.distribution if plugin is not None else OWN_PLUGINS.get(key)
        if distribution is not None and distribution != LIBRARY:
            yield distribution


def _notes(name: str, adapter: WeightsAdapterEntry, entry: Any) -> Iterator[str]:
    yield f"for the {adapter.weights_format} weights of {in_one_line(name)}, run by {adapter.name}"
    versions = [f"{a.name} {getattr(entry, a.name)}" for a in attrs.fields(type(entry)) if a.name.endswith("_version")]
    if versions:
        yield f"described: {', '.join(versions)}"


def _left_out(dependencies: Dependencies, *, trust: bool) -> Iterator[str]:
    if not trust and (dependencies.pip or dependencies.conda or dependencies.left_out):
        yield f"without the packages that {in_one_line(dependencies.source)} of the model names: trust=True (--trust) adds them"
    for line in dependencies.left_out if trust else ():
        yield f"without {line!r} of {in_one_line(dependencies.source)}: only packages by name are installed, from the index that you use"
