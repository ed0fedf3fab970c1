"""A small image format, and a reader of it that breaks no rule; `broken_images` has readers that do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import attrs
import fsspec
import numpy as np

from bioimageio_core.io import Image, Scene, check_single, choose_scene, lazy_image

SIZE = {"y": (0.5, "micrometer"), "x": (0.25, "micrometer")}


def content_of(pixels: np.ndarray[Any, Any], names: Sequence[str]) -> bytes:
    """Return the bytes of a file: a line of JSON with all that is known, then images of one shape one after the other."""
    about = {"flat": 1, "shape": pixels.shape[1:], "dtype": str(pixels.dtype), "names": names}
    return json.dumps(about).encode() + b"\n" + pixels.tobytes()


@attrs.define
class Flat:
    """An image of a file."""

    about: dict[str, Any]
    pixels: Any

    @classmethod
    def of(cls, location: str, scene: int = 0, level: int = 0, padded: bool = False) -> Flat:
        with fsspec.open(location, "rb") as file:
            line, rest = file.readline(), file.tell()
        if not line.startswith(b'{"flat"') or not line.endswith(b"\n"):
            raise ValueError('expected a line that begins with {"flat"')
        about = json.loads(line)
        shape, dtype = (len(about["names"]), *about["shape"]), np.dtype(about["dtype"])
        if "://" in location or padded:
            with fsspec.open(location, "rb") as file:
                content = file.read()[rest:]
            content = content.ljust(int(np.prod(shape)) * dtype.itemsize, b"\0") if padded else content
            pixels = np.frombuffer(content, dtype).reshape(shape)
        else:
            pixels = np.memmap(location, dtype, "r", rest, shape)
        return cls(about, pixels[scene][:: level + 1, :: level + 1])


def open_pixels(location: str, scene: int, level: int) -> Any:
    return Flat.of(location, scene, level).pixels


class Good:
    def sniff(self, location: str) -> bool:
        try:
            return bool(Flat.of(location))
        except (OSError, ValueError):
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        return [Scene(number=n, name=name) for n, name in enumerate(Flat.of(location).about["names"])]

    def open(self, location: str, scene: Any, level: int | None) -> Image:
        number = choose_scene(self.scenes(location), scene, location).number
        if (level or 0) not in (0, 1):
            check_single(None, level, location)
        return self.image(location, number, level or 0)

    def image(self, location: str, number: int, level: int) -> Image:
        size = {axis: (n * (level + 1), unit) for axis, (n, unit) in SIZE.items()}
        return lazy_image(open_pixels, location, number, level, axes="yx", pixel_size=size)
