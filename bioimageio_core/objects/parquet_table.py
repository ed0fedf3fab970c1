"""Tables as Parquet files, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..atomic_files import output_file
from ..errors import MissingRequirementError

__all__ = ["write_parquet"]


def write_parquet(path: str | Path, pieces: Iterable[Mapping[str, NDArray[Any]]], *, overwrite: bool) -> None:
    """Write a table as Parquet, a row group for each piece; the file appears when it is complete.

    Columns keep their dtypes, and NaN stays NaN, which is no missing value.

    Args:
        path: Path of the file, or its URL (``file://``); ``~`` stands for the home of the user.
        pieces: Columns of the same names and dtypes, in the same order, for some rows after the other: arrays of shape (rows,).
            At least one piece, for the names; read once, one at a time.
        overwrite: Replace an existing file.

    Raises:
        MissingRequirementError: The package pyarrow is not installed.
        OutputError: The file exists and `overwrite` is false, it cannot be written, or it is not on this machine.

    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise MissingRequirementError(f"{path}: Parquet files need pyarrow: pip install 'bioimageio-runtime[parquet]'") from None
    with output_file(path, overwrite=overwrite) as file, ExitStack() as opened:
        writer: Any = None
        for group in map(pa.table, map(dict, pieces)):
            if writer is None:
                writer = opened.enter_context(parquet.ParquetWriter(file, group.schema))
            writer.write_table(group)
