"""A table of objects in a notebook."""

from __future__ import annotations

from ...prediction.output.objects.object_table import ObjectTable
from ..html.fragment import MOST_ROWS, Fragment, FragmentTable
from ..text.objects_text import object_rows, objects_header

__all__ = ["objects_fragment"]


def objects_fragment(objects: ObjectTable) -> Fragment:
    """Return the number of objects, and the first rows of what was measured of them."""
    rows = object_rows(objects, MOST_ROWS) if objects else []
    more = objects.count - len(rows)
    note = f"the first {len(rows)}; to_pandas() returns all" if objects and more > 0 else ""
    return Fragment(
        kind="objects",
        title=f"{objects.count} objects",
        facts=(("shown", note), ("measured", "" if objects else "nothing: give table=")),
        tables=(FragmentTable(header=objects_header(objects), rows=tuple(rows)),),
    )
