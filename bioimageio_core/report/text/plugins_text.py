"""Plugins and their entries as text."""

from __future__ import annotations

import attrs

from ...registry import HOOKS, Registry, missing_requirements
from ..plain_text import table

__all__ = ["PLUGINS_HEADER", "EntryRow", "entry_rows", "plugins_rows", "plugins_text"]

PLUGINS_HEADER = ("kind", "name", "from", "missing", "summary")

SHOWN = 6
"""Endings of names of files that the table shows of an entry."""


@attrs.frozen(kw_only=True)
class EntryRow:
    """An entry of a plugin."""

    kind: str
    name: str
    plugin: str
    missing: str
    """What it lacks here, in words; empty if nothing."""

    summary: str
    files: tuple[str, ...]
    """Endings or patterns of names of files that it is for."""


def plugins_text(registry: Registry) -> str:
    """Return a table of all entries."""
    return table(plugins_rows(registry), PLUGINS_HEADER)


def plugins_rows(registry: Registry) -> list[tuple[str, ...]]:
    """Return a row for each entry, by kind and name."""
    return [(row.kind, row.name, row.plugin, row.missing, _with_endings(row)) for row in entry_rows(registry)]


def entry_rows(registry: Registry) -> list[EntryRow]:
    """Return all entries, by kind and name."""
    return [_row(registry, kind, name, entry) for kind in HOOKS for name, entry in sorted(getattr(registry, kind).items())]


def _row(registry: Registry, kind: str, name: str, entry: object) -> EntryRow:
    plugin = registry.provenance[(kind, name)]
    missing = missing_requirements(getattr(entry, "requires", ()))
    lacks = f"needs {', '.join(missing)}" if missing else ""
    if getattr(entry, "described_only", False):
        lacks = "described only: needs a plugin that runs it"
    return EntryRow(
        kind=kind,
        name=name,
        plugin=f"{plugin.distribution} {plugin.version}",
        missing=lacks,
        summary=str(getattr(entry, "summary", "")),
        files=tuple(getattr(entry, "suffixes", getattr(entry, "patterns", ()))),
    )


def _with_endings(row: EntryRow) -> str:
    """Return a summary with the first names of files that an entry is for."""
    shown = ", ".join(row.files[:SHOWN]) + (", ..." if len(row.files) > SHOWN else "")
    return f"{row.summary} ({shown})".strip() if shown else row.summary
