"""Hyperstacks of ImageJ, as tifffile reads them; and what ImageJ itself, which the environment variable BMZ_IMAGEJ names, opens."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.io
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from written_images import image_to_write

from bioimageio_core.image_formats.writers.imagej_tiff import ImagejTiffWriter
from bioimageio_core.image_formats.writers.ome_tiff import OmeTiffWriter
from bioimageio_core.io import ImageLayout, ImageLevel, ImageWriter

AXES = ("time", "channel", "z", "y", "x")
MICROMETRES = {"x": (0.5, "micrometer"), "y": (0.25, "micrometer"), "z": (2000.0, "nanometer")}


def numbers(*shape: int, dtype: str = "uint16") -> NDArray[Any]:
    """Return an array of different values."""
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)


def written(path: Path, array: NDArray[Any], axes: tuple[str, ...], writer: ImageWriter | None = None, **more: Any) -> Path:
    """Write a file, and check that each pixel was read once."""
    image, read = image_to_write(array, axes, **more)
    writer = writer or ImagejTiffWriter()
    writer.check(image)
    writer.write(image, read, path)
    for counts in read.counts:
        assert np.all(counts == 1)
    return path


class TestTifffile:
    """What tifffile finds."""

    @pytest.mark.parametrize("chunks", [(2, 3, 4, 20, 30), (1, 1, 1, 7, 9), (1, 3, 1, 20, 30), (1, 1, 3, 8, 8)])
    def test_hyperstack(self, tmp_path: Path, chunks: tuple[int, ...]) -> None:
        """Axes are in the order of ImageJ."""
        array = numbers(2, 3, 4, 20, 30)
        path = written(tmp_path / "a.tif", array, AXES, chunks=chunks)
        with tifffile.TiffFile(path) as tiff:
            assert tiff.is_imagej
            assert tiff.series[0].axes == "TZCYX"
            np.testing.assert_array_equal(tiff.series[0].asarray(), array.transpose(0, 2, 1, 3, 4))

    @settings(max_examples=30, deadline=None)
    @given(data=st.data())
    def test_any_shape(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Whatever shape, axes, dtype and chunks."""
        axes = (*(a for a in AXES[:3] if data.draw(st.booleans())), "y", "x")
        shape = tuple(data.draw(st.integers(1, 3 if a in AXES[:3] else 40)) for a in axes)
        chunks = tuple(data.draw(st.integers(1, n)) for n in shape)
        dtype = data.draw(st.sampled_from(["uint8", "uint16", "float32"]))
        array = data.draw(arrays(dtype, shape, elements={"allow_nan": False} if dtype == "float32" else None))
        found = tifffile.imread(written(tmp_path_factory.mktemp("any") / "a.tif", array, axes, chunks=chunks))
        sizes = dict(zip(axes, shape, strict=True))
        full = array.reshape([sizes.get(a, 1) for a in AXES]).transpose(0, 2, 1, 3, 4)
        np.testing.assert_array_equal(found.reshape(full.shape), full)

    def test_calibration(self, tmp_path: Path) -> None:
        """Sizes in the unit of x, seconds, the origin in pixels, names of channels for each plane, and the record."""
        path = written(
            tmp_path / "a.tif",
            numbers(2, 3, 4, 20, 30),
            AXES,
            pixel_size={**MICROMETRES, "time": (1.5, "minute")},
            position={"x": 10.0, "z": -4000.0},
            channel_names=("DAPI", "GFP", "µ"),
            record={"model": "affable-shark"},
        )
        with tifffile.TiffFile(path) as tiff:
            found = tiff.imagej_metadata or {}
            assert found["spacing"] == pytest.approx(2.0)
            assert (found["unit"], found["finterval"], found["mode"]) == ("um", 90.0, "composite")
            assert (found["xorigin"], found["zorigin"]) == (-20.0, 2.0)
            assert "yorigin" not in found
            assert found["Labels"] == ["DAPI", "GFP", "µ"] * 8
            assert "affable-shark" in found["Info"]
            tags = tiff.pages[0].tags
            assert (tags["XResolution"].value, tags["YResolution"].value, tags["ResolutionUnit"].value) == ((2, 1), (4, 1), 1)

    def test_nothing_known(self, tmp_path: Path) -> None:
        """No calibration is made up, also where units do not fit."""
        for n, sizes in enumerate(
            ({}, {"x": (0.5, None), "y": (0.5, None)}, {"x": (0.5, "micrometer")}, {"x": (1.0, "micrometer"), "y": (1.0, "second")})
        ):
            with tifffile.TiffFile(written(tmp_path / f"{n}.tif", numbers(4, 5), ("y", "x"), pixel_size=sizes)) as tiff:
                assert not {"unit", "spacing", "finterval"} & set(tiff.imagej_metadata or {})

    def test_masks(self, tmp_path: Path) -> None:
        """Masks are 0 and 255, as ImageJ has them."""
        array = numbers(5, 6) % 3 == 0
        found = skimage.io.imread(written(tmp_path / "a.tif", array, ("y", "x")))
        np.testing.assert_array_equal(found, np.where(array, 255, 0))
        assert found.dtype == np.uint8


class TestRefused:
    """Images that are no hyperstacks."""

    @pytest.mark.parametrize(
        ("dtype", "advice"),
        [("uint32", "uint16"), ("int16", "uint16"), ("int64", "uint16"), ("float64", "float32"), ("float16", "float32")],
    )
    def test_dtypes(self, dtype: str, advice: str) -> None:
        """The message says what to choose."""
        with pytest.raises(ValueError, match=rf"'probability' is {dtype}; choose dtype=\"{advice}\""):
            ImagejTiffWriter().check(image_to_write(np.zeros((3, 3), dtype), ("y", "x"))[0])

    def test_planes(self) -> None:
        """Planes are arrays of Java."""
        level = ImageLevel(shape=(2, 46341, 46341), chunks=(1, 512, 512))
        image = ImageLayout(name="large", axes=("z", "y", "x"), dtype=np.dtype(np.uint8), levels=(level,))
        with pytest.raises(ValueError, match="'large' has 46341 x 46341"):
            ImagejTiffWriter().check(image)
        with pytest.raises(ValueError, match="axes y and x"):
            ImagejTiffWriter().check(image_to_write(np.zeros((3, 3), np.uint8), ("z", "x"))[0])


OPEN = """setBatchMode(true);
open("{path}");
getDimensions(width, height, channels, slices, frames);
getVoxelSize(dx, dy, dz, unit);
Stack.setPosition(channels, slices, frames);
value = getPixel(3, 2);
label = getInfo("slice.label");
File.saveString("" + width + "\\n" + height + "\\n" + channels + "\\n" + slices + "\\n" + frames + "\\n" + bitDepth()
  + "\\n" + dx + "\\n" + dy + "\\n" + dz + "\\n" + unit + "\\n" + Stack.getFrameInterval()
  + "\\n" + value + "\\n" + label + "\\n", "{answer}");
"""


def opened(path: Path) -> list[str]:
    """Return what ImageJ says about a file: sizes, calibration, and the value and label at x=3, y=2 of the last plane."""
    if not os.environ.get("BMZ_IMAGEJ"):
        pytest.skip("BMZ_IMAGEJ names no ij.jar of an ImageJ: the nox session imagej has one")
    java, xvfb = shutil.which("java"), shutil.which("xvfb-run")
    assert java is not None
    assert xvfb is not None
    macro, answer = path.with_suffix(".ijm"), path.with_suffix(".txt")
    macro.write_text(OPEN.format(path=path.as_posix(), answer=answer.as_posix()))
    command = [xvfb, "--auto-servernum", java, f"-Duser.home={path.parent}", "-cp", os.environ["BMZ_IMAGEJ"], "ij.ImageJ"]
    subprocess.run(
        [*command, "-ijpath", str(path.parent), "-batch", str(macro)], check=True, timeout=120, cwd=path.parent, capture_output=True
    )
    return answer.read_text(encoding="utf-8").splitlines()


class TestImagej:
    """What ImageJ opens, without plugins."""

    @pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
    def test_hyperstack(self, tmp_path: Path, dtype: str) -> None:
        """Sizes, calibration, pixels and labels."""
        array = numbers(2, 3, 4, 20, 30, dtype=dtype)
        path = written(
            tmp_path / "a.tif", array, AXES, pixel_size={**MICROMETRES, "time": (1.5, "minute")}, channel_names=("DAPI", "GFP", "RFP")
        )
        *sizes, unit, interval, value, label = opened(path)
        bits = str(8 * array.itemsize)
        assert sizes == ["30", "20", "3", "4", "2", bits, "0.5", "0.25", "2"]
        assert unit in ("microns", "µm")
        assert (float(interval), label) == (90.0, "RFP")
        assert float(value) == float(array[-1, -1, -1, 2, 3])

    def test_small_ome_tiff(self, tmp_path: Path) -> None:
        """OME-TIFF of up to 1024 x 1024 pixels is a stack with the size of pixels along y and x, and the right values."""
        array = numbers(3, 200, 300)
        sizes = {"x": (0.5, "micrometer"), "y": (0.25, "micrometer")}
        path = written(tmp_path / "a.ome.tif", array, ("z", "y", "x"), OmeTiffWriter(), pixel_size=sizes, chunks=(1, 64, 64))
        found = opened(path)
        assert found[:6] == ["300", "200", "1", "3", "1", "16"]
        assert (float(found[6]), float(found[7])) == (0.5, 0.25)
        assert found[9] in ("microns", "µm")
        assert float(found[11]) == float(array[-1, 2, 3])
