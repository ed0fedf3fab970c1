"""Pictures, as Pillow and imageio read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imageio.v3
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from written_images import image_to_write

from bioimageio_core.image_formats.plugin import bioimageio_image_writers
from bioimageio_core.io import ImageLayout, ImageLevel, ImageWriter

WRITERS = {entry.name: entry for entry in bioimageio_image_writers()}


def numbers(*shape: int, dtype: str = "uint8") -> NDArray[Any]:
    """Return an array of different values."""
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(dtype)


def written(path: Path, array: NDArray[Any], axes: tuple[str, ...], **more: Any) -> Path:
    """Write a picture in the format of its ending."""
    writer: ImageWriter = next(entry for entry in WRITERS.values() if path.suffix in entry.suffixes).load()
    image, read = image_to_write(array, axes, **more)
    writer.check(image)
    writer.write(image, read, path)
    return path


def refused(kind: str, array: NDArray[Any], axes: tuple[str, ...] = ("y", "x"), **more: Any) -> str:
    """Return why an image is refused."""
    with pytest.raises(ValueError, match="probability") as caught:
        WRITERS[kind].load().check(image_to_write(array, axes, **more)[0])
    return str(caught.value)


class TestPixels:
    """What Pillow and imageio find."""

    @pytest.mark.parametrize("dtype", ["uint8", "uint16"])
    def test_grey(self, tmp_path: Path, dtype: str) -> None:
        """Grey PNG of 8 and 16 bits."""
        array = numbers(50, 70, dtype=dtype) * (7 if dtype == "uint16" else 1)
        path = written(tmp_path / "a.png", array, ("y", "x"))
        np.testing.assert_array_equal(np.asarray(Image.open(path)).astype(dtype), array)
        np.testing.assert_array_equal(imageio.v3.imread(path), array)

    @pytest.mark.parametrize("ending", [".png", ".bmp"])
    @pytest.mark.parametrize("channels", [3, 4])
    def test_colour(self, tmp_path: Path, ending: str, channels: int) -> None:
        """Channels are colours, and opacity in PNG."""
        array = numbers(channels, 20, 30)
        if ending == ".bmp" and channels == 4:
            assert "BMP holds 1 or 3 channels: 'probability' has 4" in refused("bmp", array, ("channel", "y", "x"))
            return
        path = written(tmp_path / f"a{ending}", array, ("channel", "y", "x"))
        np.testing.assert_array_equal(imageio.v3.imread(path), array.transpose(1, 2, 0))

    def test_axes_of_one(self, tmp_path: Path) -> None:
        """Axes of size 1 are dropped."""
        array = numbers(1, 1, 1, 20, 30)
        path = written(tmp_path / "a.png", array, ("time", "channel", "z", "y", "x"))
        np.testing.assert_array_equal(imageio.v3.imread(path), array[0, 0, 0])

    def test_mask(self, tmp_path: Path) -> None:
        """Masks are black and white."""
        mask = numbers(9, 9) % 4 == 0
        np.testing.assert_array_equal(imageio.v3.imread(written(tmp_path / "a.png", mask, ("y", "x"), labels=True)), np.where(mask, 255, 0))

    def test_jpeg(self, tmp_path: Path) -> None:
        """JPEG is close, in grey and colour."""
        ramp = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
        np.testing.assert_allclose(np.asarray(Image.open(written(tmp_path / "a.jpg", ramp, ("y", "x")))).astype(int), ramp, atol=4)
        colour = np.stack([ramp, ramp[::-1], ramp[:, ::-1]])
        found = np.asarray(Image.open(written(tmp_path / "a.jpeg", colour, ("channel", "y", "x")))).astype(int)
        np.testing.assert_allclose(found, colour.transpose(1, 2, 0), atol=12)


class TestRefused:
    """Images that are no pictures; each message says what to do."""

    def test_planes(self) -> None:
        """One plane."""
        assert "PNG holds one plane: 'probability' has shape (3, 4, 4) along z, y, x; write it as" in refused(
            "png", numbers(3, 4, 4), ("z", "y", "x")
        )
        assert "axes y and x" in refused("png", numbers(3, 4), ("z", "x"))
        assert "at least one pixel" in refused("png", numbers(0, 4))

    def test_channels(self) -> None:
        """Grey or colours."""
        assert "PNG holds 1 or 3 or 4 channels: 'probability' has 2" in refused("png", numbers(2, 4, 4), ("channel", "y", "x"))

    @pytest.mark.parametrize(
        ("dtype", "labels", "advice"),
        [
            ("float32", False, 'is float32; choose dtype="uint8" (--dtype uint8), which stores 0 to 1'),
            ("uint32", True, 'is uint32; choose dtype="uint16"'),
            ("int32", False, 'is int32; choose dtype="uint8" (--dtype uint8)'),
        ],
    )
    def test_dtypes(self, dtype: str, labels: bool, advice: str) -> None:
        """Bytes, and 16 bits in grey PNG."""
        assert advice in refused("png", numbers(4, 4, dtype=dtype), labels=labels)

    def test_colours_of_16_bits(self) -> None:
        """Only grey has 16 bits."""
        assert "PNG holds pixels of uint8: 'probability' is uint16" in refused(
            "png", numbers(3, 4, 4, dtype="uint16"), ("channel", "y", "x")
        )

    def test_labels_in_jpeg(self) -> None:
        """JPEG changes values."""
        assert "approximate values" in refused("jpeg", numbers(4, 4), labels=True)
        assert "approximate values" in refused("jpeg", numbers(4, 4) > 3)

    def test_size(self) -> None:
        """Pictures are not for slides."""
        for kind, shape in (("png", (10_001, 10_000)), ("jpeg", (10, 65_501))):
            level = ImageLevel(shape=shape, chunks=(512, 512))
            image = ImageLayout(name="slide", axes=("y", "x"), dtype=np.dtype(np.uint8), levels=(level,))
            with pytest.raises(ValueError, match=rf"100 million pixels.*'slide' has {shape[0]} x {shape[1]}"):
                WRITERS[kind].load().check(image)
