"""Tables of objects, read from CSV and Parquet files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, MissingRequirementError, SourceError
from ..places import local_path
from ..text import in_brief

__all__ = ["read_table"]


def read_table(path: str | Path) -> Mapping[str, NDArray[Any]]:
    """Return the columns of a table by name.

    Columns are integers, else numbers (an empty cell is NaN), else text.

    Args:
        path: A CSV or Parquet file of this machine, with a row for each object and its number in the column ``id``.

    Raises:
        InputError: The name ends in neither ``.csv`` nor ``.parquet``, or the table has no column ``id`` of integers.
        SourceError: It does not exist, or cannot be read.
        MissingRequirementError: Parquet needs pyarrow, which is not installed.

    """
    local = local_path(str(path))
    ending = Path(str(path)).suffix.lower()
    if local is None or ending not in (".csv", ".parquet"):
        raise InputError(f"the table is {str(path)!r}: expected the path of a file of this machine that ends in .csv or .parquet")
    if not Path(local).is_file():
        raise SourceError(f"the table {path} does not exist")
    try:
        columns = _parquet(local) if ending == ".parquet" else _csv(local)
    except (OSError, ValueError, csv.Error) as error:
        raise SourceError(f"the table {path} cannot be read: {in_brief(error)}") from error
    if "id" not in columns or columns["id"].dtype.kind not in "iu":
        found = ", ".join(list(columns)[:12]) or "no column"
        raise InputError(f"the table {path} has no column id with the numbers of the objects: found {found}")
    return columns


def _parquet(path: str) -> dict[str, NDArray[Any]]:
    try:
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise MissingRequirementError(f"{path}: Parquet files need pyarrow: pip install 'bioimageio-runtime[parquet]'") from None
    table = parquet.read_table(path)
    return {name: np.asarray(column.to_numpy()) for name, column in zip(table.column_names, table.columns, strict=True)}


def _csv(path: str) -> dict[str, NDArray[Any]]:
    with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123  (text in, text out)
        rows = csv.reader(file)
        names = next(rows, [])
        columns = list(zip(*filter(None, rows), strict=True)) or [()] * len(names)
    if len(columns) != len(names):
        raise ValueError(f"the first line names {len(names)} columns, and the rows have {len(columns)}")
    return {name: _values(column) for name, column in zip(names, columns, strict=True)}


def _values(column: tuple[str, ...]) -> NDArray[Any]:
    for kind in (np.int64, np.float64):
        try:
            return np.array([text or "nan" for text in column]).astype(kind) if column else np.zeros(0, kind)
        except (ValueError, OverflowError):
            continue
    if set(column) <= {"True", "False"}:
        return np.array([text == "True" for text in column])
    return np.array(column, object)
