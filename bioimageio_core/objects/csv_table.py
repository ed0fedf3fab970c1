"""Tables as CSV files, written piece by piece."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..atomic_files import output_file

__all__ = ["write_csv"]


def write_csv(path: str | Path, pieces: Iterable[Mapping[str, NDArray[Any]]], *, overwrite: bool) -> None:
    """Write a table as CSV in UTF-8 (RFC 4180, with line feeds); the file appears when it is complete.

    Integers have no decimal point; other numbers have the fewest digits that read back as the same float64, ``nan`` or ``inf``.
    Truth values are ``True`` and ``False``.

    Args:
        path: Path of the file, or its URL (``file://``); ``~`` stands for the home of the user.
        pieces: Columns of the same names, in the same order, for some rows after the other: arrays of shape (rows,).
            At least one piece, for the names; read once, one at a time.
        overwrite: Replace an existing file.

    Raises:
        OutputError: The file exists and `overwrite` is false, it cannot be written, or it is not on this machine.

    """
    with output_file(path, overwrite=overwrite) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        _write_rows(text, pieces)
        text.detach()  # writes the rest, and leaves the file open


def _write_rows(text: io.TextIOWrapper, pieces: Iterable[Mapping[str, NDArray[Any]]]) -> None:
    names: tuple[str, ...] = ()
    for piece in pieces:
        if not names:
            names = tuple(piece)
            # Of itself, the writer leaves carriage returns without quotes where lines end with line feeds.
            quoted = any("\r" in name for name in names)
            csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerow(names)
        # Numbers need no quotes: one format for each row takes half the time of `csv.writer`. Numbers of Python are spelt as `repr` does.
        row = ",".join(["%s"] * len(names)) + "\n"
        text.write("".join(map(row.__mod__, zip(*(piece[name].tolist() for name in names), strict=True))))
