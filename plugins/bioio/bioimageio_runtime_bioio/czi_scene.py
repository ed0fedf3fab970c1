"""Scenes of CZI files, read with the library of ZEISS, which bioio-czi brings.

bioio tells names, channels and sizes. Pixels of some files it reads wrongly (bioio-czi 3.0 with aicspylibczi 4.0):

- a scene that is larger than the first one: memory beyond its own is overwritten
- tiles of scenes that overlap: they are mixed
- colours without tiles: all of them are blue
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioimageio_core.errors import SourceError
from bioimageio_core.io import local_path
from bioimageio_core.typing import FrozenMapping

__all__ = ["CziScene", "is_czi", "scene_numbers"]

DTYPES: Mapping[str, str] = FrozenMapping(
    {"Gray8": "u1", "Gray16": "u2", "Gray32Float": "f4", "Bgr24": "u1", "Bgr48": "u2", "Bgr96Float": "f4"}
)
"""Dtypes by the types of pixels of CZI."""

PLANES = ("T", "C", "Z")
"""Dimensions of planes in their usual order; others come before them."""


def is_czi(location: str) -> bool:
    """Return whether a file is one of ZEISS, by its name, and its library is installed."""
    return location.lower().endswith(".czi") and find_spec("bioio_czi") is not None and find_spec("pylibCZIrw") is not None


def scene_numbers(location: str) -> tuple[int, ...]:
    """Return the numbers of the scenes in a file, as it has them; none where it has no scenes."""
    from pylibCZIrw import czi

    with czi.open_czi(local_path(location) or location) as file:
        return tuple(sorted(file.scenes_bounding_rectangle_no_pyramid))


class CziScene:
    """A scene of a CZI file as an array; its tiles are put together, and a region reads those that it needs.

    Args:
        location: Path of the file.
        number: Which of its scenes, counted from 0.

    """

    def __init__(self, location: str, number: int) -> None:
        from pylibCZIrw import czi

        self._opened = ExitStack()
        self._file = self._opened.enter_context(czi.open_czi(local_path(location) or location))
        try:
            self._describe(location, number)
        except BaseException:
            self.close()
            raise

    def _describe(self, location: str, number: int) -> None:
        rectangles = self._file.scenes_bounding_rectangle_no_pyramid
        bounds = {str(name): span for name, span in self._file.total_bounding_box_no_pyramid.items()}
        self._scene = sorted(rectangles)[number] if rectangles else None
        if self._scene is None:
            self._left, self._top = bounds["X"][0], bounds["Y"][0]
            width, height = (bounds[name][1] - bounds[name][0] for name in ("X", "Y"))
        else:
            rectangle = rectangles[self._scene]
            self._left, self._top, width, height = rectangle.x, rectangle.y, rectangle.w, rectangle.h
        types = set(self._file.pixel_types.values())
        unknown = sorted(types - set(DTYPES))
        colours = {one.startswith("Bgr") for one in types}
        if unknown or len(colours) != 1:
            raise SourceError(
                f"{location} has pixels of the types {', '.join(sorted(types))}: expected grey, or colours, of {', '.join(DTYPES)}"
            )
        self._colours = colours == {True}
        self.dtype = np.result_type(*(DTYPES[one] for one in types))
        self._starts = {name: span[0] for name, span in bounds.items() if name not in ("X", "Y")}
        sizes = {name: bounds[name][1] - bounds[name][0] for name in self._starts}
        ordered = [*(name for name in sizes if name not in PLANES), *(name for name in PLANES if name in sizes)]
        lead = [name for name in ordered if sizes[name] > 1 or (name == "C" and not self._colours)]
        self.dims = (*lead, "Y", "X", *(("S",) if self._colours else ()))
        self.shape = (*(sizes[name] for name in lead), height, width, *((3,) if self._colours else ()))

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        out = np.zeros([s.stop - s.start for s in index], self.dtype)
        if not out.size:
            return out
        lead = self.dims[: self.dims.index("Y")]
        rows, columns = index[len(lead) : len(lead) + 2]
        place = (self._left + columns.start, self._top + rows.start, columns.stop - columns.start, rows.stop - rows.start)
        for position in product(*(range(s.start, s.stop) for s in index[: len(lead)])):
            plane = self._starts | {name: self._starts[name] + n for name, n in zip(lead, position, strict=True)}
            pixels = self._file.read(roi=place, plane=plane, scene=self._scene)
            # Files hold blue first.
            target = tuple(n - s.start for n, s in zip(position, index, strict=False))
            out[target] = pixels[..., ::-1][..., index[-1]] if self._colours else pixels[..., 0]
        return out
