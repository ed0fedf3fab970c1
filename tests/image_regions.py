"""Regions of images, for tests of readers: each is the slice of numpy."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from bioimageio_core.io import Image

__all__ = ["check_copies_and_threads", "imported_by", "pixels", "regions"]


def pixels(image: Image) -> NDArray[Any]:
    """Read an image completely."""
    return image.read((slice(None),) * len(image.shape))


def regions(shape: tuple[int, ...]) -> st.SearchStrategy[tuple[slice, ...]]:
    """Return slices within a shape, which may be empty."""

    def slices(size: int) -> st.SearchStrategy[slice]:
        return st.tuples(st.integers(0, size), st.integers(0, size)).map(lambda ends: slice(min(ends), max(ends)))

    return st.tuples(*map(slices, shape))


def check_copies_and_threads(image: Image, expected: NDArray[Any]) -> None:
    """Read a pickled copy, and an image from several threads at once."""
    copy = pickle.loads(pickle.dumps(image))
    np.testing.assert_array_equal(pixels(copy), expected)
    rows = [(*(slice(None),) * (expected.ndim - 2), slice(n, n + 2), slice(None)) for n in range(expected.shape[-2] - 1)] * 4
    with ThreadPoolExecutor(8) as threads:
        for index, found in zip(rows, threads.map(image.read, rows), strict=True):
            np.testing.assert_array_equal(found, expected[index])


def imported_by(statement: str, module: str) -> bool:
    """Return whether a statement of a new Python imports a module."""
    code = f"import sys\n{statement}\nprint({module!r} in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return ran.stdout.strip() == "True"
