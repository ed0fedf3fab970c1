"""Planes of labelled arrays and of images as small pictures: which are shown, in which colours, and what reading them may cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, prod, sqrt
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ...io import Image
from ...labelled_arrays import LabelledArray
from ...prediction.planning.planned_tensors import PlannedInput
from ...shown_range import shown_range
from ...typing import AxisId, FrozenMapping
from .shown_planes import PlaneSource, Span, source_of_input
from .side_by_side import label_palette, ramp, to_png

__all__ = ["PlanePicture", "ShownArray", "array_to_show", "file_to_show", "image_to_show", "plane_picture", "slice_axis", "thumbnail_shape"]

Colours: TypeAlias = Literal["grey", "ramp", "labels", "rgb"]

READ_AT_MOST = 128 * 2**20
"""Bytes of chunks, unpacked, that all planes of an array may take to read."""

MANY_PIXELS = 2**24
"""Pixels of a plane in memory above which every n-th is taken, since means of all take a second."""

SMALLEST = 64
"""Pixels along y and x that are worth to be shown of a larger plane."""

RGB = 3
"""Channels of a picture in colours."""

SHOWN_KINDS = "biuf"
"""Kinds of dtypes that are shown; complex numbers have no one shade."""


@attrs.frozen(kw_only=True)
class ShownArray:
    """An array of which planes are shown."""

    title: str
    source: PlaneSource
    channels: tuple[str, ...]
    """Names of the channels; one name, which may be empty, where there is no axis of channels."""

    labels: bool
    spans: FrozenMapping[AxisId, Span]
    """What is shown along y and x: all of it, or the middle of a plane that takes too much to read."""

    plane_bytes: int
    """Bytes that reading one plane takes, since chunks are read as a whole; 0 where it is in memory."""

    floats: bool
    """Whether values are floats, or integers that stand for floats: only these are probabilities."""

    @property
    def is_rgb(self) -> bool:
        """Whether it is one picture in colours."""
        return self.channels == ("",) and self.source.size("channel") == 3

    @property
    def size(self) -> tuple[int, int]:
        """Pixels that are shown along y and x."""
        return self.spans["y"][1] - self.spans["y"][0], self.spans["x"][1] - self.spans["x"][0]

    @property
    def is_middle(self) -> bool:
        """Whether only the middle is shown."""
        return self.size != (self.source.size("y"), self.source.size("x"))

    def planes_to_read(self, wanted: int) -> int:
        """Return how many of the wanted planes may be read."""
        return min(wanted, READ_AT_MOST // max(1, self.plane_bytes))


def array_to_show(array: LabelledArray, title: str = "") -> ShownArray | None:
    """Return an array to show; None if it has no plane, or would have to be computed."""
    if not {"y", "x"} <= set(array.axes) or 0 in array.shape or hasattr(array.data, "dask") or array.dtype.kind not in SHOWN_KINDS:
        return None

    def read(start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        return np.asarray(array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))])

    count = array.sizes.get("channel", 1)
    names = array.channel_names or tuple(str(n) for n in range(count))
    source = PlaneSource(axes=array.axes, shape=array.shape, read=read, nearest=array.labels or array.dtype.kind == "b")
    chunks = None if array.in_memory else getattr(array.data, "chunks", None) or array.shape
    return _shown(source, title or array.name, names if count > 1 else ("",), chunks, array.dtype, labels=array.labels)


def image_to_show(image: PlannedInput) -> ShownArray | None:
    """Return the image of an input to show, as the network gets it; None if it has no plane, or would have to be computed."""
    bound = image.bound
    reader: Any = bound.image.reader
    if (
        bound.dtype.kind not in SHOWN_KINDS
        or not {"y", "x"} <= set(bound.axes)
        or hasattr(getattr(reader, "array", None), "dask")
        or hasattr(reader, "plan")
    ):
        return None
    source = source_of_input(image)
    count = source.size("channel")
    described = bound.tensor.axis("channel")
    named = bound.image.channel_names or (None if described is None else described.channel_names)
    names = named if named is not None and len(named) == count else tuple(str(n) for n in range(count))
    in_memory = bound.image.location is None and isinstance(getattr(reader, "array", None), np.ndarray)
    chunks = None if in_memory else bound.chunks if bound.image.chunks else bound.shape
    return _shown(source, bound.tensor.id, ("",) if count in (1, 3) else names, chunks, bound.dtype, labels=False)


def file_to_show(image: Image) -> ShownArray | None:
    """Return an image of a file to show; None if it has no plane."""
    axes = image.axes
    if axes is None or not {"y", "x"} <= set(axes) or 0 in image.shape or image.dtype.kind not in SHOWN_KINDS:
        return None

    def read(start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        return image.read(tuple(slice(a, b) for a, b in zip(start, stop, strict=True)))

    source = PlaneSource(axes=axes, shape=image.shape, read=read, nearest=image.dtype.kind == "b")
    count = source.size("channel")
    names = image.channel_names or tuple(str(n) for n in range(count))
    rgb = count == RGB and image.channel_names is None and image.dtype == np.uint8
    return _shown(source, "", ("",) if count == 1 or rgb else names, image.chunks or image.shape, image.dtype, labels=False)


def _shown(
    source: PlaneSource, title: str, channels: tuple[str, ...], chunks: Sequence[int] | None, dtype: np.dtype[Any], *, labels: bool
) -> ShownArray | None:
    """Return an array to show: of a large plane in memory every n-th pixel, of one in storage the middle; None if even that is too much.

    Args:
        source: The array.
        title: Its name.
        channels: Names of its channels.
        chunks: Shape of the unit that is read as a whole; None in memory.
        dtype: The type of its pixels.
        labels: Whether its values are numbers of objects.

    """
    sizes = {axis: source.size(axis) for axis in ("y", "x")}
    spans = {axis: (0, size) for axis, size in sizes.items()}
    if chunks is None:
        many = prod(sizes.values()) > MANY_PIXELS
        return ShownArray(
            title=title,
            source=attrs.evolve(source, nearest=True) if many else source,
            channels=channels,
            labels=labels,
            spans=FrozenMapping(spans),
            plane_bytes=0,
            floats=dtype.kind == "f",
        )
    unit = dict(zip(source.axes, chunks, strict=True))
    depth = prod(size for axis, size in unit.items() if axis not in ("y", "x")) * dtype.itemsize
    longest = sqrt(READ_AT_MOST / 2 / depth)
    if prod(ceil(size / unit[axis]) * unit[axis] for axis, size in sizes.items()) * depth > READ_AT_MOST:
        sides = {axis: min(size, int(longest) - unit[axis]) for axis, size in sizes.items()}
        if min(sides.values()) < SMALLEST:
            return None
        spans = {axis: ((size - sides[axis]) // 2, (size + sides[axis]) // 2) for axis, size in sizes.items()}
    read = prod(
        min(ceil(sizes[axis] / unit[axis]), ceil((high - low) / unit[axis]) + 1) * unit[axis] for axis, (low, high) in spans.items()
    )
    return ShownArray(
        title=title,
        source=source,
        channels=channels,
        labels=labels,
        spans=FrozenMapping(spans),
        plane_bytes=read * depth,
        floats=dtype.kind == "f",
    )


def slice_axis(arrays: Sequence[ShownArray]) -> AxisId:
    """Return the axis whose positions are slices: z, else time, else the first other one; empty where all are of size 1."""
    sizes: dict[AxisId, int] = {}
    for array in arrays:
        for axis in array.source.axes:
            if axis not in ("y", "x", "channel"):
                sizes[axis] = max(sizes.get(axis, 1), array.source.size(axis))
    long = [axis for axis, size in sizes.items() if size > 1]
    return next((axis for axis in ("z", "time") if axis in long), long[0] if long else "")


def thumbnail_shape(array: ShownArray, side: int) -> tuple[int, int]:
    """Return the pixels of a small picture along y and x: as many as are shown, or fewer."""
    height, width = array.size
    factor = min(1.0, side / max(height, width))
    return max(1, round(height * factor)), max(1, round(width * factor))


@attrs.define
class PlanePicture:
    """Draws planes of an array as PNG pictures, all of a channel in the same colours, which the first one decides."""

    array: ShownArray
    side: int
    """Pixels of the longer side at most."""

    full: bool = False
    """All shades; else 64 of them, which take less room, and are hard to tell from more in small pictures."""

    limits: dict[int, tuple[Colours, float, float]] = attrs.Factory(dict)
    """By channel, its colours and the values at their ends."""

    def __call__(self, at: Mapping[AxisId, int], channel: int) -> bytes:
        """Return the plane at positions along other axes than y, x and channels, by default 0, of a channel."""
        rgb = self.array.is_rgb
        found = np.stack([self._plane(at, n) for n in range(3)], axis=-1) if rgb else self._plane(at, channel)
        if channel not in self.limits:
            self.limits[channel] = _limits(self.array, found)
        colours, low, high = self.limits[channel]
        if colours == "labels":
            ids, palette = found.astype(np.int64), label_palette()
            return to_png(np.where(ids == 0, 0, 1 + (ids - 1) % (len(palette) - 1)).astype(np.uint8), palette)
        values = np.nan_to_num(np.asarray(found, np.float64), nan=low, posinf=high, neginf=low)
        scaled = np.clip((values - low) / max(high - low, 1e-12), 0, 1)
        # The exponent brightens dark pixels, which the eye sees better than a camera.
        shown = scaled if colours == "ramp" else scaled**0.7
        numbers = (shown * 255).astype(np.uint8)
        return to_png(numbers if self.full else numbers & np.uint8(0xFC), ramp() if colours == "ramp" else None)

    def _plane(self, at: Mapping[AxisId, int], channel: int) -> NDArray[Any]:
        spans: dict[AxisId, Span] = {axis: (position, position + 1) for axis, position in at.items()}
        spans |= {**self.array.spans, "channel": (channel, channel + 1)}
        return self.array.source.plane(spans, thumbnail_shape(self.array, self.side))


def plane_picture(array: ShownArray, side: int, *, full: bool = False) -> PlanePicture:
    """Return what draws planes of an array; see `PlanePicture`."""
    return PlanePicture(array, side, full)


def _limits(array: ShownArray, plane: NDArray[Any]) -> tuple[Colours, float, float]:
    """Return the colours of a channel, and the values at their ends: a probability keeps its meaning, from 0 to 1."""
    if array.labels:
        return "labels", 0.0, 0.0
    if plane.dtype.kind == "b":
        return "grey", 0.0, 1.0
    finite = plane[np.isfinite(plane)]
    if not finite.size:
        return "grey", 0.0, 1.0
    if array.floats and finite.min() >= 0 and finite.max() <= 1 and not array.is_rgb:
        return "ramp", 0.0, 1.0
    low, high = shown_range(finite)
    return ("rgb" if array.is_rgb else "grey"), low, high
