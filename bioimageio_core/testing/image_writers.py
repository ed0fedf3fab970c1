"""What writers of image files have to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from ..axis_names import parse_axes
from ..io import ImageLayout, ImageWriter
from ..registry import GROUP, ImageWriterEntry
from .entry import FRAMEWORKS, EntryConformance, one_sentence
from .fixtures import assert_close
from .image_layouts import FAILURE, GivenPixels, Interrupted, image_layouts, large_layout, plain_layouts
from .processes import imported_by, in_threads
from .strategies import kit_settings

__all__ = ["ImageWriterConformance"]

LOADING = """
from importlib.metadata import EntryPoint
from bioimageio_core.registry import collect
collect([EntryPoint(name="checked", value={module!r}, group={group!r})]).image_writers[{name!r}].load()
"""


class ImageWriterConformance(EntryConformance):
    """The laws of image writers; a subclass sets ``entry`` to an `ImageWriterEntry` and overrides ``read_back``."""

    kind = "image_writers"
    entry: ImageWriterEntry

    examples: int = 40
    """How many images are made up for each law."""

    accepts: Sequence[ImageLayout] = ()
    """Images that the format has to hold; others are made up."""

    atol: float = 0.0
    """Absolute tolerance of pixels that are read back, for formats that lose some of them."""

    writes_at_once: bool = False
    """Whether the format can only be written completely, so that one region may be all of the image."""

    def read_back(self, path: Path) -> tuple[NDArray[Any], str | Sequence[str] | None]:
        """Read a written file, best with a program of others; override it.

        Returns:
            All pixels, and their axes, as in ``tczyx``; None for a format that does not name them.

        """
        pytest.skip("there is nothing that reads the format: override the method `read_back`")

    def loaded(self) -> ImageWriter:
        """Return the writer."""
        self.needs_installed()
        writer: ImageWriter = self.entry.load()
        return writer

    def accepted(self, image: ImageLayout) -> bool:
        """Return whether the format holds an image; assert that what it does not hold is refused with ValueError, in one sentence."""
        try:
            self.loaded().check(image)
        except ValueError as error:
            one_sentence(str(error))
            return False
        except Exception as error:
            raise AssertionError(f"{in_words(image)}: expected check to raise ValueError, found {type(error).__name__}: {error}") from error
        return True

    def written(self, image: ImageLayout, folder: Path, *, suffix: str = "", name: str = "image") -> Path:
        """Write an image that was accepted into an empty folder; assert that nothing else is there afterwards."""
        path = folder / f"{name}{suffix or self.entry.suffixes[0]}"
        given_pixels = GivenPixels(image)
        try:
            self.loaded().write(image, given_pixels, path)
        except Exception as error:
            given_pixels.assert_within()
            raise AssertionError(f"{in_words(image)}: check accepts it, but write raises {type(error).__name__}: {error}") from error
        given_pixels.assert_within()
        assert path.exists(), f"expected the file {path.name}, found {[p.name for p in folder.iterdir()] or 'none'}"
        return path

    def some_accepted(self) -> ImageLayout:
        """Return an image that the format holds."""
        found = next((image for image in (*self.accepts, *plain_layouts()) if self.accepted(image)), None)
        assert found is not None, f"check refuses all of {len(plain_layouts())} plain images, as a plane of uint8, and a volume of float32"
        return found

    def test_protocol(self) -> None:
        """The writer checks and writes."""
        assert isinstance(self.loaded(), ImageWriter), "expected the methods check and write"

    def test_load_is_light(self) -> None:
        """Loading the writer imports no framework but those that the entry requires."""
        self.needs_installed()
        modules = imported_by(LOADING.format(module=self.module(), group=GROUP, name=self.entry.name))
        allowed = {name.partition(".")[0] for name in self.entry.requires}
        found = sorted(({name.partition(".")[0] for name in modules} & set(FRAMEWORKS)) - allowed)
        assert not found, f"loading the writer imports {', '.join(found)}: name it in requires, or import it when a file is written"

    def test_check(self) -> None:
        """`check` accepts some images, all that the author names, refuses others with ValueError only, and is of one mind."""
        self.some_accepted()
        for image in self.accepts:
            assert self.accepted(image), f"expected check to accept {in_words(image)}, which the author names in `accepts`"

        def check(image: ImageLayout) -> None:
            assert self.accepted(image) == self.accepted(image), f"check accepts {in_words(image)} once, and refuses it once"

        for image in plain_layouts():
            check(image)
        kit_settings(self.examples * 3)(given(image_layouts(levels=self.entry.levels))(check))()

    def test_writes_what_it_accepts(self, tmp_path: Path) -> None:
        """Any image that `check` accepts is written: no error, regions within bounds, one file of the name that was asked for."""
        self.for_each_accepted(tmp_path, lambda image, path: None)

    def test_reads_back(self, tmp_path: Path) -> None:
        """The written file has the pixels of the image, along its axes, without those of size 1 that the format does not have."""
        self.for_each_accepted(tmp_path, self.assert_written)

    @pytest.mark.parametrize("name", ["image", "a b", "Zellen_ä", "v1.2"])
    def test_path(self, tmp_path: Path, name: str) -> None:
        """The file is at the path that was asked for, with any suffix of the entry, and any name."""
        image = self.some_accepted()
        for number, suffix in enumerate(self.entry.suffixes):
            folder = tmp_path / str(number)
            folder.mkdir()
            path = self.written(image, folder, suffix=suffix, name=name)
            beside = [p.name for p in folder.iterdir() if p != path]
            assert not beside, f"expected nothing but {path.name}, found {', '.join(beside)}, too"

    def test_threads(self, tmp_path: Path) -> None:
        """Four images that are written at once, in threads, are those that are written one after the other."""
        image = self.some_accepted()
        folders = [tmp_path / str(n) for n in range(4)]
        for folder in folders:
            folder.mkdir()
        found = in_threads([lambda f=f: self.written(image, f) for f in folders], repeats=1)  # type: ignore[misc]
        for (path,) in found:
            self.assert_written(image, path)

    def test_by_region(self, tmp_path: Path) -> None:
        """A large image is not read as one region."""
        if self.writes_at_once:
            pytest.skip("the format is written completely: `writes_at_once`")
        image = next((one for one in map(large_layout, ("zyx", "tyx", "cyx", "yx")) if self.accepted(one)), None)
        if image is None:
            pytest.skip("the format holds no large images of uint8")
        pixels = GivenPixels(image)
        self.loaded().write(image, pixels, tmp_path / f"image{self.entry.suffixes[0]}")
        assert pixels.largest <= np.prod(image.shape) / 2, (
            f"{in_words(image)} is read in regions of up to {pixels.largest} pixels: read a few chunks at a time, as images may be large"
        )

    def test_interrupted(self, tmp_path: Path) -> None:
        """If a region cannot be read, its error is passed on, so that no incomplete file is taken for a complete one."""
        image = self.some_accepted()
        with pytest.raises(Exception) as raised:  # noqa: PT011, PT012
            self.loaded().write(image, GivenPixels(image, fails=True), tmp_path / f"image{self.entry.suffixes[0]}")
            raise AssertionError("expected write to pass on the error of a region that cannot be read, found none")
        error: BaseException | None = raised.value
        while error is not None and not isinstance(error, Interrupted):
            error = error.__cause__ or error.__context__
        assert error is not None, f"expected the error {FAILURE!r}, found {type(raised.value).__name__}: {raised.value}"

    def for_each_accepted(self, folder: Path, check: Callable[[ImageLayout, Path], None]) -> None:
        """Write images that the format holds, each into a folder of its own, and call a function with each image and its file."""
        number = iter(range(10**9))

        def write(image: ImageLayout) -> None:
            target = folder / str(next(number))
            target.mkdir()
            suffix = self.entry.suffixes[int(target.name) % len(self.entry.suffixes)]
            check(image, self.written(image, target, suffix=suffix))

        for image in (*self.accepts, *plain_layouts()):
            if self.accepted(image):
                write(image)

        @kit_settings(self.examples)
        @given(image_layouts(levels=self.entry.levels))
        def written(image: ImageLayout) -> None:
            if self.accepted(image):
                write(image)

        written()

    def assert_written(self, image: ImageLayout, path: Path) -> None:
        """Assert that a file has the pixels of an image."""
        found, named = self.read_back(path)
        if image.dtype == bool and found.dtype.kind in "ui":  # of a format without bool
            found = found != 0
        assert found.dtype.newbyteorder("=") == image.dtype, f"{in_words(image)}: expected the dtype {image.dtype}, found {found.dtype}"
        pixels = GivenPixels(image).pixels(0)
        assert_close(self.as_in(image, found, named), pixels, rtol=0.0, atol=self.atol, what=f"{in_words(image)}, read back")

    def as_in(self, image: ImageLayout, found: NDArray[Any], named: str | Sequence[str] | None) -> NDArray[Any]:
        """Return an array that was read along the axes of an image; axes of size 1 may be missing in either."""
        if named is None:
            plain = [tuple(n for n in shape if n != 1) for shape in (found.shape, image.shape)]
            assert plain[0] == plain[1], f"{in_words(image)}: expected the shape {image.shape}, found {found.shape}"
            return found.reshape(image.shape)
        others = [axis for axis in image.axes if axis not in ("batch", "time", "z", "y", "x")]
        axes = [others[0] if axis == "channel" and others else axis for axis in parse_axes(named)]  # many formats know no other axis
        sizes = dict(zip(axes, found.shape, strict=True))
        expected = {axis: size for axis, size in zip(image.axes, image.shape, strict=True) if size > 1}
        several = {axis: size for axis, size in sizes.items() if size > 1}
        assert several == expected, f"{in_words(image)}: expected the sizes {expected}, found {several}"
        order = [axes.index(axis) for axis in image.axes if axis in expected]
        return found.transpose(*order, *(n for n in range(found.ndim) if n not in order)).reshape(image.shape)


def in_words(image: ImageLayout) -> str:
    """Return an image in words, for messages."""
    sizes = ", ".join(f"{axis} {size}" for axis, size in zip(image.axes, image.shape, strict=True))
    return f"an image of {image.dtype} with {sizes}"
