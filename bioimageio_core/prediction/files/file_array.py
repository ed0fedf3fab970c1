"""An output in a file, as an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ...io import Image, open_image
from ...io.lazy import Lazy
from ...typing import AxisId

__all__ = ["FileArray"]


@attrs.frozen(eq=False)
class FileArray:
    """The image in a file as an array with the axes of an output; pixels are read where they are asked for."""

    location: str
    axes: tuple[AxisId, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    _image: Lazy[Image] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_image", Lazy(open_image, self.location))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        array = self[...]
        return np.asarray(array if dtype is None else array.astype(dtype, copy=False))

    def __getitem__(self, index: Any) -> Any:
        """Return a part, as numpy indexes; only the bounding box of whole numbers and slices is read.

        Raises:
            SourceError: No installed plugin reads the file, or it is not as the prediction wrote it.

        """
        given = index if isinstance(index, tuple) else (index,)
        if not all(isinstance(one, int | np.integer | slice) or one is Ellipsis for one in given):
            return self._read([slice(0, n) for n in self.shape])[index]
        given = _without_ellipsis(given, self.ndim)
        box: list[slice] = []
        rest: list[int | slice] = []
        for one, size in zip(given, self.shape, strict=True):
            chosen = range(size)[one]
            if isinstance(chosen, int):
                box.append(slice(chosen, chosen + 1))
                rest.append(0)
            else:
                low, high = (min(chosen), max(chosen) + 1) if len(chosen) else (0, 0)
                box.append(slice(low, high))
                rest.append(_within(chosen, low))
        return self._read(box)[tuple(rest)]

    def _read(self, box: Sequence[slice]) -> NDArray[Any]:
        image = self._image()
        by_axis = dict(zip(self.axes, box, strict=True))
        found = image.axes if image.axes is not None else self.axes  # .npy files name no axes
        sizes = dict(zip(self.axes, self.shape, strict=True))
        if len(found) != len(image.shape) or any(n != sizes.get(axis, 1) for axis, n in zip(found, image.shape, strict=True)):
            raise SourceError(f"{self.location} has the shape {image.shape}: expected {self.shape}, as it was written")
        pixels = image.read(tuple(by_axis.get(axis, slice(0, 1)) for axis in found))
        kept = [n for n, axis in enumerate(found) if axis in by_axis]
        pixels = pixels.transpose([*kept, *(n for n in range(len(found)) if n not in kept)]).reshape([pixels.shape[n] for n in kept])
        names = [found[n] for n in kept]
        pixels = pixels.transpose([names.index(axis) for axis in self.axes if axis in names])
        return pixels.reshape([s.stop - s.start for s in box]).astype(self.dtype, copy=False)


def _without_ellipsis(given: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    if Ellipsis in given:
        at = given.index(Ellipsis)
        given = (*given[:at], *[slice(None)] * (count - len(given) + 1), *given[at + 1 :])
    if len(given) > count:
        raise IndexError(f"too many indices: expected at most {count}, found {len(given)}")
    return (*given, *[slice(None)] * (count - len(given)))


def _within(chosen: range, low: int) -> slice:
    """Return the slice of a box from `low` that picks the positions of a range."""
    if not chosen:
        return slice(0, 0)
    start, stop = chosen[0] - low, chosen[-1] - low + (1 if chosen.step > 0 else -1)
    return slice(start, None if stop < 0 else stop, chosen.step)
