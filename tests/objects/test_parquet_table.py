"""Tables of Parquet that read back as they were."""

from __future__ import annotations

import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bioimageio_core.errors import MissingRequirementError, OutputError
from bioimageio_core.objects import write_parquet

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8)
DTYPES = st.sampled_from([np.bool_, np.uint32, np.uint64, np.int64, np.float32, np.float64])


class TestWriteParquet:
    @settings(max_examples=15)
    @given(st.data())
    def test_reads_back(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Names of any characters, and numbers bit for bit with their dtypes, in any pieces."""
        names = data.draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
        rows = data.draw(st.integers(0, 8))
        columns = {name: data.draw(hnp.arrays(data.draw(DTYPES), rows)) for name in names}
        cut = data.draw(st.integers(0, rows))
        path = tmp_path_factory.mktemp("tables") / "table.parquet"
        write_parquet(path, ({n: c[part] for n, c in columns.items()} for part in (slice(cut), slice(cut, None))), overwrite=False)
        found = parquet.read_table(path)
        assert found.column_names == names
        for name, column in columns.items():
            read = found[name].to_numpy()
            assert (read.dtype, found[name].null_count) == (column.dtype, 0)
            np.testing.assert_array_equal(read, column)

    def test_pieces_are_not_kept(self, tmp_path: Path) -> None:
        """Each piece is a row group, and is forgotten when the one after the next is made."""
        seen: list[weakref.ref[Any]] = []

        def pieces() -> Any:
            for number in range(6):
                assert number < 2 or seen[number - 2]() is None
                values = np.full(1000, number)
                seen.append(weakref.ref(values))
                yield {"id": values}

        write_parquet(tmp_path / "a.parquet", pieces(), overwrite=False)
        file = parquet.ParquetFile(tmp_path / "a.parquet")
        assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == [1000] * 6

    def test_an_error_leaves_no_file(self, tmp_path: Path) -> None:
        """A table that breaks off does not appear, and an existing one stays."""

        def pieces() -> Any:
            yield {"id": np.arange(3)}
            raise OutputError("no more")

        (tmp_path / "a.parquet").write_text("mine")
        with pytest.raises(OutputError, match="overwrite"):
            write_parquet(tmp_path / "a.parquet", [{"id": np.arange(3)}], overwrite=False)
        with pytest.raises(OutputError, match="no more"):
            write_parquet(tmp_path / "a.parquet", pieces(), overwrite=True)
        assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]

    def test_without_pyarrow(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """One sentence says what to install."""
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(MissingRequirementError, match=r"need pyarrow: pip install 'bioimageio-runtime\[parquet\]'"):
            write_parquet(tmp_path / "a.parquet", [{"id": np.arange(3)}], overwrite=False)
