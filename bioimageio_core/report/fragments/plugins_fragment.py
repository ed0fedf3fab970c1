"""Plugins and their entries in a notebook."""

from __future__ import annotations

from collections import defaultdict

from ...registry import Registry
from ..html.fragment import Fragment, FragmentTable
from ..text.plugins_text import entry_rows, plugins_text

__all__ = ["plugins_fragment"]


def plugins_fragment(registry: Registry) -> Fragment:
    """Return the entries by kind, those that lack a package, and failures."""
    kinds: dict[str, list[str]] = defaultdict(list)
    rows = entry_rows(registry)
    for row in rows:
        kinds[row.kind.replace("_", " ")].append(row.name)
    lacking = tuple((row.kind, row.name, row.missing) for row in rows if row.missing)
    return Fragment(
        kind="plugins",
        title=", ".join(dict.fromkeys(f"{p.distribution} {p.version}" for p in registry.plugins)),
        status=f"{len(registry.failures)} failed" if registry.failures else "",
        good=False if registry.failures else None,
        facts=tuple((kind, ", ".join(names)) for kind, names in kinds.items()),
        tables=(
            FragmentTable(title="cannot run here", header=("kind", "name", "missing"), rows=lacking),
            FragmentTable(title="failed", header=("plugin", "message"), rows=tuple((f.plugin.name, f.message) for f in registry.failures)),
        ),
        opens="all entries",
        more=plugins_text(registry),
    )
