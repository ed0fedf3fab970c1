"""OME-TIFF files, as tifffile, imageio and scikit-image read them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import imageio.v3
import numpy as np
import pytest
import skimage.io
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from written_images import image_to_write

from bioimageio_core.image_formats.writers.ome_tiff import OmeTiffWriter, needs_big_tiff
from bioimageio_core.image_formats.writers.plane_rows import BAND, BUDGET
from bioimageio_core.io import ImageLayout, ImageLevel, ImageWriter

OME = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
AXES = ("time", "channel", "z", "y", "x")
DTYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "float32", "float64", "bool")


def numbers(*shape: int, dtype: str = "uint16") -> NDArray[Any]:
    """Return an array of different values."""
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)


def written(path: Path, array: NDArray[Any], axes: tuple[str, ...], **more: Any) -> Path:
    """Write a file, and check that each pixel was read once."""
    image, read = image_to_write(array, axes, **more)
    OmeTiffWriter().check(image)
    OmeTiffWriter().write(image, read, path)
    for counts in read.counts:
        assert np.all(counts == 1)
    return path


def pixels_of(path: Path) -> ET.Element:
    """Return the element that describes the pixels."""
    with tifffile.TiffFile(path) as tiff:
        found = ET.fromstring(tiff.ome_metadata or "").find(f"{OME}Image/{OME}Pixels")
    assert found is not None
    return found


def refused(dtype: str = "uint8", shape: tuple[int, ...] = (4, 4), axes: tuple[str, ...] = ("y", "x")) -> str:
    """Return why an image is refused."""
    with pytest.raises(ValueError, match="probability") as caught:
        OmeTiffWriter().check(image_to_write(np.zeros(shape, dtype), axes)[0])
    return str(caught.value)


class TestPixels:
    """What tifffile finds in a file."""

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("size", [(37, 51), (1300, 1100)], ids=["strips", "tiles"])
    def test_dtypes(self, tmp_path: Path, dtype: str, size: tuple[int, int]) -> None:
        """Numbers stay as they are; masks are bytes of 0 and 255."""
        array = numbers(*size, dtype=dtype)
        found = tifffile.imread(written(tmp_path / "a.ome.tif", array, ("y", "x"), chunks=(256, 256)))
        expected = np.where(array, 255, 0).astype(np.uint8) if dtype == "bool" else array
        np.testing.assert_array_equal(found, expected, strict=True)

    @settings(max_examples=40, deadline=None)
    @given(data=st.data())
    def test_any_shape(self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
        """Whatever shape, axes, dtype and chunks."""
        axes = (*(a for a in AXES[:3] if data.draw(st.booleans())), "y", "x")
        shape = tuple(data.draw(st.integers(1, 3) if a in AXES[:3] else st.integers(2, 70)) for a in axes)
        chunks = tuple(data.draw(st.integers(1, n)) for n in shape)
        dtype = data.draw(st.sampled_from(DTYPES[:-1]))
        array = data.draw(arrays(dtype, shape, elements={"allow_nan": False} if dtype.startswith("f") else None))
        path = written(tmp_path_factory.mktemp("any") / "a.ome.tif", array, axes, chunks=chunks)
        with tifffile.TiffFile(path) as tiff:
            (series,) = tiff.series
            np.testing.assert_array_equal(series.asarray().reshape(shape), array)
            assert series.axes == "".join(
                {"time": "T", "channel": "C"}.get(a, a.upper()) for a, n in zip(axes, shape, strict=True) if n > 1 or a in "yx"
            )
            assert tiff.is_ome

    @pytest.mark.parametrize(
        "chunks", [(1, 2, 16, 500, 500), (1, 1, 1, 64, 64), (1, 2, 2, 1040, 4000), (2, 2, 5, 512, 512), (1, 1, 1, 1100, 1300)]
    )
    def test_chunks(self, tmp_path: Path, chunks: tuple[int, ...]) -> None:
        """Tiles are right whatever chunks the image comes in."""
        array = numbers(2, 2, 5, 1100, 1300)
        path = written(tmp_path / "a.ome.tif", array, AXES, chunks=chunks)
        np.testing.assert_array_equal(tifffile.imread(path), array)
        with tifffile.TiffFile(path) as tiff:
            assert tiff.pages[0].is_tiled
            assert all(n % 16 == 0 for n in tiff.pages[0].tile)

    def test_other_readers(self, tmp_path: Path) -> None:
        """A stack of planes for imageio and scikit-image, too."""
        array = numbers(5, 1200, 40)
        path = written(tmp_path / "a.ome.tif", array, ("z", "y", "x"))
        np.testing.assert_array_equal(imageio.v3.imread(path, plugin="tifffile"), array)
        np.testing.assert_array_equal(skimage.io.imread(path), array)

    def test_strips_without_predictor(self, tmp_path: Path) -> None:
        """Small images are in strips without predictor, which ImageJ alone reads; large ones have tiles and a predictor for integers."""
        for size, dtype, tiled, predictor in (
            (1000, "uint16", False, 1),
            (1100, "uint16", True, 2),
            (1100, "uint32", True, 1),
            (1100, "float32", True, 1),
        ):
            path = written(tmp_path / f"{size}{dtype}.ome.tif", numbers(size, 30, dtype=dtype), ("y", "x"))
            with tifffile.TiffFile(path) as tiff:
                page = tiff.pages[0]
                assert (page.is_tiled, page.predictor, page.compression.name) == (tiled, predictor, "ADOBE_DEFLATE")


class TestLevels:
    """Pyramids."""

    def test_pyramid(self, tmp_path: Path) -> None:
        """Coarser levels are SubIFDs of each plane."""
        array = numbers(2, 3, 700, 600)
        coarser = [array[..., ::2, ::2], array[..., ::4, ::4]]
        path = written(tmp_path / "a.ome.tif", array, ("channel", "z", "y", "x"), chunks=(1, 1, 256, 256), coarser=coarser)
        with tifffile.TiffFile(path) as tiff:
            (series,) = tiff.series
            assert [level.shape for level in series.levels] == [(2, 3, 700, 600), (2, 3, 350, 300), (2, 3, 175, 150)]
            for level, expected in zip(series.levels, [array, *coarser], strict=True):
                np.testing.assert_array_equal(level.asarray(), expected)
            assert all(len(page.aspage().pages) == 2 for page in tiff.pages)
            assert [page.subfiletype for page in tiff.pages[0].pages] == [1, 1]

    def test_levels_with_fewer_planes(self, tmp_path: Path) -> None:
        """OME-TIFF has none, so they are left out."""
        array = numbers(4, 600, 600)
        image, read = image_to_write(array, ("z", "y", "x"), coarser=[array[:, ::2, ::2], array[::2, ::4, ::4]])
        OmeTiffWriter().write(image, read, tmp_path / "a.ome.tif")
        with tifffile.TiffFile(tmp_path / "a.ome.tif") as tiff:
            assert [level.shape for level in tiff.series[0].levels] == [(4, 600, 600), (4, 300, 300)]


class TestMetadata:
    """What the description says."""

    def test_sizes(self, tmp_path: Path) -> None:
        """Sizes with their units as symbols, the interval, positions, names of channels, and the record."""
        path = written(
            tmp_path / "a.ome.tif",
            numbers(2, 3, 4, 20, 30),
            AXES,
            name="cells & <nuclei>",
            pixel_size={"x": (0.5, "micrometer"), "y": (0.25, "micrometer"), "z": (300.0, "nanometer"), "time": (2.5, "minute")},
            position={"x": -3.5, "y": 7.0},
            channel_names=("DAPI", 'α "β"', "a\x00b"),
            record={"model": "affable-shark", "weights": {"format": "onnx"}},
        )
        pixels = pixels_of(path)
        expected = {
            "SizeX": "30",
            "SizeY": "20",
            "SizeZ": "4",
            "SizeC": "3",
            "SizeT": "2",
            "Type": "uint16",
            "DimensionOrder": "XYZCT",
            "PhysicalSizeX": "0.5",
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": "0.25",
            "PhysicalSizeYUnit": "µm",
            "PhysicalSizeZ": "300.0",
            "PhysicalSizeZUnit": "nm",
            "TimeIncrement": "2.5",
            "TimeIncrementUnit": "min",
        }
        assert {key: pixels.get(key) for key in expected} == expected
        assert [channel.get("Name") for channel in pixels.findall(f"{OME}Channel")] == ["DAPI", 'α "β"', "a\ufffdb"]
        (plane,) = pixels.findall(f"{OME}Plane")
        assert (plane.get("PositionX"), plane.get("PositionXUnit"), plane.get("PositionY")) == ("-3.5", "µm", "7.0")
        with tifffile.TiffFile(path) as tiff:
            root = ET.fromstring(tiff.ome_metadata or "")
            page = tiff.pages[0]
            assert page.tags["XResolution"].value == (20000, 1)  # per centimetre
            assert page.tags["YResolution"].value == (40000, 1)
            assert page.tags["ResolutionUnit"].value == 3
            assert page.tags["Software"].value.startswith("bioimageio-runtime ")
            assert "ImageDescription" not in tiff.pages[1].tags
        image = root.find(f"{OME}Image")
        assert image is not None
        assert image.get("Name") == "cells & <nuclei>"
        entries = {e.get("K"): e.text for e in root.iter(f"{OME}M")}
        assert entries == {"model": "affable-shark", "weights": '{"format": "onnx"}'}
        assert [e.get("ID") for e in image.findall(f"{OME}AnnotationRef")] == ["Annotation:0"]

    def test_order_of_elements(self, tmp_path: Path) -> None:
        """The schema wants elements in an order."""
        path = written(
            tmp_path / "a.ome.tif", numbers(4, 4), ("y", "x"), pixel_size={"x": (1.0, "meter")}, position={"x": 0.0}, record={"a": "b"}
        )
        with tifffile.TiffFile(path) as tiff:
            root = ET.fromstring(tiff.ome_metadata or "")
        assert [e.tag.removeprefix(OME) for e in root] == ["Image", "StructuredAnnotations"]
        assert [e.tag.removeprefix(OME) for e in root[0]] == ["Pixels", "AnnotationRef"]
        assert [e.tag.removeprefix(OME) for e in root[0][0]] == ["Channel", "TiffData", "Plane"]

    def test_nothing_known(self, tmp_path: Path) -> None:
        """No size is made up; a size whose unit is not known is in units of no frame."""
        pixels = pixels_of(written(tmp_path / "a.ome.tif", numbers(4, 4), ("y", "x")))
        assert not {key for key in pixels.attrib if key.startswith(("Physical", "Time"))}
        assert not pixels.findall(f"{OME}Plane")
        pixels = pixels_of(written(tmp_path / "b.ome.tif", numbers(4, 4), ("y", "x"), pixel_size={"x": (0.5, None), "time": (1.0, None)}))
        assert (pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit"), pixels.get("TimeIncrement")) == (
            "0.5",
            "reference frame",
            None,
        )

    def test_another_axis(self, tmp_path: Path) -> None:
        """It is in place of the channels, which are named by it."""
        pixels = pixels_of(written(tmp_path / "a.ome.tif", numbers(3, 4, 4), ("angle", "y", "x")))
        assert pixels.get("SizeC") == "3"
        assert [channel.get("Name") for channel in pixels.findall(f"{OME}Channel")] == ["angle 0", "angle 1", "angle 2"]


class TestRefused:
    """Images that OME-TIFF cannot hold."""

    def test_dtypes(self) -> None:
        """Of 64 bits, and half floats; the message says what to choose."""
        assert 'choose dtype="uint32" (--dtype uint32)' in refused("int64")
        assert 'choose dtype="uint32"' in refused("uint64")
        assert 'choose dtype="float32"' in refused("float16")

    def test_axes(self) -> None:
        """Planes need y and x, and pixels."""
        assert "axes y and x" in refused(axes=("channel", "x"))
        assert "at least one pixel" in refused(shape=(0, 4))


class TestSize:
    """Large files."""

    @pytest.mark.parametrize(
        ("shape", "ending", "big"),
        [
            ((40, 40), ".ome.tif", False),
            ((40, 40), ".ome.btf", True),
            ((40, 40), ".ome.tf8", True),
        ],
    )
    def test_offsets(self, tmp_path: Path, shape: tuple[int, int], ending: str, big: bool) -> None:
        """Offsets have 64 bits where the ending says so."""
        with tifffile.TiffFile(written(tmp_path / f"a{ending}", numbers(*shape), ("y", "x"))) as tiff:
            assert tiff.is_bigtiff is big

    @pytest.mark.parametrize(("planes", "big"), [(62, False), (63, True), (64, True)])
    def test_offsets_of_large_images(self, planes: int, big: bool) -> None:
        """And where planes of 64 MiB, not compressed, leave less than 64 MiB of the 4 GiB."""
        level = ImageLevel(shape=(planes, 8192, 8192), chunks=(1, 512, 512))
        image = ImageLayout(name="large", axes=("z", "y", "x"), dtype=np.dtype(np.uint8), levels=(level,))
        assert needs_big_tiff(image, [level], Path("large.ome.tif")) is big

    def test_memory(self, tmp_path: Path) -> None:
        """Memory is that of rows of tiles."""
        size, chunk = 20_000, 1024
        image = ImageLayout(
            name="large", axes=("y", "x"), dtype=np.dtype(np.uint8), levels=(ImageLevel(shape=(size, size), chunks=(chunk, chunk)),)
        )
        pattern = np.repeat(np.arange(chunk, dtype=np.uint8), size).reshape(chunk, size)

        def read(index: tuple[slice, ...], level: int) -> NDArray[Any]:
            assert (index[0].start % chunk, index[1], level) == (0, slice(0, size), 0)
            return pattern[: index[0].stop - index[0].start].copy()

        tracemalloc.start()
        OmeTiffWriter().write(image, read, tmp_path / "a.ome.tif")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # Three bands of a row of chunks: one is compressed, one is ready, one is read; and tiles that are padded or compressed.
        assert peak < 5 * chunk * size < size * size / 3
        found = tifffile.imread(tmp_path / "a.ome.tif")
        assert found.shape == (size, size)
        np.testing.assert_array_equal(
            found[:: chunk + 3, ::777], np.arange(size, dtype=np.uint16)[:: chunk + 3, None].repeat(26, 1) % chunk % 256
        )


def test_protocol() -> None:
    """It is a writer."""
    assert isinstance(OmeTiffWriter(), ImageWriter)
    assert BAND < BUDGET
