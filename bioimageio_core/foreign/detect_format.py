"""Detects the format of a file of another system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import BioimageioError, InputError
from ..registry import ForeignFormat, ForeignFormatEntry, Registry, blamed, plugin_hint

__all__ = ["check_options", "choose_format", "load_reader"]


def choose_format(path: Path, registry: Registry, name: str | None) -> tuple[ForeignFormatEntry, ForeignFormat]:
    """Return the format of a file or folder and its reader: the named format, else the only one whose pattern and content fit.

    Args:
        path: The file or folder.
        registry: The registry with the formats.
        name: The requested format, or None.

    Raises:
        InputError: The format does not exist, no format fits, or several do.
        PluginError: The reader cannot be imported, or fails while it looks at the file.

    """
    if name is not None:
        entry = registry.foreign_formats.get(name)
        if entry is None:
            failure = registry.failure_of(name)
            because = f" ({failure.message})" if failure is not None else plugin_hint("foreign_formats", name)
            raise InputError(f"no installed plugin reads the format {name!r}{because}: expected one of {_listed(registry)}")
        return entry, load_reader(entry, registry)
    fitting = []
    broken = []
    for entry in registry.foreign_formats.values():
        if not any(fnmatchcase(path.name.lower(), pattern.lower()) for pattern in entry.patterns):
            continue
        try:
            reader = load_reader(entry, registry)
            with blamed(f"recognising {path} with {registry.words_for('foreign_formats', entry.name)}"):
                fits = reader.sniff(path)
            if fits:
                fitting.append((entry, reader))
        except BioimageioError as error:  # a broken plugin must not hide the others
            broken.append(error)
    if len(fitting) > 1:
        names = ", ".join(entry.name for entry, _ in fitting)
        raise InputError(
            f"{path} may be of several formats ({names}): choose one, as format='{fitting[0][0].name}' (--from {fitting[0][0].name})"
        )
    if fitting:
        return fitting[0]
    if broken:
        raise broken[0]
    raise InputError(f"{path} is of no format that an installed plugin reads: expected one of {_listed(registry)}")


def check_options(name: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse options that a format does not have.

    Args:
        name: Name of the format.
        given: The options, by name.
        known: Names of the options that it has.

    Raises:
        InputError: An option is unknown.

    """
    unknown = [option for option in given if option not in known]
    if unknown:
        raise InputError(f"the format {name!r} has no option {unknown[0]!r}: expected one of {', '.join(known) or 'none'}")


def load_reader(entry: ForeignFormatEntry, registry: Registry) -> ForeignFormat:
    """Import the reader of a format.

    Raises:
        PluginError: The reader cannot be imported.

    """
    with blamed(f"loading {registry.words_for('foreign_formats', entry.name)}"):
        return entry.load()


def _listed(registry: Registry) -> str:
    known = [f"{name} ({', '.join(entry.patterns)})" for name, entry in sorted(registry.foreign_formats.items())]
    return ", ".join(known) or "(no plugin reads any)"
