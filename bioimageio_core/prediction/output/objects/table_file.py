"""The file of a table of objects: checked before anything is computed, and written in the format that its ending names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ....errors import InputError, MissingRequirementError, OutputError
from ....objects import write_csv, write_parquet
from ....places import local_path

__all__ = ["check_table_complete", "check_table_name", "check_table_replaceable", "write_table"]

PARQUET = ".parquet"

WRITERS: Mapping[str, Callable[..., None]] = {".csv": write_csv, PARQUET: write_parquet}
"""The writer of each format, by the ending of names in lower case."""


def check_table_name(table: str, output: str | None) -> None:
    """Check that a table can be written where it is to be.

    Args:
        table: Path of the table.
        output: Path or URL of the output of the prediction; None if it stays in memory.

    Raises:
        InputError: The name has no known ending, or is no path of this machine.
        MissingRequirementError: The package that writes such a table is not installed.
        OutputError: The folder does not exist, the name is that of a folder, or the table would lie within the output.

    """
    path = _path(table)
    if path.is_dir():
        raise OutputError(f"table= (--table) {table} is a folder: expected the name of a file, as in {table.rstrip('/')}/cells.csv")
    if not path.parent.is_dir():
        raise OutputError(f"table= (--table) {table}: the folder {path.parent} does not exist, or is a file: make it first")
    if _ending(table) == PARQUET and find_spec("pyarrow") is None:
        raise MissingRequirementError(
            f"table= (--table) {table}: Parquet files need pyarrow: pip install 'bioimageio-runtime[parquet]', or give a name in .csv"
        )
    place = None if output is None else local_path(output)
    if place is not None and Path(place).resolve() in path.resolve().parents:
        raise OutputError(f"table= (--table) {table} would lie within the output {output}: give a name beside it")


def check_table_replaceable(table: str | None, *, replace: bool) -> None:
    """Refuse to replace an existing table unless that is wanted.

    Raises:
        OutputError: The table exists.

    """
    if table is not None and not replace and _path(table).exists():
        raise OutputError(f"table= (--table) {table} exists: overwrite=True (--overwrite) replaces it; or give another name")


def check_table_complete(table: str | None, output: str) -> None:
    """Refuse to leave a complete output as it is where its table is missing.

    Raises:
        OutputError: The table does not exist.

    """
    if table is not None and not _path(table).exists():
        raise OutputError(
            f"{output} is complete, and the table {table} does not exist: a table is made while labels are written, "
            "so write both again with overwrite=True (--overwrite)"
        )


def write_table(table: str, pieces: Iterable[Mapping[str, NDArray[Any]]]) -> None:
    """Write a table, and replace an existing one; it appears when it is complete.

    Args:
        table: Path of the table.
        pieces: Columns of the same names, in the same order, for some rows after the other; read once, one at a time.

    Raises:
        OutputError: It cannot be written.

    """
    WRITERS[_ending(table)](_path(table), pieces, overwrite=True)


def _ending(table: str) -> str:
    return Path(table).suffix.lower()


def _path(table: str) -> Path:
    place = local_path(table)
    if place is None or _ending(table) not in WRITERS:
        raise InputError(f"table= (--table) is {table!r}: expected the path of a file of this machine that ends in {' or '.join(WRITERS)}")
    return Path(place)
