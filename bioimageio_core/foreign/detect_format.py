"""Which registered format a file of another system is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import BioimageioError, InputError, PluginError
from ..registry import ForeignFormat, ForeignFormatEntry, Registry, published_by

__all__ = ["check_options", "choose_format", "load_reader", "plugin_of"]


def choose_format(path: Path, registry: Registry, name: str | None) -> tuple[ForeignFormatEntry, ForeignFormat]:
    """Return the format of a file or folder and what reads it: that of the name, else the only one whose pattern and bytes fit.

    Args:
        path: The file or folder.
        registry: What is registered.
        name: The format asked for, or None.

    Raises:
        InputError: There is no such format, none fits, or several do.
        PluginError: What reads the format cannot be imported, or cannot tell whether the file is of it.

    """
    if name is not None:
        entry = registry.foreign_formats.get(name)
        if entry is None:
            failure = registry.failure_of(name)
            because = f" ({failure.message})" if failure is not None else published_by("foreign_formats", name)
            raise InputError(f"no installed plugin reads the format {name!r}{because}: expected one of {_listed(registry)}")
        return entry, load_reader(entry, registry)
    fitting = []
    broken = []
    for entry in registry.foreign_formats.values():
        if not any(fnmatchcase(path.name.lower(), pattern.lower()) for pattern in entry.patterns):
            continue
        try:
            reader = load_reader(entry, registry)
            if _sniffed(entry, reader, path, registry):
                fitting.append((entry, reader))
        except BioimageioError as error:  # one plugin's fault is no reason not to ask the others
            broken.append(error)
    if len(fitting) > 1:
        names = ", ".join(entry.name for entry, _ in fitting)
        raise InputError(f"{path} may be of several formats ({names}): say which one (--from {fitting[0][0].name}, format=...)")
    if fitting:
        return fitting[0]
    if broken:
        raise broken[0]
    raise InputError(f"{path} is of no format that an installed plugin reads: expected one of {_listed(registry)}")


def check_options(name: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse arguments that a format does not take.

    Args:
        name: Name of the format.
        given: The arguments, by name.
        known: Names of those that it takes.

    Raises:
        InputError: There is no such argument.

    """
    unknown = [option for option in given if option not in known]
    if unknown:
        raise InputError(f"the format {name!r} has no option {unknown[0]!r}: expected one of {', '.join(known) or 'none'}")


def load_reader(entry: ForeignFormatEntry, registry: Registry) -> ForeignFormat:
    """Import what reads a format.

    Raises:
        PluginError: It cannot be imported.

    """
    try:
        return entry.load()
    except BioimageioError:
        raise
    except Exception as error:  # whatever a stranger's module raises
        raise PluginError(f"format {entry.name!r} of {plugin_of(entry, registry)} cannot be loaded: {_words(error)}") from error


def plugin_of(entry: ForeignFormatEntry, registry: Registry) -> str:
    """Return the distribution that brings a format, with its version."""
    plugin = registry.provenance.get(("foreign_formats", entry.name))
    return f"{plugin.distribution} {plugin.version}".strip() if plugin is not None else "no distribution"


def _sniffed(entry: ForeignFormatEntry, reader: ForeignFormat, path: Path, registry: Registry) -> bool:
    try:
        return bool(reader.sniff(path))
    except BioimageioError:
        raise
    except Exception as error:  # whatever a stranger's code raises
        message = f"format {entry.name!r} of {plugin_of(entry, registry)} cannot tell whether {path} is of it: {_words(error)}"
        raise PluginError(message) from error


def _listed(registry: Registry) -> str:
    known = [f"{name} ({', '.join(entry.patterns)})" for name, entry in sorted(registry.foreign_formats.items())]
    return ", ".join(known) or "(no plugin reads any)"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
