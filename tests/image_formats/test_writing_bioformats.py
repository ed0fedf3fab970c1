"""OME-TIFF files as Bio-Formats, the reader of Fiji and QuPath, reads them; the environment variable BMZ_BIOFORMATS names its jar."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from written_images import image_to_write

from bioimageio_core.image_formats.writers.ome_tiff import OmeTiffWriter

DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64")


def run_tool(name: str, *arguments: str | Path) -> str:
    """Return what a command line tool of Bio-Formats prints."""
    jar, java = os.environ.get("BMZ_BIOFORMATS"), shutil.which("java")
    if not jar:
        pytest.skip("BMZ_BIOFORMATS names no bioformats_package.jar: the nox session imagej has one")
    assert java is not None
    command = [java, "-Xmx1g", "-Dfile.encoding=UTF-8", "-cp", jar, f"loci.formats.tools.{name}", "-no-upgrade", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, timeout=120, encoding="utf-8").stdout


def written(path: Path, array: NDArray[Any], axes: tuple[str, ...], **more: Any) -> Path:
    """Write a file."""
    image, read = image_to_write(array, axes, **more)
    OmeTiffWriter().check(image)
    OmeTiffWriter().write(image, read, path)
    return path


class TestBioFormats:
    """What Bio-Formats finds."""

    @pytest.mark.parametrize("dtype", DTYPES)
    def test_pixels(self, tmp_path: Path, dtype: str) -> None:
        """Numbers, also with a predictor, in tiles and in strips; the copy that Bio-Formats writes is not compressed."""
        for size in (100, 1100):
            array = np.random.default_rng(0).integers(0, 120, (2, 3, size, 90)).astype(dtype)
            path = written(tmp_path / f"a{size}.ome.tif", array, ("channel", "z", "y", "x"), chunks=(1, 1, 512, 512))
            run_tool("ImageConverter", path, tmp_path / f"b{size}.tif")
            with tifffile.TiffFile(tmp_path / f"b{size}.tif") as tiff:
                found = np.stack([page.asarray() for page in tiff.pages])
            np.testing.assert_array_equal(found.reshape(array.shape), array)

    def test_metadata(self, tmp_path: Path) -> None:
        """Sizes, units, position, channels and the record; levels of a pyramid are resolutions."""
        array = np.zeros((2, 3, 700, 600), np.uint8)
        path = written(
            tmp_path / "a.ome.tif",
            array,
            ("channel", "z", "y", "x"),
            coarser=[array[..., ::2, ::2]],
            pixel_size={"x": (0.25, "micrometer"), "y": (0.5, "micrometer"), "z": (300.0, "nanometer")},
            position={"x": 10.0},
            channel_names=("DAPI", "α"),
            record={"model": "affable-shark"},
        )
        found = run_tool("ImageInfo", "-nopix", "-omexml", "-noflat", path)
        assert re.search(r"Resolutions = 2\s+sizeX\[0\] = 600\s+sizeX\[1\] = 300", found)
        for text in (
            'PhysicalSizeX="0.25" PhysicalSizeXUnit="µm" PhysicalSizeY="0.5" PhysicalSizeYUnit="µm" PhysicalSizeZ="300.0"',
            'PhysicalSizeZUnit="nm"',
            'SizeC="2" SizeT="1" SizeX="600" SizeY="700" SizeZ="3"',
            'PositionX="10.0" PositionXUnit="µm"',
            'Name="DAPI"',
            'Name="α"',
            '<M K="model">affable-shark</M>',
        ):
            assert text in found
