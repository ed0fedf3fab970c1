"""What consoles and notebooks show of arrays: their range in memory, and their chunks in storage."""

from __future__ import annotations

import numpy as np
import pytest
import zarr

from bioimageio_core import LabelledArray
from bioimageio_core.report.text.array_text import array_facts


def test_range() -> None:
    """Of values in memory that are not NaN; text and fragment begin with the class."""
    values = np.linspace(-1, 2, 24, dtype=np.float32).reshape(4, 6)
    values[1, 1:3] = np.nan
    array = LabelledArray(values, ("y", "x"), name="cells")
    assert dict(array_facts(array))["range"] == "-1 to 2, and 2 NaN"
    assert str(array).startswith("LabelledArray cells\n")
    for text in ("LabelledArray", "range", "-1 to 2, and 2 NaN"):
        assert text in array._repr_html_()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([3, 255], np.uint8), "3 to 255"),
        (np.array([np.nan]), "all values are NaN"),
        (np.array([True]), "True to True"),
        (np.array([-np.inf, 1.0]), "-inf to 1"),
        (np.array([1.66425e-12, 0.9999994]), "1.7e-12 to 0.999999"),
        (np.zeros(0), ""),
        (np.array([1j]), ""),
        (np.broadcast_to(np.uint8(0), (2**24 + 1,)), ""),
    ],
    ids=["integers", "nan", "booleans", "infinite", "tiny", "empty", "complex", "large"],
)
def test_ranges(values: np.ndarray, expected: str) -> None:
    """Of each kind of values."""
    assert dict(array_facts(LabelledArray(values, ("x",))))["range"] == expected


def test_chunks() -> None:
    """Of arrays in storage, parts of these, and lazy ones; a part reads the complete chunks that it touches."""
    stored = zarr.create_array(zarr.storage.MemoryStore(), shape=(2, 2048, 2048), chunks=(1, 512, 512), dtype="uint16")
    array = LabelledArray(stored, ("z", "y", "x"))
    assert dict(array_facts(array))["chunks"] == "32 chunks of z 1, y 512, x 512; compute() reads 16 MiB before compression"
    part = array.isel(z=1, y=slice(500, 520), x=slice(0, 512))
    assert dict(array_facts(part))["chunks"] == "2 chunks of y 20, x 512; compute() reads 1 MiB before compression"
    lazy = LabelledArray((array * 2).data.rechunk((2, 1024, 1024)), ("z", "y", "x"))
    assert dict(array_facts(lazy))["chunks"] == "4 chunks of z 2, y 1024, x 1024; compute() takes 16 MiB"
    for one in (array, part, lazy):
        assert dict(array_facts(one))["range"] == ""
    assert dict(array_facts(LabelledArray(np.zeros(3), ("x",))))["chunks"] == ""
