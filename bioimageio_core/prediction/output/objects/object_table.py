"""The objects that an output labels, as a table with a row for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....objects import Measurements
from ....shown import Shown
from ....typing import FrozenMapping

__all__ = ["ObjectTable"]

NAMED = 6
"""Up to this many columns are named in one line."""


class ObjectTable(Mapping[str, "NDArray[Any]"], Shown):
    """Columns by name, each with a value for every object, in the order of their ids; without columns if nothing was measured.

    A column is made when it is asked for, so a table of many objects takes only the memory of what was measured of them,
    and that of the columns that are used.

    Args:
        count: Number of objects.
        measured: What was measured of them; None if nothing was.

    """

    def __init__(self, count: int, measured: Measurements | None = None) -> None:
        self.count = count
        """Number of objects. A table has a row for each, but for objects of which no pixel is drawn, since others cover them."""
        self._measured = measured
        self._names = () if measured is None else measured.names

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of each column that has one, as in ``{"area-micrometer2": "micrometer2"}``."""
        return FrozenMapping({} if self._measured is None else self._measured.layout.column_units)

    def __getitem__(self, name: str) -> NDArray[Any]:
        if self._measured is None or name not in self._names:
            raise KeyError(f"no column {name!r}: expected one of {', '.join(map(repr, self._names)) or 'none, without table='}")
        return np.asarray(self._measured.columns(names=(name,))[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def pieces(self, rows: int = 2**16) -> Iterator[Mapping[str, NDArray[Any]]]:
        """Yield the columns of up to a number of objects after the other; nothing if nothing was measured.

        Args:
            rows: Number of objects of each piece.

        """
        return iter(()) if self._measured is None else self._measured.pieces(rows)

    def to_pandas(self) -> Any:
        """Return the table as a `pandas.DataFrame`, whose index is the id of each object.

        Raises:
            ImportError: pandas is not installed.

        """
        import pandas as pd

        if self._measured is None:
            return pd.DataFrame(index=pd.RangeIndex(1, self.count + 1, name="id"))
        return pd.DataFrame(dict(self._measured.columns())).set_index("id")

    def __repr__(self) -> str:
        more = f", ... ({len(self)} columns)" if len(self) > NAMED else ""
        return f"<ObjectTable {self.count} objects: {', '.join(self._names[:NAMED]) or 'not measured'}{more}>"
