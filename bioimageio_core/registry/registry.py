"""The immutable result of collecting plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec

import attrs

from ..shown import Shown
from ..typing import FrozenMapping
from .entries import (
    CommandEntry,
    ConsumerEntry,
    ForeignFormatEntry,
    ImageReaderEntry,
    ImageWriterEntry,
    ProcessingOpEntry,
    RunModeEntry,
    WeightsAdapterEntry,
    WeightsConverterEntry,
    WeightsFormatEntry,
)

__all__ = ["Plugin", "PluginFailure", "Registry", "missing_requirements"]

WORDS: Mapping[str, str] = FrozenMapping(
    processing_ops="op",
    weights_formats="weights format",
    weights_adapters="weights adapter",
    weights_converters="converter",
    run_modes="run mode",
    foreign_formats="format",
    image_readers="image reader",
    image_writers="image writer",
    consumers="consumer",
    commands="command",
)
"""What an entry of each kind is called in errors."""


@attrs.frozen(kw_only=True)
class Plugin:
    """An installed plugin that provides entries: entry point, module and distribution."""

    name: str
    """Name of the entry point."""

    module: str
    distribution: str
    version: str
    import_seconds: float = attrs.field(default=0.0, eq=False)
    """Time that importing the module took, without what was imported before it."""


@attrs.frozen(kw_only=True)
class PluginFailure:
    """A failure of a plugin; it does not affect other plugins."""

    plugin: Plugin
    message: str
    entry: str = ""
    """Name of the entry that is unusable, where the failure concerns a single one."""


@attrs.frozen(kw_only=True, repr=False)
class Registry(Shown):
    """All registered entries by name, and what failed to register."""

    processing_ops: FrozenMapping[str, ProcessingOpEntry] = FrozenMapping()
    weights_formats: FrozenMapping[str, WeightsFormatEntry] = FrozenMapping()
    weights_adapters: FrozenMapping[str, WeightsAdapterEntry] = FrozenMapping()
    weights_converters: FrozenMapping[str, WeightsConverterEntry] = FrozenMapping()
    run_modes: FrozenMapping[str, RunModeEntry] = FrozenMapping()
    foreign_formats: FrozenMapping[str, ForeignFormatEntry] = FrozenMapping()
    image_readers: FrozenMapping[str, ImageReaderEntry] = FrozenMapping()
    image_writers: FrozenMapping[str, ImageWriterEntry] = FrozenMapping()
    consumers: FrozenMapping[str, ConsumerEntry] = FrozenMapping()
    commands: FrozenMapping[str, CommandEntry] = FrozenMapping()
    plugins: tuple[Plugin, ...] = ()
    failures: tuple[PluginFailure, ...] = ()
    provenance: FrozenMapping[tuple[str, str], Plugin] = FrozenMapping()
    """The plugin behind each ``(kind, entry name)``."""

    additions: frozenset[tuple[str, str]] = frozenset()
    """Each ``(kind, entry name)`` that third-party plugins add to those of the model format."""

    def __repr__(self) -> str:
        failures = f"; {len(self.failures)} failure{'s' * (len(self.failures) != 1)}" if self.failures else ""
        return f"<Registry {len(self.provenance)} entries of {len(self.plugins)} plugins{failures}>"

    def words_for(self, kind: str, name: str) -> str:
        """Return an entry and the distribution that brings it in words, as in ``op 'gamma' of my-ops 1.0``."""
        plugin = self.provenance.get((kind, name))
        of = "" if plugin is None else f" of {plugin.distribution} {plugin.version}".rstrip()
        return f"{WORDS[kind]} {name!r}{of}"

    def adapters_for(self, weights_format: str) -> tuple[WeightsAdapterEntry, ...]:
        """Return the adapters of a weights format, the most preferred first, whether installed or not."""
        found = [a for a in self.weights_adapters.values() if a.weights_format == weights_format]
        return tuple(sorted(found, key=lambda a: (-a.preference, a.name)))

    def failure_of(self, name: str) -> PluginFailure | None:
        """Return why the entry ``name`` is unusable, if a plugin tried to bring it."""
        return next((f for f in self.failures if name in (f.entry, f.plugin.name)), None)


def missing_requirements(requires: Iterable[str], find: Callable[[str], object] = find_spec) -> tuple[str, ...]:
    """Return those importable names of ``requires`` that are not installed, importing none of them."""
    return tuple(name for name in requires if not _is_installed(name, find))


def _is_installed(name: str, find: Callable[[str], object]) -> bool:
    """Return whether a module can be found, without importing it or its parents."""
    top, *below = name.split(".")
    try:
        spec = find(top)
    except ImportError:  # from an import hook
        return False
    except ValueError:  # imported already, by other means than a spec
        return True
    for part in below:
        places = getattr(spec, "submodule_search_locations", None)
        spec = PathFinder.find_spec(f"{top}.{part}", list(places)) if places is not None else None
        top = f"{top}.{part}"
    return spec is not None
