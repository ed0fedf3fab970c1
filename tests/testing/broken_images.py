"""Readers and writers of a small image format that each break one rule, and some that break none; run by `test_kit_finds`."""

from __future__ import annotations

import json
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from flat_format import SIZE, Flat, Good, content_of, open_pixels

from bioimageio_core.io import Image, ImageLayout, Scene, check_single, choose_scene, lazy_image
from bioimageio_core.registry import ImageReaderEntry, ImageWriterEntry, hookimpl
from bioimageio_core.testing import ImageExample, ImageReaderConformance, ImageWriterConformance

PIXELS = np.arange(2 * 6 * 5, dtype=np.int16).reshape(2, 6, 5)
LARGE = np.zeros((1, 512, 300), np.int16)


class SniffsAll(Good):
    def sniff(self, location: str) -> bool:
        return True


class SniffRaises(Good):
    def sniff(self, location: str) -> bool:
        return bool(Flat.of(location))


class SniffsNone(Good):
    def sniff(self, location: str) -> bool:
        return False


class OtherAxes(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        return super().image(location, number, level).with_axes("zx")


class OtherUnit(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        size = {axis: (n, "nanometer") for axis, (n, _) in SIZE.items()}
        return attrs.evolve(super().image(location, number, level), pixel_size=size)


@attrs.define
class Shifted:
    """Regions that begin behind the first column are one column off."""

    pixels: Any
    shape: Any
    dtype: Any

    @classmethod
    def of(cls, location: str, number: int, level: int) -> Shifted:
        pixels = open_pixels(location, number, level)
        return cls(pixels, pixels.shape, pixels.dtype)

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        rows, columns = index
        moved = int(columns.start > 2)
        return self.pixels[rows, columns.start - moved : columns.stop - moved]


class OneOff(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        return lazy_image(Shifted.of, location, number, level, axes="yx", pixel_size=SIZE)


class OnePosition(Shifted):
    """Keeps the region for the next step in the object, where another thread changes it."""

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        self.at = index
        time.sleep(1e-4)
        return self.pixels[self.at]


class SharesState(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        return lazy_image(OnePosition.of, location, number, level, axes="yx", pixel_size=SIZE)


class Unpicklable(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        return lazy_image(lambda place: open_pixels(place, number, level), location, axes="yx", pixel_size=SIZE)


class ReadsWhole(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        pixels = np.array(open_pixels(location, number, level))
        return attrs.evolve(super().image(location, number, level), reader=Kept(pixels))


@attrs.frozen(eq=False)
class Kept:
    pixels: Any
    copies: bool = True

    def read(self, index: tuple[slice, ...]) -> Any:
        return self.pixels[index].copy() if self.copies else self.pixels[index]


class GivesItsOwn(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        pixels = np.array(open_pixels(location, number, level)) if "large" not in location else open_pixels(location, number, level)
        kept = Kept(pixels, copies="large" in location)
        return attrs.evolve(super().image(location, number, level), reader=kept)


class CountsFromOne(Good):
    def scenes(self, location: str) -> Sequence[Scene]:
        return [attrs.evolve(scene, number=scene.number + 1) for scene in super().scenes(location)]

    def open(self, location: str, scene: Any, level: int | None) -> Image:
        number = choose_scene(self.scenes(location), scene, location).number
        if (level or 0) not in (0, 1):
            check_single(None, level, location)
        return self.image(location, number - 1, level or 0)


class TakesAnyScene(Good):
    def open(self, location: str, scene: Any, level: int | None) -> Image:
        known = scene in ("left", "right", 0, 1)
        return super().open(location, scene if known or scene is None else 0, level)


class TakesAnyLevel(Good):
    def open(self, location: str, scene: Any, level: int | None) -> Image:
        return super().open(location, scene, min(level or 0, 1))


def open_padded(location: str, scene: int, level: int) -> Any:
    return Flat.of(location, scene, level, padded=True).pixels


class FillsUp(Good):
    def scenes(self, location: str) -> Sequence[Scene]:
        names = Flat.of(location, padded="large" not in location).about["names"]
        return [Scene(number=n, name=name) for n, name in enumerate(names)]

    def image(self, location: str, number: int, level: int) -> Image:
        if "large" in location:
            return super().image(location, number, level)
        return lazy_image(open_padded, location, number, level, axes="yx", pixel_size=SIZE)


class Crashes(Good):
    def open(self, location: str, scene: Any, level: int | None) -> Image:
        if not self.sniff(location):
            return None.pixels  # type: ignore[attr-defined]
        return super().open(location, scene, level)


class FilesOnly(Good):
    def image(self, location: str, number: int, level: int) -> Image:
        assert Path(location).exists()
        return super().image(location, number, level)


def reader(load: Callable[[], Any], name: str = "flat") -> ImageReaderEntry:
    return ImageReaderEntry(name=name, suffixes=(".flat",), load=load)


def heavy(load: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that imports a framework before it loads."""

    def loading() -> Any:
        sys.modules["jax"] = types.ModuleType("jax")
        return load()

    return loading


class ReaderTest(ImageReaderConformance):
    plugin = __name__
    examples = 10

    @pytest.fixture
    def images(self, tmp_path: Path) -> Sequence[ImageExample]:
        (tmp_path / "two.flat").write_bytes(content_of(PIXELS, ["left", "right"]))
        (tmp_path / "large.flat").write_bytes(content_of(LARGE, [""]))
        known = {"axes": "yx", "pixel_size": SIZE, "levels": 2}
        return [
            ImageExample(path=tmp_path / "two.flat", array=PIXELS[1], scene="right", scene_names=("left", "right"), **known),
            ImageExample(path=tmp_path / "large.flat", array=LARGE[0], **known),
        ]


READERS = {
    "Good": Good,
    "SniffsAll": SniffsAll,
    "SniffRaises": SniffRaises,
    "SniffsNone": SniffsNone,
    "OtherAxes": OtherAxes,
    "OtherUnit": OtherUnit,
    "OneOff": OneOff,
    "SharesState": SharesState,
    "Unpicklable": Unpicklable,
    "ReadsWhole": ReadsWhole,
    "GivesItsOwn": GivesItsOwn,
    "CountsFromOne": CountsFromOne,
    "TakesAnyScene": TakesAnyScene,
    "TakesAnyLevel": TakesAnyLevel,
    "FillsUp": FillsUp,
    "Crashes": Crashes,
    "FilesOnly": FilesOnly,
}

for _name, _load in READERS.items():
    globals()[f"TestReader{_name}"] = type(f"TestReader{_name}", (ReaderTest,), {"entry": reader(_load)})


class TestReaderHeavy(ReaderTest):
    entry = reader(heavy(Good), "flat_heavy")


class Writes:
    """Writes planes one after the other, after a line of JSON."""

    def check(self, image: ImageLayout) -> None:
        if image.dtype.kind not in "uif" or len(image.axes) < 2:
            raise ValueError(f"the format holds integers and floating point with two axes or more, found {image.dtype}")

    def write(self, image: ImageLayout, read: Any, path: Path) -> None:
        with path.open("wb") as file:
            file.write(json.dumps({"axes": self.axes(image), "shape": image.shape, "dtype": image.dtype.name}).encode() + b"\n")
            for plane in np.ndindex(image.shape[:-2]):
                index = (*(slice(n, n + 1) for n in plane), *(slice(0, n) for n in image.shape[-2:]))
                file.write(self.pixels(read(self.changed(index), 0)).tobytes())

    def axes(self, image: ImageLayout) -> list[str]:
        return list(image.axes)

    def changed(self, index: tuple[slice, ...]) -> tuple[slice, ...]:
        return index

    def pixels(self, region: Any) -> Any:
        return region


class RefusesAll(Writes):
    def check(self, image: ImageLayout) -> None:
        raise ValueError("the format holds nothing")


class RefusesWithTypeError(Writes):
    def check(self, image: ImageLayout) -> None:
        if image.dtype == "float64":
            raise TypeError("float64")
        super().check(image)


class Fickle(Writes):
    def __init__(self) -> None:
        Fickle.count += 1

    count = 0

    def check(self, image: ImageLayout) -> None:
        if image.dtype == "int8" and self.count % 2:
            raise ValueError("not now")
        super().check(image)


class FailsInTheMiddle(Writes):
    def pixels(self, region: Any) -> Any:
        if region.dtype == "float64":
            raise ValueError("the format does not hold float64")
        return region


class Scales(Writes):
    def pixels(self, region: Any) -> Any:
        return region // 2


class Beyond(Writes):
    def changed(self, index: tuple[slice, ...]) -> tuple[slice, ...]:
        return (*index[:-1], slice(0, 16 * -(-index[-1].stop // 16)))


class Swallows(Writes):
    def write(self, image: ImageLayout, read: Any, path: Path) -> None:
        try:
            super().write(image, read, path)
        except RuntimeError:
            path.touch()


class WritesBeside(Writes):
    def write(self, image: ImageLayout, read: Any, path: Path) -> None:
        super().write(image, read, path)
        path.with_suffix(".txt").write_text("about it")


class OtherName(Writes):
    def write(self, image: ImageLayout, read: Any, path: Path) -> None:
        super().write(image, read, path.with_suffix(".flat2"))


class KeepsThePath(Writes):
    path = Path()

    def write(self, image: ImageLayout, read: Any, path: Path) -> None:
        KeepsThePath.path = path
        time.sleep(0.05 if path.parent.name in "0123" else 0)
        super().write(image, read, KeepsThePath.path)


class ReadsAll(Writes):
    def write(self, image: ImageLayout, read: Any, path: Path) -> None:
        pixels = read(tuple(slice(0, n) for n in image.shape), 0)
        super().write(image, lambda index, level: pixels[index], path)


class NamesOtherAxes(Writes):
    def axes(self, image: ImageLayout) -> list[str]:
        return [*image.axes[:-2], image.axes[-1], image.axes[-2]]


def writer(load: Callable[[], Any], name: str = "flat") -> ImageWriterEntry:
    return ImageWriterEntry(name=name, suffixes=(".flat", ".flat.bin"), load=load)


class WriterTest(ImageWriterConformance):
    plugin = __name__
    examples = 15

    def read_back(self, path: Path) -> Any:
        line, _, content = path.read_bytes().partition(b"\n")
        about = json.loads(line)
        return np.frombuffer(content, about["dtype"]).reshape(about["shape"]), about["axes"]


WRITERS = {
    "Good": Writes,
    "RefusesAll": RefusesAll,
    "RefusesWithTypeError": RefusesWithTypeError,
    "Fickle": Fickle,
    "FailsInTheMiddle": FailsInTheMiddle,
    "Scales": Scales,
    "Beyond": Beyond,
    "Swallows": Swallows,
    "WritesBeside": WritesBeside,
    "OtherName": OtherName,
    "KeepsThePath": KeepsThePath,
    "ReadsAll": ReadsAll,
    "NamesOtherAxes": NamesOtherAxes,
}

for _name, _load in WRITERS.items():
    globals()[f"TestWriter{_name}"] = type(f"TestWriter{_name}", (WriterTest,), {"entry": writer(_load)})


class TestWriterHeavy(WriterTest):
    entry = writer(heavy(Writes), "flat_heavy")


@hookimpl
def bioimageio_image_readers() -> Any:
    yield reader(Good)
    yield TestReaderHeavy.entry


@hookimpl
def bioimageio_image_writers() -> Any:
    yield writer(Writes)
    yield TestWriterHeavy.entry
