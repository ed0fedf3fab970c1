"""What authors of image readers give the kit as examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from numpy.typing import NDArray

from ..axis_names import parse_axes
from ..io import Image, SceneChoice
from ..io.reading.image import PixelSize
from ..typing import AxisId, FrozenMapping
from ..units import normalised_unit
from .fixtures import assert_close

__all__ = ["ImageExample", "all_of"]


@attrs.frozen(kw_only=True, eq=False)
class ImageExample:
    """An image in a file, and what is known of it; best a file that another program wrote, of a few kilobytes."""

    path: Path
    """The file or folder."""

    within: str = ""
    """Path of the image in the file or folder, as in ``:/raw``, where the entry has ``paths_within``."""

    array: NDArray[Any]
    """All pixels, along the axes of the file."""

    axes: str | Sequence[str] | None = None
    """The axes, as in ``tczyx``; None where the file does not name them."""

    scene: SceneChoice = None
    """Number or name of the image; None where the file holds one."""

    scene_names: tuple[str, ...] = ("",)
    """Name of each image in the file, empty for those without one."""

    level: int | None = None
    """Resolution that the array is of; None for the finest."""

    levels: int = 1
    """Number of resolutions of the image."""

    channel_names: tuple[str, ...] | None = None
    pixel_size: Mapping[AxisId, PixelSize] = FrozenMapping()
    """Size of a pixel and the name of its unit (``micrometer``, ``second``), by axis, where the file records it."""

    position: Mapping[AxisId, float] = FrozenMapping()
    """Position of the centre of the first pixel, by axis, where the file records it."""

    atol: float = 0.0
    """Absolute tolerance of pixels, for formats that lose some of them."""

    @property
    def location(self) -> str:
        """What users write."""
        return f"{self.path}{self.within}"

    def assert_pixels(self, found: Any, index: tuple[slice, ...], what: str) -> None:
        """Assert that pixels are those of a region of the example."""
        assert_close(found, self.array[index], rtol=0.0, atol=self.atol, what=f"{what} of {self.path.name}")

    def assert_metadata(self, image: Image) -> None:
        """Assert that an image says what the example says, but for its pixels."""
        name = self.path.name
        assert image.shape == self.array.shape, f"{name}: expected the shape {self.array.shape}, found {image.shape}"
        expected = self.array.dtype.newbyteorder("=")
        assert image.dtype == expected, f"{name}: expected the dtype {expected}, found {image.dtype}"
        axes = None if self.axes is None else parse_axes(self.axes)
        assert image.axes == axes, f"{name}: expected the axes {axes}, found {image.axes}"
        assert image.channel_names == self.channel_names, (
            f"{name}: expected the channel names {self.channel_names}, found {image.channel_names}"
        )
        sizes = {axis: (size, normalised_unit(unit)) for axis, (size, unit) in self.pixel_size.items()}
        _assert_near(dict(image.pixel_size), sizes, f"{name}: pixel size")
        _assert_near(
            {a: (at, None) for a, at in image.position.items()}, {a: (at, None) for a, at in self.position.items()}, f"{name}: position"
        )
        chunks = image.chunks
        assert chunks is None or (len(chunks) == len(image.shape) and min(chunks, default=1) > 0), (
            f"{name}: expected chunks of at least one pixel along each of {len(image.shape)} axes, or None, found {chunks}"
        )


def all_of(array: Any) -> tuple[slice, ...]:
    """Return the index of a complete array or image."""
    return tuple(slice(0, size) for size in array.shape)


def _assert_near(found: Mapping[str, PixelSize], expected: Mapping[str, PixelSize], what: str) -> None:
    """Assert that numbers agree to six digits, and units exactly; files hold many of them as text or as 32 bits."""
    same = found.keys() == expected.keys() and all(
        abs(found[axis][0] - number) <= 1e-6 * abs(number) and found[axis][1] == unit for axis, (number, unit) in expected.items()
    )
    assert same, f"{what}: expected {dict(expected)}, found {dict(found)}"
