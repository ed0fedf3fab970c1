"""Images for writers: layouts that Hypothesis draws, and pixels that tell how they are read."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from ..axis_names import parse_axes
from ..io import ImageLayout, ImageLevel
from ..typing import AxisId, FrozenMapping
from .strategies import noise

__all__ = ["FAILURE", "GivenPixels", "Interrupted", "image_layouts", "large_layout", "plain_layouts"]

DTYPES = ("uint8", "float32", "uint16", "bool", "int8", "int16", "uint32", "int32", "uint64", "int64", "float16", "float64")
NAMES = ("cells", "Zellen ä", 'a "b" <c> & d', "1")
CHANNELS = ("DAPI", "GFP", "Ü <2>", "nuclei, cells", "")
UNITS = {"time": ("second", "millisecond", None), "z": ("micrometer", "nanometer", None)}
RECORD = FrozenMapping({"model": {"name": "A <model> & more, äöü", "version": None}, "blocks": [1, 2.5, True]})
LARGEST_NOISE = 2**20
"""Pixels of the largest image that has noise; a larger one is 0, and takes no memory."""

FAILURE = "the region cannot be read"


class Interrupted(RuntimeError):
    """Stands for whatever ends a run while a file is written."""


class OutOfBounds(AssertionError):
    """A region that the image does not have."""


class GivenPixels:
    """Pixels of an image, by region, as a writer reads them.

    Args:
        image: Its layout, from which the pixels follow.
        fails: Whether no region but the first can be read, or none where the first is all of the image.

    """

    def __init__(self, image: ImageLayout, *, fails: bool = False) -> None:
        self.image = image
        self.fails = fails
        self.calls = 0
        self.largest = 0
        """Pixels of the largest region that was read."""

        self._levels = [_pixels(image, number) for number in range(len(image.levels))]
        self._lock = threading.Lock()
        self._beyond: str | None = None

    def pixels(self, level: int) -> NDArray[Any]:
        """Return all pixels of a level."""
        return self._levels[level].copy()

    def __call__(self, index: tuple[slice, ...], level: int) -> NDArray[Any]:
        """Return a region, as a new array."""
        problem = self._problem(index, level)
        if problem:
            self._beyond = problem
            raise OutOfBounds(problem)
        region = self._levels[level][index].copy()
        with self._lock:
            self.calls += 1
            self.largest = max(self.largest, region.size)
            if self.fails and (self.calls > 1 or region.size == self._levels[level].size):
                raise Interrupted(FAILURE)
        return region

    def assert_within(self) -> None:
        """Assert that all regions that were read are within the image."""
        assert self._beyond is None, self._beyond

    def _problem(self, index: Any, level: Any) -> str | None:
        if level not in range(len(self._levels)):
            return f"expected a level from 0 to {len(self._levels) - 1}, found read(..., {level!r})"
        shape = self._levels[level].shape
        if not isinstance(index, tuple) or len(index) != len(shape) or not all(isinstance(part, slice) for part in index):
            return f"expected a tuple of {len(shape)} slices, found read({index!r}, {level})"
        for part, size in zip(index, shape, strict=True):
            if part.step not in (None, 1) or part.start is None or part.stop is None or not 0 <= part.start < part.stop <= size:
                return f"expected slices with start and stop within the shape {shape}, found read({index!r}, {level})"
        return None


def _pixels(image: ImageLayout, level: int) -> NDArray[Any]:
    shape = image.levels[level].shape
    if np.prod(shape) > LARGEST_NOISE:
        return np.broadcast_to(np.zeros((), image.dtype), shape)
    values = (0.0, 1000.0) if image.labels else (-1000.0, 1000.0)
    return noise(shape, image.dtype.name, int(np.prod(shape)) + level, values)


def layout_of(axes: str, dtype: str, sizes: dict[AxisId, int]) -> ImageLayout:
    """Return a plain image in chunks of one plane."""
    parsed = parse_axes(axes)
    shape = tuple(sizes[axis] for axis in parsed)
    chunks = tuple(min(n, 512) if axis in ("y", "x") else 1 for axis, n in zip(parsed, shape, strict=True))
    return ImageLayout(name="image", axes=parsed, dtype=np.dtype(dtype), levels=(ImageLevel(shape=shape, chunks=chunks),))


def large_layout(axes: str) -> ImageLayout:
    """Return an image of 128 Mi pixels of uint8."""
    return layout_of(axes, "uint8", {"time": 128, "channel": 128, "z": 128, "y": 1024 if len(axes) > 2 else 128 * 1024, "x": 1024})


def plain_layouts() -> tuple[ImageLayout, ...]:
    """Return plain images of all dtypes, of which any format holds some."""
    sizes: dict[AxisId, int] = {"time": 3, "channel": 2, "z": 4, "y": 8, "x": 5}
    return tuple(layout_of(axes, dtype, sizes) for axes in ("yx", "zyx", "cyx", "tczyx") for dtype in DTYPES)


@st.composite
def image_layouts(draw: st.DrawFn, *, levels: bool) -> ImageLayout:
    """Draw an image: some of the axes that images have, of a few pixels, of any dtype.

    Args:
        draw: Of Hypothesis.
        levels: Whether there may be coarser levels.

    """
    second: AxisId = draw(st.sampled_from(("channel", "channel", "index")))
    lead = [axis for axis in ("batch", "time", second, "z") if draw(st.booleans())]
    plane = draw(st.sampled_from((["y", "x"], ["y", "x"], ["y", "x"], ["y"], ["x"], [])))
    axes = tuple(lead + plane) or ("x",)
    sizes = {axis: 1 if axis == "batch" else draw(st.integers(2, 11) if axis in ("y", "x") else st.integers(1, 3)) for axis in axes}
    shape = tuple(sizes.values())
    chunks = tuple(draw(st.integers(1, size)) for size in shape)
    found = [ImageLevel(shape=shape, chunks=chunks)]
    while levels and draw(st.booleans()) and len(found) < 3:
        smaller = tuple(-(-n // 2) if a in ("y", "x") else n for a, n in zip(axes, found[-1].shape, strict=True))
        found.append(ImageLevel(shape=smaller, chunks=tuple(map(min, chunks, smaller))))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    measured = [axis for axis in axes if axis in ("time", "z", "y", "x") and draw(st.booleans())]
    units = {axis: draw(st.sampled_from(UNITS["time" if axis == "time" else "z"])) for axis in measured}
    names = draw(st.lists(st.sampled_from(CHANNELS), min_size=sizes["channel"], max_size=sizes["channel"])) if "channel" in axes else None
    return ImageLayout(
        name=draw(st.sampled_from(NAMES)),
        axes=axes,
        dtype=dtype,
        levels=tuple(found),
        channel_names=tuple(names) if names and draw(st.booleans()) else None,
        pixel_size=FrozenMapping({axis: (draw(st.sampled_from((0.25, 1.0, 333.3))), unit) for axis, unit in units.items()}),
        position=FrozenMapping({axis: draw(st.sampled_from((0.0, -12.5))) for axis in measured if draw(st.booleans())}),
        labels=dtype.kind in "ui" and draw(st.booleans()),
        record=draw(st.sampled_from((FrozenMapping(), RECORD))),
    )
