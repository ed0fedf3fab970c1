"""Plugins and their entries as text."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

import attrs

from ...registry import HOOKS, Registry, missing_requirements

__all__ = ["WIDTH", "EntryRow", "entry_rows", "plugins_text"]

WIDTH = 80
"""Characters of a line where the width of the terminal is not known."""

LEAST = 24
"""Characters beside the longest name, also on narrow terminals."""

THIS = "bioimageio-runtime"
"""The distribution whose entries do not name it."""

SHOWN = 6
"""Endings of names of files that the text shows of an entry."""


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


def plugins_text(registry: Registry, width: int = WIDTH) -> str:
    """Return all entries by kind, in lines of limited width.

    Args:
        registry: The installed plugins.
        width: Characters of a line.

    """
    kinds: dict[str, list[EntryRow]] = {}
    for row in entry_rows(registry):
        kinds.setdefault(row.kind, []).append(row)
    return "\n\n".join("\n".join([kind, *_entries(rows, width)]) for kind, rows in kinds.items())


def _entries(rows: list[EntryRow], width: int) -> Iterator[str]:
    """Yield the lines of the entries of a kind: names, and beside them what they are."""
    column = max(len(row.name) for row in rows) + 4
    beside = max(width - column, LEAST)
    for row in rows:
        about = [*wrap(_with_endings(row), beside), *wrap(row.missing, beside)]
        if not row.plugin.startswith(f"{THIS} "):
            about += wrap(f"from {row.plugin}", beside)
        name = f"  {row.name}".ljust(column)
        yield from (f"{name if n == 0 else ' ' * column}{line}".rstrip() for n, line in enumerate(about or [""]))


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
