"""Fragments of HTML, as notebooks show results: small, in the colours of the notebook, without scripts and without requests."""

from __future__ import annotations

import re

import attrs

from .data_url import data_url
from .panels import Panels
from .render import render

__all__ = ["Fragment", "FragmentTable", "render_fragment"]

LONGEST_TEXT = 30_000
"""Characters of the text behind "open"."""

LONGEST_PLAIN = 4_000
"""Characters of the text that is shown where style sheets are removed."""

LARGEST_PAGE = 400_000
"""Bytes of a page up to which it is part of the fragment, so that it can be saved."""

LONGEST_FACT = 400
"""Characters of a fact."""

LONGEST_CELL = 160
"""Characters of a cell of a table."""

MOST_ROWS = 12
"""Rows of a table; of longer ones, the number of further rows is shown."""


@attrs.frozen(kw_only=True)
class FragmentTable:
    """Values in rows; each row is as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""

    @property
    def shown(self) -> tuple[tuple[str, ...], ...]:
        """The first rows, without columns that are empty in all rows."""
        return tuple(self._used(row) for row in self.rows[:MOST_ROWS])

    @property
    def shown_header(self) -> tuple[str, ...]:
        """The header of the columns that are shown."""
        return self._used(self.header)

    def _used(self, row: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(cell for number, cell in enumerate(row) if any(one[number] for one in self.rows))


@attrs.frozen(kw_only=True)
class Fragment:
    """What a notebook shows of a result: first what a person asks first, and the rest behind "open"."""

    kind: str
    """What it is, such as ``plan``."""

    title: str = ""
    status: str = ""
    """One word or a few, such as ``valid``."""

    good: bool | None = None
    """Whether the status is a good one; None where it is neither."""

    facts: tuple[tuple[str, str], ...] = ()
    """Labels and values; empty values are left out."""

    panels: Panels | None = None
    drawing: str = ""
    """Markup of a drawing, whose parts are escaped."""

    tables: tuple[FragmentTable, ...] = ()
    more: str = ""
    """All of it, as text."""

    repeats: bool = False
    """Whether `more` only repeats what is shown, so that it is left out where everything is shown."""

    opens: str = "text"
    """What `more` is, in a word or a few."""

    page: str = ""
    """All of it, as a page; empty where there is none, or a fragment would be large with it."""

    has_page: bool = False
    """Whether `page()` returns all of it as a page."""

    file_name: str = ""
    """Name under which the page is saved."""

    @property
    def opened(self) -> str:
        """The text that can be opened; empty where it only repeats what is shown."""
        rows = [row for table in self.tables for row in table.rows]
        cut = (
            any(len(table.rows) > MOST_ROWS for table in self.tables)
            or any(len(value) > LONGEST_FACT for _, value in self.facts)
            or any(len(cell) > LONGEST_CELL for row in rows for cell in row)
        )
        return self.more if cut or not self.repeats else ""


def render_fragment(fragment: Fragment, plain: str) -> str:
    """Return a fragment as HTML.

    Args:
        fragment: What is shown.
        plain: Text that is shown in its place by front ends that remove style sheets, such as those of notebooks that are not trusted.

    """
    small = 0 < len(fragment.page) <= LARGEST_PAGE
    return render(
        "fragment.html.j2",
        fragment=fragment,
        plain=plain[:LONGEST_PLAIN],
        plain_cut=len(plain) > LONGEST_PLAIN,
        more=fragment.opened[:LONGEST_TEXT],
        left_out=max(0, len(fragment.opened) - LONGEST_TEXT),
        longest_fact=LONGEST_FACT,
        longest_cell=LONGEST_CELL,
        page=data_url("text/html", fragment.page.encode()) if small else "",
        file_name=re.sub(r"[^A-Za-z0-9.-]+", "-", fragment.file_name or f"{fragment.title or fragment.kind}.html"),
    )
