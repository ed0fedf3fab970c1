"""A table of objects as text."""

from __future__ import annotations

from ...prediction.output.objects.object_table import ObjectTable
from ..plain_text import table

__all__ = ["object_rows", "objects_header", "objects_text"]

MOST_ROWS = 20


def objects_text(objects: ObjectTable) -> str:
    """Return the number of objects, and the first rows of what was measured of them."""
    count = f"{objects.count} objects"
    if not objects:
        return f"{count}; nothing was measured: give table= (--table)"
    rows = object_rows(objects, MOST_ROWS)
    more = [f"and {objects.count - len(rows)} more"] if objects.count > len(rows) else []
    return "\n".join([count, table(rows, objects_header(objects)), *more])


def objects_header(objects: ObjectTable) -> tuple[str, ...]:
    """Return the names of columns."""
    return tuple(objects)


def object_rows(objects: ObjectTable, most: int) -> list[tuple[str, ...]]:
    """Return the first rows, as text."""
    piece = next(iter(objects.pieces(most)), {})
    columns = [[f"{value:.6g}" if column.dtype.kind == "f" else str(value) for value in column[:most]] for column in piece.values()]
    return list(zip(*columns, strict=True))
