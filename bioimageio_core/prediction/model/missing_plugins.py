"""Checks that plugins for all ops and the run mode of a model are installed, before anything is planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import DescriptionError, UnknownExtensionError
from ...registry import OWN_PLUGINS, PluginFailure, Registry, plugin_hint
from ...spec.node import Issue
from .tensor_spec import ModelIO
from .weights_selection import runnable_formats

__all__ = ["check_runnable", "why_not_runnable"]


def check_runnable(descr: Any, model: ModelIO, registry: Registry) -> None:
    """Raise one error that names everything that prevents a model from running: ops, the run mode, and the weights if none can run.

    Weights alone raise no error here, since the user may choose among them later.

    Args:
        descr: The description.
        model: The same, normalised.
        registry: What is registered.

    Raises:
        UnknownExtensionError: No installed plugin provides an op or the run mode.
        DescriptionError: A plugin refuses the arguments of its op or run mode.

    """
    missing = list(_missing(model, registry))
    refused = [f"{'.'.join(map(str, p.loc))}: {p.message}" for p in _refused(descr)]
    if missing:
        words = [f"{_WORDS[kind]} {name!r}{plugin_hint(kind, name)}" for kind, name in missing]
        answers = runnable_formats(descr.weights, registry)
        if all(answers.values()):
            none = [name for name in answers if not registry.adapters_for(name)]
            words += [f"weights {name!r}{plugin_hint('weights_formats', name)}" for name in none]
            refused += [f"weights.{name}: {why}" for name, why in answers.items() if name not in none]
        broken = [failure.message for kind, name in missing if (failure := _failure(kind, name, registry)) is not None]
        because = f" ({'; '.join(broken)})" if broken else ""
        also = f"; it also cannot run with {'; '.join(refused)}" if refused else ""
        raise UnknownExtensionError(
            f"model {model.name!r} cannot be run: no installed plugin provides {_listed(words)}{because}{also}; "
            "install one that does ('bmz plugins' lists what is registered)"
        )
    if refused:
        raise DescriptionError(f"model {model.name!r} cannot be run: installed plugins refuse its arguments at {'; '.join(refused)}")


def why_not_runnable(descr: Any, model: ModelIO, registry: Registry) -> str:
    """Return why a model cannot run here, whatever its weights; empty if its ops and its run mode can.

    Args:
        descr: The description.
        model: The same, normalised.
        registry: What is registered.

    """
    missing = [f"{_WORDS[kind]} {name!r}{plugin_hint(kind, name)}" for kind, name in _missing(model, registry)]
    if missing:
        return f"no installed plugin provides {_listed(missing)}"
    refused = [".".join(map(str, problem.loc)) for problem in _refused(descr)]
    return f"installed plugins refuse the arguments at {_listed(refused)}" if refused else ""


_WORDS = {"processing_ops": "op", "run_modes": "run mode"}


def _missing(model: ModelIO, registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield kind and name of each op, sorted, then of the run mode."""
    runnable = {name for name, entry in registry.processing_ops.items() if not entry.described_only}
    for name in sorted({op.name for t in (*model.inputs, *model.outputs) for op in t.ops} - runnable):
        yield "processing_ops", name
    if model.run_mode is not None and model.run_mode not in registry.run_modes:
        yield "run_modes", model.run_mode


def _refused(descr: Any) -> Iterator[Issue]:
    """Yield why plugins refuse ops and the run mode of a description, with complete paths."""
    steps = [
        ((key, n, where, m), step)
        for key, where in (("inputs", "preprocessing"), ("outputs", "postprocessing"))
        for n, tensor in enumerate(getattr(descr, key))
        for m, step in enumerate(getattr(tensor, where))
    ]
    for loc, part in (*steps, (("run_mode",), descr.run_mode)):
        for problem in getattr(part, "refused", ()):
            yield Issue(loc=(*loc, *problem.loc), message=problem.message)


def _failure(kind: str, name: str, registry: Registry) -> PluginFailure | None:
    """Return the failure of the plugin that provides a name, if its name or distribution identifies one."""
    distribution = OWN_PLUGINS.get((kind, name))
    of_distribution = (f for f in registry.failures if distribution is not None and f.plugin.distribution == distribution)
    return registry.failure_of(name) or next(of_distribution, None)


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
