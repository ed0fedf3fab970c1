"""Masked arrays: masked pixels are NaN."""

from __future__ import annotations

import pickle
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from packaging.version import Version

from bioimageio_core.errors import SourceError
from bioimageio_core.io import open_image
from bioimageio_core.io.reading.chunk_cache import ChunkCache
from bioimageio_core.io.reading.fingerprints import fingerprint

WHOLE = (slice(None), slice(None))
MASK = np.zeros((8, 10), bool)
MASK[2:4, 3:5] = True
SOURCES = {
    "numpy": lambda masked: masked,
    "dask": lambda masked: da.from_array(masked, chunks=4),
    "xarray": lambda masked: xr.DataArray(masked, dims=("y", "x")),
    "xarray over dask": lambda masked: xr.DataArray(da.from_array(masked, chunks=4), dims=("y", "x")),
}


def masked_array(dtype: str) -> np.ma.MaskedArray[Any, Any]:
    """Return numbers with 4 masked pixels."""
    return np.ma.masked_array(np.arange(80).reshape(8, 10).astype(dtype), mask=MASK)


class TestMaskedPixels:
    """Images with a mask."""

    @pytest.mark.parametrize("kind", SOURCES)
    @pytest.mark.parametrize(
        ("dtype", "read"),
        [
            ("float32", "float32"),
            ("float64", "float64"),
            ("uint8", "float32"),
            ("uint16", "float32"),
            ("int32", "float64"),
            ("bool", "float32"),
        ],
    )
    def test_are_nan(self, kind: str, dtype: str, read: str) -> None:
        """Integers become floating point numbers that hold their values exactly."""
        masked = masked_array(dtype)
        source = SOURCES[kind](masked)
        if kind == "xarray over dask" and dtype[0] != "f" and Version(dask.__version__) < Version("2025"):
            with pytest.raises(SourceError, match="masked pixels"):  # since the oldest xarray and dask do not declare the mask
                open_image(source).read(WHOLE)
            return
        image = pickle.loads(pickle.dumps(open_image(source)))
        region = image.read(WHOLE)
        assert region.dtype == image.dtype
        assert kind.startswith("xarray") or image.dtype == read  # xarray makes its own choice
        np.testing.assert_array_equal(region, np.where(MASK, np.nan, masked.data.astype("float64")))
        assert not np.isnan(image.read((slice(5, 8), slice(0, 10)))).any()

    @pytest.mark.parametrize("mask", [np.ma.nomask, np.zeros((8, 10), bool)])
    def test_nothing_masked(self, mask: Any) -> None:
        """Without masked pixels the dtype stays."""
        image = open_image(np.ma.masked_array(np.ones((8, 10), "uint8"), mask=mask))
        assert (image.dtype, image.read(WHOLE).dtype) == (np.uint8, np.uint8)

    @pytest.mark.parametrize("cached", [False, True])
    def test_undeclared(self, cached: bool) -> None:
        """Blocks with a mask that the array does not declare are NaN where the dtype has it, else an error."""

        def load(dtype: str) -> Any:
            blocks = da.zeros((8, 10), chunks=4, dtype=dtype)
            return blocks.map_blocks(lambda block: np.ma.masked_array(block, mask=True), dtype=dtype, meta=np.empty((0, 0), dtype))

        assert np.isnan(open_image(load("float32")).read(WHOLE)).all()
        image = open_image(load("uint8"))
        reader = ChunkCache(image.reader, shape=image.shape, chunks=(4, 4), dtype=image.dtype, limit=1000) if cached else image
        with pytest.raises(SourceError, match="masked pixels or NaN"):
            reader.read((slice(0, 8), slice(0, 10)))

    def test_fingerprint(self) -> None:
        """Images that differ in their mask alone differ."""
        data = np.ones((8, 10), "uint8")
        other = np.roll(MASK, 1)
        assert fingerprint(open_image(np.ma.masked_array(data, mask=MASK))) != fingerprint(open_image(np.ma.masked_array(data, mask=other)))
