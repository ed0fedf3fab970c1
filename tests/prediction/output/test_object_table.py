"""The table of objects in Python."""

from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest

from bioimageio_core.objects import Measurements, TableLayout, measure_objects
from bioimageio_core.prediction.output.objects.object_table import ObjectTable
from bioimageio_core.typing import FrozenMapping

LABELS = np.array([[1, 1, 0, 2], [0, 3, 0, 2]], np.uint32)
IMAGE = np.array([[[1, 3, 9, 4], [9, 7, 9, 6]]], np.uint8)


@pytest.fixture
def table() -> ObjectTable:
    """Three objects on 2 x 4 pixels of 0.5 x 0.25 micrometres."""
    sizes = FrozenMapping({"y": (0.5, "\u00b5m"), "x": (0.25, "micrometer")})
    layout = TableLayout(axes=("y", "x"), shape=(2, 4), pixel_size=sizes, channels=("DNA",), dtype=IMAGE.dtype)
    measured = Measurements(3, layout)
    measured.add(measure_objects(LABELS, IMAGE, (0, 0)))
    return ObjectTable(3, measured)


class TestObjectTable:
    def test_columns(self, table: ObjectTable) -> None:
        """By hand."""
        assert (table.count, len(table), list(table)[:3]) == (3, 16, ["id", "pixels", "area-micrometer2"])
        assert table["id"].tolist() == [1, 2, 3]
        assert table["pixels"].tolist() == [2, 2, 1]
        assert table["area-micrometer2"].tolist() == [0.25, 0.25, 0.125]
        assert table["centroid-x"].tolist() == [0.5, 3, 1]
        assert table["centroid-x-micrometer"].tolist() == [0.125, 0.75, 0.25]
        assert [table[f"{bound}-x"].tolist() for bound in ("first", "stop")] == [[0, 3, 1], [2, 4, 2]]
        assert [table[f"{kind}-DNA"].tolist() for kind in ("mean", "min", "max", "sum")] == [[2, 5, 7], [1, 4, 7], [3, 6, 7], [4, 10, 7]]
        assert table["touches_edge"].tolist() == [True, True, True]
        with pytest.raises(KeyError, match="no column 'area': expected one of 'id', 'pixels'"):
            table["area"]

    def test_units(self, table: ObjectTable) -> None:
        """Of the columns that are not numbers of pixels or grey values."""
        assert table.units == {
            "area-micrometer2": "micrometer2",
            "centroid-y-micrometer": "micrometer",
            "centroid-x-micrometer": "micrometer",
        }

    def test_pieces(self, table: ObjectTable) -> None:
        """A few objects at a time, with all columns."""
        pieces = list(table.pieces(2))
        assert [piece["id"].tolist() for piece in pieces] == [[1, 2], [3]]
        assert [list(piece) for piece in pieces] == [list(table)] * 2
        for name in table:
            np.testing.assert_array_equal(np.concatenate([piece[name] for piece in pieces]), table[name])

    def test_to_pandas(self, table: ObjectTable) -> None:
        """With ids as index, and the dtypes of the columns."""
        pytest.importorskip("pandas")
        frame = table.to_pandas()
        assert frame.index.tolist() == [1, 2, 3]
        assert frame.columns.tolist() == list(table)[1:]
        assert frame.loc[2, "sum-DNA"] == 10
        assert {name: frame[name].dtype for name in frame} == {name: table[name].dtype for name in frame}

    def test_without_measurements(self) -> None:
        """The number of objects is known all the same."""
        table = ObjectTable(5)
        assert (table.count, list(table), list(table.pieces()), dict(table.units)) == (5, [], [], {})
        assert repr(table) == "<ObjectTable 5 objects: not measured>"
        with pytest.raises(KeyError, match="expected one of none, without table="):
            table["id"]
        pytest.importorskip("pandas")
        assert table.to_pandas().index.tolist() == [1, 2, 3, 4, 5]

    def test_pickled(self, table: ObjectTable) -> None:
        """Predictions that come from other processes bring their tables."""
        copy = pickle.loads(pickle.dumps(table))
        for name in table:
            np.testing.assert_array_equal(copy[name], table[name])

    def test_columns_are_made_when_asked_for(self) -> None:
        """A table of many objects takes no memory beyond what was measured, a piece of it that of its rows."""
        count = 200_000
        measured = Measurements(count, TableLayout(axes=("y", "x"), shape=(1, count)))
        measured.add(measure_objects(np.arange(1, count + 1, dtype=np.uint32)[None], None, (0, 0)))
        tracemalloc.start()
        table = ObjectTable(count, measured)
        rows = sum(piece["id"].size for piece in table.pieces(1000))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rows == count
        assert most < 2 * count  # bytes: the columns take 81 for each object
