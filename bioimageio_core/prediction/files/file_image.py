"""The image in a file that a prediction wrote, as an array."""

from __future__ import annotations

from typing import Any

import attrs
from numpy.typing import NDArray

from ...errors import SourceError
from ...io import Image, open_image
from ...io.lazy import Lazy
from ...typing import AxisId
from ..output.tensor_array import in_order

__all__ = ["FileImage"]


@attrs.frozen(kw_only=True, eq=False)
class FileImage:
    """An array with the axes that were written, over what a reader finds in the file; the file is opened when pixels are asked for."""

    location: str
    axes: tuple[AxisId, ...]
    shape: tuple[int, ...]
    _image: Lazy[Image] = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_image", Lazy(open_image, self.location))

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region.

        Raises:
            SourceError: No installed plugin reads the file, or it does not have the shape that was written.

        """
        image = self._image()
        found = image.axes if image.axes is not None and len(image.axes) == len(image.shape) else self.axes  # .npy files name no axes
        written = dict(zip(self.axes, self.shape, strict=True))
        sizes = dict(zip(found, image.shape, strict=False))
        if len(found) != len(image.shape) or any(sizes.get(a, 1) != written.get(a, 1) for a in {*sizes, *written}):
            raise SourceError(f"{self.location} has the shape {image.shape}: expected {self.shape} ({', '.join(self.axes)}), as written")
        wanted = dict(zip(self.axes, index, strict=True))
        pixels = image.read(tuple(wanted.get(axis, slice(0, 1)) for axis in found))
        return in_order(pixels, found, self.axes, index)
