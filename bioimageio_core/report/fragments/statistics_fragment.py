"""Statistics in a notebook."""

from __future__ import annotations

from ...prediction.statistics_file import Statistics
from ..html.fragment import Fragment, FragmentTable
from ..text.statistics_text import STATISTICS_HEADER, statistics_notes, statistics_rows, statistics_text

__all__ = ["statistics_fragment"]


def statistics_fragment(found: Statistics) -> Fragment:
    """Return statistics as a table."""
    return Fragment(
        kind="statistics",
        title="" if found.path is None else found.path,
        facts=tuple(("note", note.removeprefix("note: ")) for note in statistics_notes(found)),
        tables=(FragmentTable(header=STATISTICS_HEADER, rows=tuple(statistics_rows(found))),),
        opens="all rows",
        more=statistics_text(found),
        repeats=True,
    )
