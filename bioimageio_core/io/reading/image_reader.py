"""What a reader of image files does: the contract of the hook ``bioimageio_image_readers``."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from ...axis_names import parse_axes
from ...typing import AxisId, FrozenMapping
from ..lazy import Lazy
from ..locations import opening_errors, stem
from .image import Image, PixelSize, checked_dtype
from .readers import HandleReader, materialise
from .scenes import Scene, SceneChoice

__all__ = ["ImageReader", "OneAtATime", "lazy_image"]


@runtime_checkable
class ImageReader(Protocol):
    """Reads a format of image files. It is pickled, so that workers open the same images: its class is at the top of a module."""

    def sniff(self, location: str) -> bool:
        """Return whether a file whose name fits is of this format; looks at its first bytes, not at all of it.

        Called only where several readers have the same suffix. Raises nothing.
        """
        ...

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the images in a file, at least one; reads no pixels.

        Raises:
            Exception: Of any kind, where the file cannot be read; the caller turns it into a SourceError.

        """
        ...

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open an image without reading its pixels; `lazy_image` makes one from whatever has shape, dtype and ``[]``.

        Args:
            location: Path or URL as users write it, within the file where the entry has ``paths_within``.
            scene: Number or name of the scene, which `choose_scene` looks up; None for the only one.
            level: Resolution of a pyramid, 0 (the finest) where None.

        Raises:
            SourceError: There is no such scene or level.
            Exception: Of any kind, where the file cannot be read; the caller turns it into a SourceError.

        """
        ...


def lazy_image(
    open_array: Callable[..., Any],
    location: str,
    *arguments: Any,
    axes: str | Sequence[str] | None = None,
    name: str = "",
    part: str = "",
    channel_names: Sequence[str] | None = None,
    pixel_size: Mapping[AxisId, PixelSize] = FrozenMapping(),
    position: Mapping[AxisId, float] = FrozenMapping(),
    chunks: Sequence[int] | None = None,
    one_at_a_time: bool = False,
) -> Image:
    """Return the image of an array that each process opens for itself.

    Args:
        open_array: A function at the top of a module, which is called with the location and the further arguments, and returns an object
            with ``shape``, ``dtype`` and ``[]`` for one slice per axis.
        location: Path or URL of the file.
        arguments: Further arguments of ``open_array``, which can be pickled.
        axes: The axes, as `bioimageio_core.axis_names.parse_axes` reads them; None where the file does not name them.
        name: Name of the image; by default that of the file without its ending.
        part: Which image in the file it is, where there are several.
        channel_names: A name for each channel; left out where their number is another one.
        pixel_size: Size of a pixel and the name of its unit along axes of space and time, where known.
        position: Position of the centre of the first pixel, in the units of ``pixel_size``, where known.
        chunks: Shape of the unit of storage in pixels, where there is one.
        one_at_a_time: Whether the array must not be read by several threads at once.

    Raises:
        SourceError: The file cannot be opened, or holds no real numbers.

    """
    handle = Lazy(_open, open_array, location, arguments, one_at_a_time)
    with opening_errors(location, "an image"):
        array = handle()
        shape = tuple(int(n) for n in array.shape)
    name = name or stem(location)
    parsed = None if axes is None else parse_axes(axes)
    names = None if channel_names is None else tuple(channel_names)
    if names is not None and (parsed is None or "channel" not in parsed or shape[parsed.index("channel")] != len(names)):
        names = None
    return Image(
        name=name,
        shape=shape,
        dtype=checked_dtype(array.dtype, name),
        axes=parsed,
        location=location,
        part=part,
        channel_names=names,
        chunks=None if chunks is None else tuple(chunks),
        pixel_size=FrozenMapping({axis: size for axis, size in pixel_size.items() if parsed is None or axis in parsed}),
        position=FrozenMapping({axis: at for axis, at in position.items() if parsed is None or axis in parsed}),
        reader=HandleReader(handle=handle),
    )


class OneAtATime:
    """An array that one thread reads at a time."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self._lock = threading.Lock()
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        with self._lock:
            return materialise(self.array[index])

    def close(self) -> None:
        """Close the array, if it can be closed."""
        close = getattr(self.array, "close", None)
        if callable(close):
            close()


def _open(open_array: Callable[..., Any], location: str, arguments: tuple[Any, ...], one_at_a_time: bool) -> Any:
    array = open_array(location, *arguments)
    return OneAtATime(array) if one_at_a_time else array
