"""Plugins found through entry points, collected into a registry."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from typing import Any

import attrs
import pluggy

from ..errors import PluginWarning
from ..typing import FrozenMapping
from . import hookspecs
from .entries import DescriptionEntry, EntryBase
from .hookspecs import API_VERSION, GROUP, HOOKS
from .registry import Plugin, PluginFailure, Registry

__all__ = ["SWITCH", "collect"]

OWN_DISTRIBUTION = "bioimageio-runtime"
SWITCH = "BMZ_DISABLE_PLUGINS"


def collect(entry_points: Iterable[metadata.EntryPoint] | None = None) -> Registry:
    """Import the plugins and return what they registered.

    A plugin that fails does not affect the others: the registry keeps the failure, and one warning reports it.
    With the environment variable ``BMZ_DISABLE_PLUGINS`` only the library's own plugins are collected.

    Args:
        entry_points: The entry points to use instead of the installed ones.

    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    failures: list[PluginFailure] = []
    plugins = _register(manager, metadata.entry_points(group=GROUP) if entry_points is None else entry_points, failures)
    found: dict[str, dict[str, Any]] = {kind: {} for kind in HOOKS}
    provenance: dict[tuple[str, str], Plugin] = {}
    additions: set[tuple[str, str]] = set()
    for kind, hook in HOOKS.items():
        implementations = {i.plugin_name: i.function for i in getattr(manager.hook, hook.name).get_hookimpls()}
        for key, plugin in plugins.items():
            if key not in implementations:
                continue
            for entry in _entries(implementations[key], hook.entry, plugin, failures):
                earlier = found[kind].get(entry.name)
                if earlier is not None and not getattr(earlier, "described_only", False):
                    first = provenance[(kind, entry.name)]
                    message = f"duplicate: {entry.name!r} is already registered by {first.distribution} {first.version}"
                    failures.append(PluginFailure(plugin=plugin, message=message, entry=entry.name))
                    continue
                if earlier is not None:  # an op of the format is described by the format, whichever plugin runs it
                    entry = attrs.evolve(entry, descr={**entry.descr, **earlier.descr})
                if plugin.distribution != OWN_DISTRIBUTION and (unusable := _unusable_class(entry)):
                    failures.append(PluginFailure(plugin=plugin, message=unusable, entry=entry.name))
                    continue
                if earlier is None and plugin.distribution != OWN_DISTRIBUTION:
                    additions.add((kind, entry.name))
                found[kind][entry.name] = entry
                provenance[(kind, entry.name)] = plugin
    for failure in failures:
        warnings.warn(
            f"plugin {failure.plugin.name!r} of {failure.plugin.distribution} {failure.plugin.version}: {failure.message}",
            PluginWarning,
            stacklevel=2,
        )
    return Registry(
        **{kind: FrozenMapping(entries) for kind, entries in found.items()},
        plugins=tuple(plugins.values()),
        failures=tuple(failures),
        provenance=FrozenMapping(provenance),
        additions=frozenset(additions),
    )


def _register(
    manager: pluggy.PluginManager, entry_points: Iterable[metadata.EntryPoint], failures: list[PluginFailure]
) -> dict[str, Plugin]:
    """Import and register plugins, the library's own first; return them by their name in the manager."""
    own_only = bool(os.environ.get(SWITCH))
    plugins = {}
    for point in sorted(entry_points, key=lambda p: (_distribution(p) != OWN_DISTRIBUTION, _distribution(p), p.name)):
        if own_only and _distribution(point) != OWN_DISTRIBUTION:
            continue
        plugin = Plugin(name=point.name, module=point.value, distribution=_distribution(point), version=_version(point))
        key = f"{plugin.distribution}:{plugin.name}"
        begin = time.perf_counter()
        try:
            module = point.load()
            _check_api_version(module)
            manager.register(module, name=key)
        except (Exception, SystemExit) as error:  # third-party modules may raise anything
            failures.append(PluginFailure(plugin=plugin, message=f"import failed: {_in_words(error)}"))
            continue
        plugins[key] = attrs.evolve(plugin, import_seconds=time.perf_counter() - begin)
        failures.extend(PluginFailure(plugin=plugin, message=message) for message in _mistaken_hooks(manager, module))
    return plugins


def _check_api_version(module: object) -> None:
    """Raise ImportError for a plugin that was written for a later interface."""
    version = getattr(module, "bioimageio_api_version", API_VERSION)
    if not isinstance(version, int) or version > API_VERSION:
        raise ImportError(
            f"it is written for version {version} of the plugin interface, this library has {API_VERSION}: update {OWN_DISTRIBUTION}"
        )


def _entries(implementation: Callable[[], Iterable[Any]], entry_type: type, plugin: Plugin, failures: list[PluginFailure]) -> list[Any]:
    """Return the valid entries of one hook of one plugin; add the others to ``failures``."""
    good = []
    try:
        for entry in implementation():
            if isinstance(entry, entry_type):
                good.append(entry)
            else:
                message = f"wrong entry: expected {entry_type.__name__}, found {type(entry).__name__}"
                failures.append(PluginFailure(plugin=plugin, message=message))
    except (Exception, SystemExit) as error:  # third-party hooks may raise anything
        name = getattr(implementation, "__name__", "hook")
        failures.append(PluginFailure(plugin=plugin, message=f"{name} raised {_in_words(error)}"))
    return good


def _unusable_class(entry: EntryBase) -> str:
    """Return why a class of an entry cannot be structured; empty if all classes can.

    Classes of the library itself are not checked here but by its tests: importing cattrs takes longer than collecting.
    """
    if not isinstance(entry, DescriptionEntry):
        return ""
    from ..structuring.support import check_class

    for place, cls in entry.classes():
        try:
            check_class(cls, entry.configure)
        except (Exception, SystemExit) as error:  # third-party classes and `configure` may raise anything
            return f"unusable class: {entry.name!r}, {place}: {_in_words(error)}"
    try:
        entry.check_names()
    except ValueError as error:
        return f"unusable class: {entry.name!r}: {error}"
    return ""


def _in_words(error: BaseException) -> str:
    """Return an error as one line of text."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _mistaken_hooks(manager: pluggy.PluginManager, module: object) -> Iterator[str]:
    """Yield a sentence for each marked function that is named like no hook, and for each function without a mark that is."""
    known = {hook.name for hook in HOOKS.values()}
    for name in dir(module):
        marked = manager.parse_hookimpl_opts(module, name) is not None
        if marked and name not in known:
            yield f"misspelt hook: there is none named {name}"
        if name in known and not marked and callable(getattr(module, name)):
            yield f"forgotten mark: {name} is not a hook without @hookimpl above it"


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "(no distribution)"


def _version(point: metadata.EntryPoint) -> str:
    return point.dist.version if point.dist is not None else ""
