"""The writers of the library pass the kit that plugins have to pass; other packages read what they write."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioimageio_core.registry import collect
from bioimageio_core.testing import ImageWriterConformance

WRITERS, PROVENANCE = collect().image_writers, collect().provenance
AXES = {"T": "time", "C": "channel", "S": "channel", "Z": "z", "Y": "y", "X": "x"}
"""Names of the axes of tifffile."""


class TestNpy(ImageWriterConformance):
    """Read by numpy."""

    entry = WRITERS["npy"]

    def read_back(self, path: Path) -> tuple[Any, None]:
        """Read an array, whose axes are not named."""
        return np.load(path), None


class TiffConformance(ImageWriterConformance):
    """Read by tifffile."""

    def read_back(self, path: Path) -> tuple[Any, Sequence[str]]:
        """Read the only series."""
        with pytest.importorskip("tifffile").TiffFile(path) as tiff:
            (series,) = tiff.series
            return series.asarray(), [AXES[letter] for letter in series.axes]


class TestOmeTiff(TiffConformance):
    """OME-TIFF."""

    entry = WRITERS["ome-tiff"]


class TestImagej(TiffConformance):
    """Hyperstacks."""

    entry = WRITERS["imagej"]


class TestHdf5(ImageWriterConformance):
    """Read by h5py."""

    entry = WRITERS["hdf5"]

    def read_back(self, path: Path) -> tuple[Any, None]:
        """Read the only dataset."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(path) as file:
            (dataset,) = (value for value in file.values() if isinstance(value, h5py.Dataset))
            return dataset[()], None


class PictureConformance(ImageWriterConformance):
    """Read by Pillow."""

    writes_at_once = True

    def read_back(self, path: Path) -> tuple[Any, str]:
        """Read a picture."""
        with pytest.importorskip("PIL.Image").open(path) as picture:
            pixels = np.asarray(picture)
        return pixels, "yxc" if pixels.ndim == 3 else "yx"


class TestPng(PictureConformance):
    """Without loss."""

    entry = WRITERS["png"]


class TestBmp(PictureConformance):
    """Without loss."""

    entry = WRITERS["bmp"]


class TestJpeg(PictureConformance):
    """Noise is lost in JPEG: only sizes and errors are compared."""

    entry = WRITERS["jpeg"]
    atol = 255.0


def test_nothing_is_left_out() -> None:
    """Every writer of the library has a class above."""
    tested = {value.entry.name for value in globals().values() if isinstance(value, type) and hasattr(value, "entry")}
    own = {name for kind, name in PROVENANCE if kind == "image_writers" and PROVENANCE[kind, name].distribution == "bioimageio-runtime"}
    assert own == tested
