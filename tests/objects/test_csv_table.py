"""Tables that read back as they were."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioimageio_core.errors import OutputError
from bioimageio_core.objects import write_csv

NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
DTYPES = st.sampled_from([np.uint32, np.uint64, np.int64, np.float32, np.float64])


class TestWriteCsv:
    @settings(max_examples=15)
    @given(st.data())
    def test_reads_back(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Names of any characters, and numbers bit for bit, in any pieces."""
        names = data.draw(st.lists(NAMES, unique=True, min_size=2, max_size=4))
        rows = data.draw(st.integers(0, 8))
        columns = {name: data.draw(hnp.arrays(data.draw(DTYPES), rows)) for name in names}
        cut = data.draw(st.integers(0, rows))
        path = tmp_path_factory.mktemp("tables") / "table.csv"
        write_csv(path, ({n: c[part] for n, c in columns.items()} for part in (slice(cut), slice(cut, None))), overwrite=False)
        with path.open(encoding="utf-8", newline="") as file:
            header, *found = csv.reader(file)
        assert header == names
        for (name, column), values in zip(columns.items(), zip(*found, strict=True) if found else [()] * len(names), strict=True):
            read = np.array([(float if column.dtype.kind == "f" else int)(value) for value in values], column.dtype)
            np.testing.assert_array_equal(read, column, err_msg=name)

    def test_how_numbers_are_spelt(self, tmp_path: Path) -> None:
        """Integers without a point, the fewest digits of others, truth values as words."""
        piece: dict[str, Any] = {
            "id": np.array([1, 2], np.uint32),
            "mean": np.array([0.1, np.nan]),
            "touches_edge": np.array([True, False]),
        }
        write_csv(tmp_path / "a.csv", [piece], overwrite=False)
        assert (tmp_path / "a.csv").read_bytes() == b"id,mean,touches_edge\n1,0.1,True\n2,nan,False\n"

    def test_an_error_leaves_no_file(self, tmp_path: Path) -> None:
        """A table that breaks off does not appear, and an existing one stays."""

        def pieces() -> Any:
            yield {"id": np.arange(3)}
            raise OutputError("no more")

        with pytest.raises(OutputError, match="no more"):
            write_csv(tmp_path / "a.csv", pieces(), overwrite=True)
        assert list(tmp_path.iterdir()) == []

    def test_existing_files(self, tmp_path: Path) -> None:
        """They are replaced only on request; a folder never is."""
        path = tmp_path / "a.csv"
        path.write_text("mine")
        with pytest.raises(OutputError, match="overwrite"):
            write_csv(path, [{"id": np.arange(3)}], overwrite=False)
        assert path.read_text() == "mine"
        write_csv(path, [{"id": np.arange(3)}], overwrite=True)
        assert path.read_text() == "id\n0\n1\n2\n"
        with pytest.raises(OutputError, match="folder"):
            write_csv(tmp_path, [{"id": np.arange(3)}], overwrite=True)
