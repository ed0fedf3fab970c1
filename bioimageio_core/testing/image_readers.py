"""What readers of image files have to keep."""

from __future__ import annotations

import pickle
import tracemalloc
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..errors import MissingRequirementError, SourceError
from ..io import Image, ImageReader, Scene, SceneChoice
from ..io.locations import file_system, opening_errors
from ..registry import GROUP, ImageReaderEntry
from .entry import FRAMEWORKS, EntryConformance, one_sentence
from .image_examples import ImageExample, all_of
from .other_files import write_other_file
from .processes import imported_by, in_threads, printed_by
from .strategies import kit_settings

__all__ = ["ImageReaderConformance"]

LOADING = """
from importlib.metadata import EntryPoint
from bioimageio_core.registry import collect
collect([EntryPoint(name="checked", value={module!r}, group={group!r})]).image_readers[{name!r}].load()
"""

READING = """
import pickle, pathlib
import numpy as np
for number in range({count}):
    image = pickle.loads(pathlib.Path({folder!r}, f"travels{{number}}.pickle").read_bytes())
    np.save(pathlib.Path({folder!r}, f"travels{{number}}.npy"), image.read(tuple(slice(0, n) for n in image.shape)))
print()
"""

LARGE = 2**18
"""Bytes of an image from which on memory tells whether opening it reads its pixels."""

NO_SUCH = 999_983
"""Number of a scene or level that no example has."""

FAULTS_OF_CODE = (AssertionError, AttributeError, NameError, RecursionError, UnboundLocalError)
"""What is raised by code that does not expect a file to be damaged, and says nothing to users."""


class ImageReaderConformance(EntryConformance):
    """The laws of image readers; a subclass sets ``entry`` to an `ImageReaderEntry` and overrides the fixture ``images``."""

    kind = "image_readers"
    entry: ImageReaderEntry

    examples: int = 50
    """How many regions of each example are read."""

    reads_at_once: bool = False
    """Whether the format can only be read completely, so that opening an image may read its pixels."""

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        """Images of the format; override it."""
        pytest.skip("there is no example of the format: override the fixture `images`")

    @pytest.fixture
    def other_files(self, tmp_path: Path) -> Sequence[Path]:
        """Files that look like the format and are not; the kit has some of its own."""
        return ()

    def loaded(self) -> ImageReader:
        """Return the reader."""
        self.needs_installed()
        reader: ImageReader = self.entry.load()
        return reader

    def open(self, location: str, scene: SceneChoice = None, level: int | None = None) -> Image:
        """Open an image as the library does, which turns errors into a SourceError."""
        with opening_errors(location, "an image"):
            return self.loaded().open(location, scene, level)

    def opened(self, example: ImageExample) -> Image:
        """Open an example."""
        return self.open(example.location, example.scene, example.level)

    def scenes(self, example: ImageExample) -> Sequence[Scene]:
        """Return the scenes of an example."""
        return tuple(self.loaded().scenes(example.location))

    def test_protocol(self) -> None:
        """The reader sniffs, lists scenes and opens."""
        assert isinstance(self.loaded(), ImageReader), "expected the methods sniff, scenes and open"

    def test_load_is_light(self) -> None:
        """Loading the reader imports no framework but those that the entry requires."""
        self.needs_installed()
        modules = imported_by(LOADING.format(module=self.module(), group=GROUP, name=self.entry.name))
        allowed = {name.partition(".")[0] for name in self.entry.requires}
        found = sorted(({name.partition(".")[0] for name in modules} & set(FRAMEWORKS)) - allowed)
        assert not found, f"loading the reader imports {', '.join(found)}: name it in requires, or import it when a file is opened"

    def test_suffixes(self, images: Sequence[ImageExample]) -> None:
        """The names of the examples have a suffix of the entry."""
        for example in images:
            fits = any(example.path.name.lower().endswith(suffix) for suffix in self.entry.suffixes)
            assert fits, f"the name of the example {example.path.name} ends in none of {', '.join(self.entry.suffixes)}"

    def test_knows_its_own(self, images: Sequence[ImageExample]) -> None:
        """`sniff` says True of the examples."""
        for example in images:
            found = self.loaded().sniff(example.location)
            assert found is True, f"expected sniff to return True for the example {example.path.name}, found {found!r}"

    @pytest.mark.parametrize("content", ["nothing", "text", "noise", "zip", "folder"])
    def test_refuses_other_files(self, tmp_path: Path, content: str) -> None:
        """`sniff` says False, and raises nothing, of files that have the right name and nothing else."""
        for suffix in self.entry.suffixes:
            path = tmp_path / f"other{suffix}"
            write_other_file(path, content)
            self.is_refused(path, content)

    def test_refuses_those_of_the_author(self, other_files: Sequence[Path]) -> None:
        """`sniff` says False of the files that the author says are of another format."""
        if not other_files:
            pytest.skip("the author names no files of other formats: override the fixture `other_files`")
        for path in other_files:
            self.is_refused(path, "the file")

    def is_refused(self, path: Path, content: str) -> None:
        """Assert that `sniff` returns False."""
        try:
            found = self.loaded().sniff(str(path))
        except Exception as error:
            raise AssertionError(f"expected sniff to return False for {content} named {path.name}, found {type(error).__name__}") from error
        assert found is False, f"expected sniff to return False for {content} named {path.name}, found {found!r}"

    def test_metadata(self, images: Sequence[ImageExample]) -> None:
        """Shape, dtype, axes, channel names, pixel sizes and positions are those of the examples."""
        for example in images:
            example.assert_metadata(self.opened(example))

    def test_pixels(self, images: Sequence[ImageExample]) -> None:
        """All pixels are those of the examples, in a new array each time."""
        for example in images:
            image = self.opened(example)
            first = image.read(all_of(image))
            example.assert_pixels(first, all_of(image), "all pixels")
            assert first.flags.writeable, f"expected regions of {example.path.name} that can be written to"
            first[...] = 1 - first if first.dtype.kind != "b" else ~first
            example.assert_pixels(image.read(all_of(image)), all_of(image), "after a change of an array that was read before, pixels")

    def test_regions(self, images: Sequence[ImageExample]) -> None:
        """Any region is that of the array."""
        for example in images:
            self.check_regions(example, self.opened(example))

    def check_regions(self, example: ImageExample, image: Image) -> None:
        """Assert that regions of an image are those of an example."""

        @kit_settings(self.examples)
        @given(regions(image.shape))
        def check(index: tuple[slice, ...]) -> None:
            found, expected = image.reader.read(index).shape, example.array[index].shape
            assert found == expected, f"{_in_words(index)} of {example.path.name}: expected the shape {expected}, found {found}"
            example.assert_pixels(image.read(index), index, f"the region {_in_words(index)}")

        check()

    def test_threads(self, images: Sequence[ImageExample]) -> None:
        """Read from eight threads at once, an image gives each its own region; so does an image that each opens."""
        for example in images:
            image = self.opened(example)
            parts = [tuple(slice(n * s // 9, max(n * s // 9 + 1, (n + 2) * s // 9)) for s in image.shape) for n in range(8)]

            def read(part: tuple[slice, ...], own: bool, image: Image = image, example: ImageExample = example) -> Any:
                return (self.opened(example) if own else image).read(part)

            for own, repeats in ((False, 10), (True, 2)):
                calls = [lambda p=p, own=own: read(p, own) for p in parts]
                found = in_threads(calls, repeats=repeats)
                for part, results in zip(parts, found, strict=True):
                    for result in results:
                        example.assert_pixels(result, part, f"read by several threads, the region {_in_words(part)}")

    def test_travels(self, images: Sequence[ImageExample], tmp_path: Path) -> None:
        """The reader can be pickled; an image that was pickled gives the same pixels in another process."""
        try:
            pickle.loads(pickle.dumps(self.loaded()))  # noqa: S301
        except Exception as error:
            raise AssertionError(f"the reader cannot be pickled: define its class at the top of a module ({error})") from error
        for number, example in enumerate(images):
            image = self.opened(example)
            image.read(tuple(slice(0, 1) for _ in image.shape))  # what is open after that stays here
            try:
                (tmp_path / f"travels{number}.pickle").write_bytes(pickle.dumps(image))
            except Exception as error:
                raise AssertionError(f"the image of {example.path.name} cannot be pickled: make it with lazy_image ({error})") from error
        printed_by(READING.format(folder=str(tmp_path), count=len(images)))
        for number, example in enumerate(images):
            found = np.load(tmp_path / f"travels{number}.npy")
            example.assert_pixels(found, all_of(example.array), "in another process, pixels")

    def test_opening_reads_no_pixels(self, images: Sequence[ImageExample]) -> None:
        """Opening an image takes less memory than its pixels do."""
        large = [example for example in images if example.array.nbytes >= LARGE]
        if self.reads_at_once or not large:
            pytest.skip(f"no example has {LARGE // 1024} KiB of pixels" if not self.reads_at_once else "the format is read completely")
        for example in large:
            self.opened(example)  # which imports what it needs
            tracemalloc.start()
            try:
                image = self.opened(example)
                _, most = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert image.shape == example.array.shape
            assert most < example.array.nbytes / 2, (
                f"opening {example.path.name} takes {most} bytes, its pixels take {example.array.nbytes}: read them when a region is read"
            )

    def test_scenes(self, images: Sequence[ImageExample]) -> None:
        """Scenes are numbered from 0, have the expected names, and open by number and by name."""
        for example in images:
            scenes = self.scenes(example)
            assert scenes, f"expected at least one scene of {example.path.name}"
            assert [scene.number for scene in scenes] == list(range(len(scenes))), (
                f"{example.path.name}: expected scenes numbered from 0, found {[scene.number for scene in scenes]}"
            )
            names = tuple(scene.name for scene in scenes)
            assert names == example.scene_names, f"{example.path.name}: expected scenes named {example.scene_names}, found {names}"
            for scene in scenes:
                by_number = self.open(scene.location) if scene.location else self.open(example.location, scene.number)
                if len(scenes) > 1 and scene.name and names.count(scene.name) == 1:
                    by_name = self.open(example.location, scene.name)
                    part = tuple(slice(0, 3) for _ in by_number.shape)
                    same = by_name.shape == by_number.shape and np.array_equal(by_name.read(part), by_number.read(part))
                    assert same, f"{example.path.name}: the scene {scene.name!r} is another image than that of its number {scene.number}"
            if sum(not scene.is_side_image for scene in scenes) > 1:
                self.fails(f"{example.path.name} without a scene", self.open, example.location)

    def test_scene_or_level_that_is_not_there(self, images: Sequence[ImageExample]) -> None:
        """Either is refused with SourceError, in one sentence."""
        for example in images:
            for scene in (NO_SUCH, "no such scene"):
                self.fails(f"the scene {scene!r} of {example.path.name}", self.open, example.location, scene, example.level)
            for level in (example.levels, NO_SUCH):
                self.fails(f"level {level} of {example.path.name}", self.open, example.location, example.scene, level)

    def test_levels(self, images: Sequence[ImageExample]) -> None:
        """All levels open, with the same axes and dtype, none larger than the one before; level 0 is the finest."""
        for example in images:
            levels = [self.open(example.location, example.scene, level) for level in range(example.levels)]
            finest = self.open(example.location, example.scene)
            assert finest.shape == levels[0].shape, f"{example.path.name}: expected the finest level without a choice, found {finest.shape}"
            for before, after in pairwise(levels):
                assert (before.axes, before.dtype) == (after.axes, after.dtype), (
                    f"the levels of {example.path.name} differ in axes or dtype"
                )
                assert all(a <= b for a, b in zip(after.shape, before.shape, strict=True)), (
                    f"a level of {example.path.name} is larger than the one before"
                )

    @pytest.mark.parametrize("content", ["missing", "nothing", "text", "noise", "zip"])
    def test_wrong_files(self, tmp_path: Path, content: str) -> None:
        """A file that is missing, or of another kind, is refused in one sentence."""
        for suffix in self.entry.suffixes:
            path = tmp_path / f"other{suffix}"
            if content != "missing":
                write_other_file(path, content)
            self.fails(f"{content} named {path.name}", self.read, str(path))

    def test_cut_files(self, images: Sequence[ImageExample], tmp_path: Path) -> None:
        """A file that ends early gives the same pixels, where it lacks none, or an error of one sentence."""
        for number, example in enumerate(images):
            if not example.path.is_file():
                continue
            content = example.path.read_bytes()
            for length in sorted({1, len(content) // 3, 2 * len(content) // 3, len(content) - 1}):
                cut = tmp_path / f"cut{number}_{length}" / example.path.name
                cut.parent.mkdir()
                cut.write_bytes(content[:length])
                what = f"{length} of {len(content)} bytes of {example.path.name}"
                found = self.outcome(what, self.read, f"{cut}{example.within}", example.scene, example.level)
                if not isinstance(found, str):  # it may lack some metadata at the end
                    found = found.reshape(example.array.shape) if found.size == example.array.size else found
                    example.assert_pixels(
                        found, all_of(example.array), f"read without an error from {length} of {len(content)} bytes, pixels"
                    )

    def test_urls(self, images: Sequence[ImageExample]) -> None:
        """A reader of URLs opens them through fsspec, as it opens files."""
        if not self.entry.urls:
            pytest.skip("the reader reads local files only")
        for number, example in enumerate(images):
            url = f"memory://bmz-kit-{self.entry.name}-{number}/{example.path.name}"
            files, path = file_system(url)
            files.put(str(example.path), path, recursive=example.path.is_dir())
            try:
                image = self.open(url + example.within, example.scene, example.level)
                example.assert_pixels(image.read(all_of(image)), all_of(image), f"from the URL {url}, pixels")
                assert self.loaded().sniff(url + example.within) is True, f"expected sniff to return True for the URL {url}"
            finally:
                files.rm(path, recursive=True)

    def read(self, location: str, scene: SceneChoice = None, level: int | None = None) -> Any:
        """Open an image and read all of it."""
        image = self.open(location, scene, level)
        return image.read(all_of(image))

    def fails(self, what: str, call: Callable[..., Any], *arguments: Any) -> None:
        """Assert that a call raises an error that can be shown to users."""
        if not isinstance(self.outcome(what, call, *arguments), str):
            pytest.fail(f"expected SourceError for {what}, found an image")

    def outcome(self, what: str, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return the result of a call, or the message of its error; assert that this is one sentence about the file."""
        try:
            return call(*arguments)
        except (SourceError, MissingRequirementError) as error:
            one_sentence(str(error))
            cause = error.__cause__
            while cause is not None:
                if isinstance(cause, FAULTS_OF_CODE):
                    raise AssertionError(
                        f"{what}: expected an error that says what is wrong, found {type(cause).__name__}: {cause}"
                    ) from error
                cause = cause.__cause__
            return str(error)
        except Exception as error:
            raise AssertionError(f"expected SourceError for {what}, found {type(error).__name__}: {error}") from error


@st.composite
def regions(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Draw a region with at least one pixel."""
    index = []
    for size in shape:
        start = draw(st.integers(0, size - 1))
        index.append(slice(start, draw(st.integers(start + 1, size))))
    return tuple(index)


def _in_words(index: tuple[slice, ...]) -> str:
    return f"[{', '.join(f'{part.start}:{part.stop}' for part in index)}]"
