"""TIFF files that hold several images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bioimageio_core.errors import SourceError
from bioimageio_core.io import Image, open_image
from bioimageio_core.io.reading.image_parts import expand_parts

tifffile = pytest.importorskip("tifffile")


def numbers(*shape: int, start: int = 0) -> np.ndarray:
    """Return different values, counted from ``start``."""
    return np.arange(start, start + np.prod(shape), dtype=np.uint16).reshape(shape)


def pixels(image: Image) -> np.ndarray:
    """Read an image completely."""
    return image.read((slice(None),) * len(image.shape))


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    """An OME-TIFF of three stage positions, each with its own pixel size."""
    path = tmp_path / "positions.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for n in range(3):
            metadata = {"axes": "ZYX", "Name": f"Pos{n}", "PhysicalSizeX": 0.5 + n, "PhysicalSizeXUnit": "µm"}
            tiff.write(numbers(2, 4, 6, start=100 * n), photometric="minisblack", metadata=metadata)
    return path


class TestChoice:
    """Which image is read."""

    def test_several(self, positions: Path) -> None:
        """Without a choice, the error lists number, name, axes, shape and dtype of each, and the option."""
        with pytest.raises(SourceError, match=r"3 images \(0 'Pos0' \(ZYX 2 x 4 x 6, uint16\), .*scene="):
            open_image(positions)

    @pytest.mark.parametrize("scene", [1, "1", "Pos1", "pos1"])
    def test_chosen(self, positions: Path, scene: int | str) -> None:
        """A number, a name, and a name in other case choose it, with its own metadata."""
        image = open_image(positions, scene=scene)
        np.testing.assert_array_equal(pixels(image), numbers(2, 4, 6, start=100))
        assert image.pixel_size["x"] == (1.5, "micrometer")
        assert image.name == "positions (scene 1)"

    @pytest.mark.parametrize("scene", [3, "Pos3", "3"])
    def test_unknown(self, positions: Path, scene: int | str) -> None:
        """There is no such scene."""
        with pytest.raises(SourceError, match=rf"no image {scene!r} \(0 'Pos0'"):
            open_image(positions, scene=scene)

    def test_twins(self, tmp_path: Path) -> None:
        """A name that two scenes share chooses none of them."""
        with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
            for _ in range(2):
                tiff.write(numbers(4, 6), metadata={"axes": "YX", "Name": "same"})
        with pytest.raises(SourceError, match="2 images named 'same'"):
            open_image(tmp_path / "a.ome.tif", scene="same")

    def test_name_before_number(self, tmp_path: Path) -> None:
        """A scene that is named as another one is numbered is found by its name, and by its number as a number."""
        with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
            for n, name in enumerate(("1", "0")):
                tiff.write(numbers(4, 6, start=100 * n), metadata={"axes": "YX", "Name": name})
        assert pixels(open_image(tmp_path / "a.ome.tif", scene="1"))[0, 0] == 0
        assert pixels(open_image(tmp_path / "a.ome.tif", scene=1))[0, 0] == 100

    def test_pages_of_several_shapes(self, tmp_path: Path) -> None:
        """A thumbnail before the stack, which nothing marks as one, is never read for it."""
        with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
            tiff.write(numbers(2, 3), photometric="minisblack", metadata=None)
            for n in range(5):
                tiff.write(numbers(4, 6, start=100 * n), photometric="minisblack", metadata=None)
        with pytest.raises(SourceError, match=r"0 \(YX 2 x 3, uint16\), 1 \(IYX 5 x 4 x 6, uint16\)"):
            open_image(tmp_path / "a.tif")
        assert pixels(open_image(tmp_path / "a.tif", scene=1))[3, 0, 0] == 300

    def test_appended_pages(self, tmp_path: Path) -> None:
        """Pages that were appended one by one are images of their own."""
        for n in range(3):
            tifffile.imwrite(tmp_path / "a.tif", numbers(4, 6, start=100 * n), append=n > 0)
        with pytest.raises(SourceError, match="3 images"):
            open_image(tmp_path / "a.tif")
        assert pixels(open_image(tmp_path / "a.tif", scene=2))[0, 0] == 200

    def test_marked_thumbnail(self, tmp_path: Path) -> None:
        """A page that calls itself a reduced version of another is a thumbnail: the image is read, wherever the thumbnail lies."""
        with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
            tiff.write(numbers(2, 2), photometric="minisblack", metadata=None, subfiletype=1)
            tiff.write(numbers(4, 6), photometric="minisblack", metadata=None)
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.tif")), numbers(4, 6))

    def test_pyramid(self, tmp_path: Path) -> None:
        """The levels of a pyramid are one scene."""
        with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tiff:
            tiff.write(numbers(8, 12), subifds=1, metadata={"axes": "YX"})
            tiff.write(numbers(8, 12)[::2, ::2], subfiletype=1)
        assert open_image(tmp_path / "a.ome.tif").shape == (8, 12)
        assert open_image(tmp_path / "a.ome.tif", level=1).shape == (4, 6)

    def test_single(self, tmp_path: Path) -> None:
        """From a file with one image, and from arrays, only the first can be chosen."""
        np.save(tmp_path / "a.npy", numbers(4, 6))
        assert open_image(tmp_path / "a.npy", scene=0).shape == (4, 6)
        for source in (tmp_path / "a.npy", numbers(4, 6)):
            with pytest.raises(SourceError, match="holds a single image, found scene 1"):
                open_image(source, scene=1)


class TestParts:
    """Files taken apart into their images."""

    def test_expanded(self, positions: Path, tmp_path: Path) -> None:
        """Each position is an image; what holds one image, or cannot be opened, stays as it is."""
        tifffile.imwrite(tmp_path / "one.tif", numbers(4, 6))
        (tmp_path / "broken.tif").write_bytes(b"II*")
        single = [str(tmp_path / "one.tif"), str(tmp_path / "broken.tif"), numbers(2, 2)]
        first, second, third, *rest = expand_parts([positions, *single])
        assert rest == single
        assert [str(one) for one in (first, second, third)] == [f"{positions} (scene {n})" for n in range(3)]
        assert pixels(open_image(second))[0, 0, 0] == 100
