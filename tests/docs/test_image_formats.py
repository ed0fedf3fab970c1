"""The image formats of the how-tos pass the kit, on a file of another program and on one that is read by hand."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sites import EXAMPLES
from mrc_file import MRC_FILE, MRC_PIXELS

from bioimageio_core.testing import ImageExample, ImageReaderConformance, ImageWriterConformance

sys.path.append(str(EXAMPLES))

MODES = {0: "<i1", 1: "<i2", 2: "<f4", 6: "<u2", 12: "<f2"}


class TestMrcReader(ImageReaderConformance):
    """``mrc_reader.py``."""

    plugin = "mrc_reader"
    entry = next(iter(importlib.import_module("mrc_reader").bioimageio_image_readers()))

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """A file of the package mrcfile."""
        (tmp_path / "volume.mrc").write_bytes(MRC_FILE)
        size = {axis: (5.0 if axis == "z" else 2.5, "angstrom") for axis in "zyx"}
        return [ImageExample(path=tmp_path / "volume.mrc", array=MRC_PIXELS, axes="zyx", pixel_size=size)]


class TestMrcWriter(ImageWriterConformance):
    """``mrc_writer.py``."""

    plugin = "mrc_writer"
    entry = next(iter(importlib.import_module("mrc_writer").bioimageio_image_writers()))

    def read_back(self, path: Path) -> tuple[Any, str]:
        """Read the numbers that the format names: columns, rows, sections, mode, and pixels after 1024 bytes."""
        content = path.read_bytes()
        columns, rows, sections, mode = np.frombuffer(content, "<i4", 4).tolist()
        return np.frombuffer(content, MODES[mode], offset=1024).reshape(sections, rows, columns), "zyx"
