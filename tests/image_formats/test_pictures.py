"""Pictures by Pillow, imageio, scikit-image and imagecodecs."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from image_regions import check_copies_and_threads, imported_by, pixels, regions
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import MissingRequirementError, SourceError
from bioimageio_core.io import open_image
from bioimageio_core.io.reading.chosen_reader import reader_of

PIL = pytest.importorskip("PIL.Image")

GREY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
COLOURS = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
DEEP = np.random.default_rng(1).integers(0, 65536, (4, 6, 3), np.uint16)


def save(path: Path, array: np.ndarray, mode: str | None = None, **options: Any) -> Path:
    """Write a picture with Pillow."""
    picture = PIL.fromarray(array)
    (picture if mode is None else picture.convert(mode)).save(path, **options)
    return path


class TestKinds:
    """Axes, dtypes and values of each kind of pixels."""

    @pytest.mark.parametrize("ending", [".png", ".bmp", ".gif"])
    def test_grey(self, tmp_path: Path, ending: str) -> None:
        """One number per pixel: y and x."""
        image = open_image(save(tmp_path / f"a{ending}", GREY))
        assert (image.axes, image.dtype, image.channel_names, image.name) == (("y", "x"), np.uint8, None, "a")
        np.testing.assert_array_equal(pixels(image), GREY)

    @pytest.mark.parametrize(("ending", "options"), [(".png", {}), (".bmp", {}), (".webp", {"lossless": True})])
    def test_colours(self, tmp_path: Path, ending: str, options: dict[str, Any]) -> None:
        """Three channels with names."""
        image = open_image(save(tmp_path / f"a{ending}", COLOURS, **options))
        assert (image.axes, image.channel_names) == (("y", "x", "channel"), ("red", "green", "blue"))
        np.testing.assert_array_equal(pixels(image), COLOURS)

    def test_jpeg(self, tmp_path: Path) -> None:
        """Pixels are those that imageio decodes."""
        imageio = pytest.importorskip("imageio.v3")
        imageio.imwrite(tmp_path / "a.jpg", COLOURS)
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.jpg")), imageio.imread(tmp_path / "a.jpg"))

    @pytest.mark.parametrize(("shape", "names"), [((4, 6, 4), ("red", "green", "blue", "alpha")), ((4, 6, 2), ("grey", "alpha"))])
    def test_transparency(self, tmp_path: Path, shape: tuple[int, ...], names: tuple[str, ...]) -> None:
        """Transparency is a channel."""
        array = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
        image = open_image(save(tmp_path / "a.png", array))
        assert image.channel_names == names
        np.testing.assert_array_equal(pixels(image), array)

    def test_palette(self, tmp_path: Path) -> None:
        """Numbers of a palette become its colours."""
        indices = np.array([[0, 1], [2, 1]], np.uint8)
        picture = PIL.fromarray(indices).convert("P")
        picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
        picture.save(tmp_path / "a.png")
        image = open_image(tmp_path / "a.png")
        assert image.channel_names == ("red", "green", "blue")
        np.testing.assert_array_equal(pixels(image)[..., 0], [[255, 0], [0, 0]])
        np.testing.assert_array_equal(pixels(image)[..., 2], [[0, 0], [255, 0]])

    def test_transparent_palette(self, tmp_path: Path) -> None:
        """A colour of the palette that is transparent makes a channel of it."""
        picture = PIL.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
        picture.putpalette([255, 0, 0, 0, 255, 0])
        picture.save(tmp_path / "a.png", transparency=1)
        np.testing.assert_array_equal(pixels(open_image(tmp_path / "a.png")), [[[255, 0, 0, 255], [0, 255, 0, 0]]])

    def test_bits(self, tmp_path: Path) -> None:
        """One bit per pixel is true or false."""
        mask = GREY > 100
        image = open_image(save(tmp_path / "a.png", mask))
        assert image.dtype == np.bool_
        np.testing.assert_array_equal(pixels(image), mask)

    def test_16_bits(self, tmp_path: Path) -> None:
        """Grey of 16 bits stays so, as scikit-image writes it."""
        skimage = pytest.importorskip("skimage.io")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            skimage.imsave(tmp_path / "a.png", DEEP[..., 0], check_contrast=False)
        image = open_image(tmp_path / "a.png")
        assert (image.dtype, image.axes) == (np.uint16, ("y", "x"))
        np.testing.assert_array_equal(pixels(image), DEEP[..., 0])

    def test_16_bits_of_colours(self, tmp_path: Path) -> None:
        """Colours of 16 bits are never reduced to 8."""
        codecs = pytest.importorskip("imagecodecs")
        (tmp_path / "a.png").write_bytes(codecs.png_encode(DEEP))
        image = open_image(tmp_path / "a.png")
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(pixels(image), DEEP)

    def test_without_codecs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without the package that decodes them, the error names it."""
        codecs = pytest.importorskip("imagecodecs")
        (tmp_path / "a.png").write_bytes(codecs.png_encode(DEEP))
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(MissingRequirementError, match="pip install imagecodecs"):
            pixels(open_image(tmp_path / "a.png"))

    def test_inks(self, tmp_path: Path) -> None:
        """Inks of printers are refused."""
        path = tmp_path / "a.jpg"
        PIL.new("CMYK", (6, 4)).save(path)
        with pytest.raises(SourceError, match="inks"):
            open_image(path)


class TestAnimations:
    """Frames are the axis of time."""

    def test_grey(self, tmp_path: Path) -> None:
        """Frames with grey palettes are grey."""
        frames = [PIL.fromarray(GREY + n) for n in range(3)]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=200)
        image = open_image(tmp_path / "a.gif")
        assert (image.axes, image.chunks, dict(image.pixel_size)) == (("time", "y", "x"), (1, 4, 6), {})
        np.testing.assert_array_equal(pixels(image), np.stack([GREY + n for n in range(3)]))

    def test_one_frame_of_colours(self, tmp_path: Path) -> None:
        """One frame that is not grey makes colours of all."""
        later = np.zeros((4, 6, 3), np.uint8)
        later[..., 0] = 200
        frames = [PIL.fromarray(GREY), PIL.fromarray(later)]
        frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
        image = open_image(tmp_path / "a.gif")
        assert image.shape == (2, 4, 6, 3)
        np.testing.assert_array_equal(pixels(image)[1], later)
        np.testing.assert_array_equal(pixels(image)[0], np.stack([GREY] * 3, -1))

    @pytest.mark.parametrize("ending", [".webp", ".png"])
    def test_of_imageio(self, tmp_path: Path, ending: str) -> None:
        """Frames in any order, each as it was written."""
        imageio = pytest.importorskip("imageio.v3")
        movie = np.random.default_rng(3).integers(0, 256, (4, 8, 8, 3), np.uint8)
        imageio.imwrite(tmp_path / f"a{ending}", movie, plugin="pillow", **({"lossless": True} if ending == ".webp" else {}))
        image = open_image(tmp_path / f"a{ending}")
        assert image.axes == ("time", "y", "x", "channel")
        for n in (3, 0, 2, 2):
            np.testing.assert_array_equal(image.read((slice(n, n + 1), *[slice(None)] * 3))[0], movie[n])


class TestOrientation:
    """Pictures are read as viewers show them."""

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_upright(self, tmp_path: Path, orientation: int) -> None:
        """The same as Pillow's own operation, also for sizes of pixels."""
        from PIL import ImageOps

        exif = PIL.Exif()
        exif[0x0112] = orientation
        path = save(tmp_path / "a.png", COLOURS, exif=exif, dpi=(300, 150))
        image = open_image(path)
        with PIL.open(path) as picture:
            np.testing.assert_array_equal(pixels(image), np.asarray(ImageOps.exif_transpose(picture)))
        assert round(1 / image.pixel_size["x"][0]) == (300 if orientation < 5 else 150)


class TestPixelSize:
    """Pixels per inch, where they are not those of a screen."""

    @pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp"])
    def test_scanner(self, tmp_path: Path, ending: str) -> None:
        """300 and 600 per inch are sizes."""
        image = open_image(save(tmp_path / f"a{ending}", GREY, dpi=(300, 600)))
        assert image.pixel_size["x"] == (pytest.approx(1 / 300, rel=1e-4), "inch")
        assert image.pixel_size["y"] == (pytest.approx(1 / 600, rel=1e-4), "inch")

    @pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp"])
    @pytest.mark.parametrize("per_inch", [72, 96, 1])
    def test_screens(self, tmp_path: Path, ending: str, per_inch: int) -> None:
        """72 and 96 per inch say nothing."""
        assert not open_image(save(tmp_path / f"a{ending}", GREY, dpi=(per_inch, per_inch))).pixel_size


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A movie in colours, as an animated PNG."""
    path = tmp_path_factory.mktemp("pictures") / "movie.png"
    movie = np.random.default_rng(4).integers(0, 256, (3, 5, 7, 3), np.uint8)
    frames = [PIL.fromarray(frame) for frame in movie]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    np.save(path.with_suffix(".npy"), movie)
    return path


class TestRegions:
    """What is read of a picture."""

    @given(regions((3, 5, 7, 3)))
    def test_slices(self, written: Path, region: tuple[slice, ...]) -> None:
        """A region is the slice of numpy."""
        np.testing.assert_array_equal(open_image(written).read(region), np.load(written.with_suffix(".npy"))[region])

    def test_copies_and_threads(self, tmp_path: Path) -> None:
        """Other processes open the file again; threads wait for each other."""
        check_copies_and_threads(open_image(save(tmp_path / "a.png", GREY)), GREY)

    def test_url(self, tmp_path: Path) -> None:
        """Pictures are read from URLs."""
        import fsspec

        save(tmp_path / "a.png", GREY)
        fsspec.filesystem("memory").pipe("/pictures/a.png", (tmp_path / "a.png").read_bytes())
        np.testing.assert_array_equal(pixels(open_image("memory://pictures/a.png")), GREY)

    def test_lazy(self, tmp_path: Path) -> None:
        """Pillow is imported when a picture is opened, and not before."""
        save(tmp_path / "a.png", GREY)
        np.save(tmp_path / "a.npy", GREY)
        for name, uses in (("a.npy", False), ("a.png", True)):
            assert imported_by(f"from bioimageio_core.io import open_image; open_image({str(tmp_path / name)!r})", "PIL.Image") == uses

    def test_sniffs(self, tmp_path: Path) -> None:
        """What a file is, is seen in it."""
        path = save(tmp_path / "a.png", GREY)
        reader = reader_of(str(path))
        assert reader.sniff(str(path))
        path.write_bytes(b"something else")
        assert not reader.sniff(str(path))


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class TestDamaged:
    """One sentence for each."""

    @pytest.mark.parametrize("content", [b"", b"P", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n" + bytes(99)])
    def test_no_picture(self, tmp_path: Path, content: bytes) -> None:
        """Empty files, and files of other kinds, whatever their names."""
        (tmp_path / "a.png").write_bytes(content)
        with pytest.raises(SourceError, match=r"a\.png is empty or damaged"):
            open_image(tmp_path / "a.png")

    @pytest.mark.parametrize("array", [GREY, COLOURS, GREY > 100])
    def test_damaged_pixels(self, tmp_path: Path, array: np.ndarray) -> None:
        """A byte of the pixels that differs is an error, and no black rows, wherever it is."""
        content = save(tmp_path / "a.png", np.tile(array, (40, 40, 1)[: array.ndim])).read_bytes()
        begin, end = content.index(b"IDAT") + 4, content.index(b"IEND") - 8
        for at in np.linspace(begin + 2, end - 1, 12, dtype=int):
            (tmp_path / "b.png").write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            with pytest.raises(SourceError, match=r"b\.png (is damaged|cannot be read)"):
                pixels(open_image(tmp_path / "b.png"))

    @pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".webp", ".gif"])
    def test_truncated(self, tmp_path: Path, ending: str) -> None:
        """The end of the file is missing."""
        array = np.random.default_rng(5).integers(0, 256, (64, 64, 3), np.uint8)
        path = save(tmp_path / f"a{ending}", array)
        path.write_bytes(path.read_bytes()[:-2000])
        with pytest.raises(SourceError, match=rf"a\{ending}") as raised:
            pixels(open_image(path))
        assert "\n" not in str(raised.value)

    def test_too_large(self, tmp_path: Path) -> None:
        """A picture that would be decoded to gigabytes is refused before."""
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0))
        (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b""))
        with pytest.raises(SourceError, match="at most 178,956,970; convert it to TIFF or OME-Zarr"):
            open_image(tmp_path / "a.png")

    def test_choice(self, tmp_path: Path) -> None:
        """There is one image of one resolution."""
        path = save(tmp_path / "a.png", GREY)
        with pytest.raises(SourceError, match="single image"):
            open_image(path, scene=1)
        with pytest.raises(SourceError, match="level 1"):
            open_image(path, level=1)


class TestPredicting:
    """A picture is the image of a prediction."""

    def test_grey(self, tmp_path: Path) -> None:
        """A PNG file, as a user gives it."""
        pytest.importorskip("onnxruntime")
        (tmp_path / "model").mkdir()
        model = pointwise_model(tmp_path / "model", gain=2.0, offset=1.0)
        result = bc.predict(model, str(save(tmp_path / "cells.png", GREY)))
        np.testing.assert_array_equal(np.asarray(result["out"]).squeeze(), GREY * 2.0 + 1)

    def test_colours(self, tmp_path: Path) -> None:
        """Colours are the channels of a model."""
        pytest.importorskip("onnxruntime")
        (tmp_path / "model").mkdir()
        model = pointwise_model(tmp_path / "model", names=("r", "g", "b"), gain=[1.0, 2.0, 3.0])
        result = bc.predict(model, str(save(tmp_path / "cells.png", COLOURS)))
        np.testing.assert_array_equal(np.asarray(result["out"]).squeeze(), np.moveaxis(COLOURS * np.float32([1, 2, 3]), -1, 0))
