"""Files of numpy, as numpy reads them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from written_images import image_to_write

from bioimageio_core.image_formats.writers import regions as regions_module
from bioimageio_core.image_formats.writers.npy import NpyWriter
from bioimageio_core.image_formats.writers.regions import regions
from bioimageio_core.io import ImageLayout, ImageLevel

AXES = ("time", "channel", "z", "y", "x")


class TestPixels:
    """What numpy loads."""

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_any_array(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Whatever axes, dtype, chunks and size of regions; each pixel is read once."""
        axes = tuple(a for a in AXES if data.draw(st.booleans()))
        shape = tuple(data.draw(st.integers(0, 7)) for _ in axes)
        chunks = tuple(data.draw(st.integers(1, 7)) for _ in axes)
        dtype = data.draw(st.sampled_from(["bool", "uint8", "int64", "uint64", "float16", "float32", "float64"]))
        array = data.draw(arrays(dtype, shape, elements={"allow_nan": False} if dtype.startswith("f") else None))
        image, read = image_to_write(array, axes, chunks=chunks)
        path = tmp_path_factory.mktemp("any") / "a.npy"
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(regions_module, "BUDGET", data.draw(st.integers(1, 500)))
            NpyWriter().check(image)
            NpyWriter().write(image, read, path)
        np.testing.assert_array_equal(np.load(path), array, strict=True)
        assert np.all(read.counts[0] == 1)

    def test_memory(self, tmp_path: Path) -> None:
        """Memory is that of three regions: one is written, one is ready, one is read."""
        size = 12_000
        image = ImageLayout(
            name="large", axes=("y", "x"), dtype=np.dtype(np.uint16), levels=(ImageLevel(shape=(size, size), chunks=(512, 512)),)
        )

        def read(index: tuple[slice, ...], _level: int) -> NDArray[Any]:
            rows = np.arange(index[0].start, index[0].stop, dtype=np.uint16)
            return np.repeat(rows[:, None], index[1].stop - index[1].start, 1)

        tracemalloc.start()
        NpyWriter().write(image, read, tmp_path / "a.npy")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * regions_module.BUDGET < size * size * 2 / 2
        found = np.load(tmp_path / "a.npy", mmap_mode="r")
        np.testing.assert_array_equal(found[:, [0, -1]], np.repeat(np.arange(size, dtype=np.uint16)[:, None], 2, 1))


class TestRegions:
    """Regions of complete chunks."""

    def test_rows_of_chunks(self) -> None:
        """As many chunks as fit: first along x, then along y, and not beyond an axis that is cut."""
        # A row of chunks has 8 MiB; four of them are 32 MiB.
        found = list(regions((2, 4096, 8192), (1, 1024, 1024), 1))
        assert found == [(slice(c, c + 1), slice(0, 4096), slice(0, 8192)) for c in range(2)]
        found = list(regions((1, 4096, 16384), (1, 1024, 1024), 1))
        assert found == [(slice(0, 1), slice(y, y + 2048), slice(0, 16384)) for y in (0, 2048)]
        # A part of a row: 2 of 3 chunks of 16 MiB.
        found = list(regions((4096, 12288), (4096, 4096), 1))
        assert found == [(slice(0, 4096), slice(0, 8192)), (slice(0, 4096), slice(8192, 12288))]

    def test_large_chunk(self) -> None:
        """One chunk at least."""
        assert list(regions((2, 8192, 8192), (1, 8192, 8192), 4)) == [(slice(c, c + 1), slice(0, 8192), slice(0, 8192)) for c in range(2)]
