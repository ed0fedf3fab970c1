"""CZI files that the package pylibCZIrw writes, and aicspylibczi reads."""

from __future__ import annotations

import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aicspylibczi import CziFile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pylibCZIrw import czi

from bioimageio_core.errors import SourceError
from bioimageio_core.io import Image, open_image
from bioimageio_core.io.reading.image_parts import expand_parts

MICRONS = "micrometer"


def numbers(*shape: int, dtype: Any = np.uint16) -> NDArray[Any]:
    """Return different values."""
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype)


def pixels(image: Image) -> NDArray[Any]:
    """Read an image completely."""
    return image.read((slice(None),) * len(image.shape))


def tiles(document: Any, array: NDArray[Any], size: tuple[int, int], corner: tuple[int, int], **where: Any) -> None:
    """Write a plane as tiles, with its first pixel at a corner (x, y)."""
    for y in range(0, array.shape[0], size[0]):
        for x in range(0, array.shape[1], size[1]):
            tile = np.ascontiguousarray(array[y : y + size[0], x : x + size[1]])
            document.write(tile, location=(corner[0] + x, corner[1] + y), **where)


class TestPlanes:
    """One plane, and stacks of planes."""

    def test_single(self, tmp_path: Path) -> None:
        """A plane has a channel, y and x; a size of 0 is not known."""
        plane = numbers(40, 50)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            document.write(plane)
            document.write_metadata(scale_x=0.25e-6, scale_y=0.5e-6)
        image = open_image(tmp_path / "a.czi")
        assert (image.name, image.axes, image.shape, image.dtype) == ("a", ("channel", "y", "x"), (1, 40, 50), np.uint16)
        assert image.channel_names is None
        assert dict(image.pixel_size) == {"x": (pytest.approx(0.25), MICRONS), "y": (pytest.approx(0.5), MICRONS)}
        np.testing.assert_array_equal(pixels(image)[0], plane)
        with (tmp_path / "a.czi").open("rb") as file:
            np.testing.assert_array_equal(pixels(image)[0], CziFile(file).read_image()[0].squeeze())

    def test_stack(self, tmp_path: Path) -> None:
        """Channels have names; a chunk is a plane."""
        stack = numbers(2, 3, 40, 50)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            for channel, depth in np.ndindex(2, 3):
                document.write(stack[channel, depth], plane={"C": channel, "Z": depth})
            document.write_metadata(channel_names={0: "DAPI", 1: "GFP"}, scale_x=0.25e-6, scale_y=0.25e-6, scale_z=2e-6)
        image = open_image(tmp_path / "a.czi")
        assert (image.axes, image.channel_names, image.chunks) == (("channel", "z", "y", "x"), ("DAPI", "GFP"), (1, 1, 40, 50))
        assert image.pixel_size["z"] == (pytest.approx(2.0), MICRONS)
        np.testing.assert_array_equal(pixels(image), stack)
        with (tmp_path / "a.czi").open("rb") as file:
            np.testing.assert_array_equal(pixels(image), CziFile(file).read_image()[0].squeeze())

    def test_time(self, tmp_path: Path) -> None:
        """Timepoints are an axis."""
        movie = numbers(3, 2, 20, 30)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            for time, channel in np.ndindex(3, 2):
                document.write(movie[time, channel], plane={"T": time, "C": channel})
            document.write_metadata()
        image = open_image(tmp_path / "a.czi")
        assert image.axes == ("time", "channel", "y", "x")
        assert not image.pixel_size
        np.testing.assert_array_equal(pixels(image), movie)

    def test_copies_and_threads(self, tmp_path: Path) -> None:
        """Other processes open the file again; threads read at once."""
        stack = numbers(4, 20, 30)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            for depth in range(4):
                document.write(stack[depth], plane={"Z": depth})
            document.write_metadata()
        image = open_image(tmp_path / "a.czi")
        copy = pickle.loads(pickle.dumps(image))
        np.testing.assert_array_equal(pixels(copy)[0], stack)
        regions = [(slice(0, 1), slice(n % 4, n % 4 + 1), slice(n, n + 5), slice(None)) for n in range(15)]
        with ThreadPoolExecutor(8) as threads:
            for region, found in zip(regions, threads.map(image.read, regions), strict=True):
                np.testing.assert_array_equal(found, stack[None][region])


class TestColours:
    """Files hold blue, green and red; images have red first."""

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    @pytest.mark.parametrize("size", [(40, 30), (80, 90)])
    def test_colours(self, tmp_path: Path, size: tuple[int, int], dtype: Any) -> None:
        """A single tile, and a mosaic."""
        plane = numbers(80, 90, 3, dtype=dtype)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            tiles(document, plane, size, (0, 0))
            document.write_metadata()
        image = open_image(tmp_path / "a.czi")
        assert (image.axes, image.channel_names) == (("y", "x", "channel"), ("red", "green", "blue"))
        assert image.chunks == (*size, 3)
        np.testing.assert_array_equal(pixels(image), plane[..., ::-1])
        np.testing.assert_array_equal(image.read((slice(30, 50), slice(29, 61), slice(1, 3))), plane[30:50, 29:61, 1::-1])


class TestMosaics:
    """Tiles are one image."""

    def test_tiles(self, tmp_path: Path) -> None:
        """A region reads the tiles that it needs; tiles have any position."""
        plane = numbers(80, 90)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            tiles(document, plane, (40, 30), (-20, 7))
            document.write_metadata(scale_x=0.25e-6, scale_y=0.25e-6)
        image = open_image(tmp_path / "a.czi")
        assert (image.axes, image.shape, image.chunks) == (("channel", "y", "x"), (1, 80, 90), (1, 40, 30))
        np.testing.assert_array_equal(pixels(image)[0], plane)
        np.testing.assert_array_equal(image.read((slice(0, 1), slice(30, 50), slice(29, 61)))[0], plane[30:50, 29:61])
        with (tmp_path / "a.czi").open("rb") as file:
            np.testing.assert_array_equal(pixels(image), CziFile(file).read_mosaic(C=0))


class TestScenes:
    """Scenes are images of their own."""

    @pytest.fixture
    def two(self, tmp_path: Path) -> tuple[Path, NDArray[Any], NDArray[Any]]:
        """Two scenes of different size, the second one a mosaic, which metadata do not name."""
        first, second = numbers(40, 50), numbers(30, 60)
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            document.write(first, scene=0, location=(0, 0))
            tiles(document, second, (30, 20), (1000, 500), scene=1)
            document.write_metadata(scale_x=0.25e-6, scale_y=0.25e-6)
        return tmp_path / "a.czi", first, second

    def test_scenes(self, two: tuple[Path, NDArray[Any], NDArray[Any]]) -> None:
        """None is left out, although metadata list none; each is chosen by number or name."""
        path, first, second = two
        with pytest.raises(SourceError, match=r"2 images .*0 'Scene 0', 1 'Scene 1'"):
            open_image(path)
        assert [dict(part.fields) for part in expand_parts([path])] == [{"scene": "0"}, {"scene": "1"}]
        np.testing.assert_array_equal(pixels(open_image(path, scene=0))[..., :, :].squeeze(), first)
        image = open_image(path, scene="Scene 1")
        assert (image.part, image.name) == ("1", "a (scene 1)")
        np.testing.assert_array_equal(pixels(image).squeeze(), second)

    def test_other_process(self, two: tuple[Path, NDArray[Any], NDArray[Any]]) -> None:
        """A copy reads the same scene."""
        path, _, second = two
        np.testing.assert_array_equal(pixels(pickle.loads(pickle.dumps(open_image(path, scene=1)))).squeeze(), second)


def name_scenes(path: Path, *names: str) -> None:
    """Write names of scenes into the metadata, as ZEN does, in place of what describes the document."""
    content = path.read_bytes()
    begin, end = content.index(b"<ImageDocument>"), content.index(b"</ImageDocument>") + len(b"</ImageDocument>")
    listed = "".join(f'<Scene Index="{number}" Name="{name}"/>' for number, name in enumerate(names))
    shorter = re.sub(rb"<(Document|Application)>.*?</\1>", b"", content[begin:end], flags=re.DOTALL)
    named = shorter.replace(b"</Channels>", f"</Channels><S><Scenes>{listed}</Scenes></S>".encode())
    assert len(named) <= end - begin
    path.write_bytes(content[:begin] + named.ljust(end - begin) + content[end:])


class TestNamedScenes:
    """Scenes that the metadata name."""

    @pytest.mark.parametrize("height", [20, 25], ids=["equal sizes", "other sizes"])
    @pytest.mark.parametrize("named", [True, False])
    def test_names(self, tmp_path: Path, height: int, named: bool) -> None:
        """Each is found by its name, or number where there is no name."""
        first, second = numbers(20, 30), numbers(height, 30) // 2
        path = tmp_path / "a.czi"
        with czi.create_czi(str(path)) as document:
            document.write(first, scene=0, location=(0, 0))
            document.write(second, scene=1, location=(500, 100))
            document.write_metadata()
        if named:
            name_scenes(path, "A1", "B2")
        for number, name, plane in ((0, "A1" if named else "Scene 0", first), (1, "B2" if named else "Scene 1", second)):
            for scene in (number, name):
                np.testing.assert_array_equal(pixels(open_image(path, scene=scene))[0], plane)

    @pytest.mark.parametrize("size", [(40, 50), (20, 25)], ids=["planes", "mosaics"])
    def test_overlap(self, tmp_path: Path, size: tuple[int, int]) -> None:
        """Scenes that overlap are not mixed."""
        first, second = numbers(40, 50), numbers(60, 75) // 2
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            tiles(document, first, size, (0, 0), scene=0)
            tiles(document, second, (60, 75) if size == (40, 50) else size, (10, 5), scene=1)
            document.write_metadata()
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.czi", scene=0))[0], first)
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.czi", scene=1))[0], second)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two channels of a mosaic over three planes."""
    path = tmp_path_factory.mktemp("czi") / "a.czi"
    stack = numbers(2, 3, 20, 30)
    with czi.create_czi(str(path)) as document:
        for channel, depth in np.ndindex(2, 3):
            tiles(document, stack[channel, depth], (8, 12), (-5, 9), plane={"C": channel, "Z": depth})
        document.write_metadata()
    np.save(path.with_suffix(".npy"), stack)
    return path


@given(st.tuples(*(st.tuples(st.integers(0, n), st.integers(0, n)) for n in (2, 3, 20, 30))))
@settings(deadline=None)
def test_regions(written: Path, ends: tuple[tuple[int, int], ...]) -> None:
    """A region is the slice of numpy."""
    region = tuple(slice(min(one), max(one)) for one in ends)
    np.testing.assert_array_equal(open_image(written).read(region), np.load(written.with_suffix(".npy"))[region])


class TestDamaged:
    """One sentence for each."""

    @pytest.mark.parametrize("content", [b"", b"ZISRAWFILE", b"ZISRAWFILE" + bytes(2000), b"II*\0" + bytes(100)])
    def test_no_czi(self, tmp_path: Path, content: bytes) -> None:
        """Empty files and others."""
        (tmp_path / "a.czi").write_bytes(content)
        with pytest.raises(SourceError, match=r"a\.czi") as raised:
            open_image(tmp_path / "a.czi")
        assert "\n" not in str(raised.value)

    def test_missing(self, tmp_path: Path) -> None:
        """There is no such file; URLs are to be downloaded."""
        with pytest.raises(SourceError, match="does not exist"):
            open_image(tmp_path / "a.czi")
        with pytest.raises(SourceError, match="download it first"):
            open_image("https://example.com/a.czi")

    def test_level(self, tmp_path: Path) -> None:
        """There is one level."""
        with czi.create_czi(str(tmp_path / "a.czi")) as document:
            document.write(numbers(4, 5))
            document.write_metadata()
        with pytest.raises(SourceError, match="1 levels, counted from 0: found level 1"):
            open_image(tmp_path / "a.czi", level=1)
