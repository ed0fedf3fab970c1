"""Names of axes: ids as format 0.5 has them, and the letters and words that files, frameworks and users write for them.

Every table of letters or synonyms is here; `parse_axes` reads axes that users give, `named_axes` those that files and arrays name.
Public: readers and writers of plugins translate axes with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .errors import AxesError
from .typing import AxisId, FrozenMapping

__all__ = [
    "DIMENSION_NAMES",
    "FRAMEWORK_LETTERS",
    "IMAGE_NAMES",
    "LETTERS",
    "LETTER_OF",
    "SPACE",
    "axis_of_name",
    "named_axes",
    "parse_axes",
]

SPACE: tuple[AxisId, ...] = ("z", "y", "x")
"""Axes of space, in their usual order."""

LETTERS: Mapping[str, AxisId] = FrozenMapping(
    {"b": "batch", "t": "time", "i": "index", "c": "channel", "s": "channel", "z": "z", "y": "y", "x": "x"}
)
"""Axes by the letters of format 0.4, OME and TIFF; ``s`` are the samples of a colour image."""

LETTER_OF: Mapping[AxisId, str] = FrozenMapping({axis: letter for letter, axis in LETTERS.items() if letter != "s"})
"""The letter of each axis."""

FRAMEWORK_LETTERS: Mapping[str, AxisId] = FrozenMapping(
    {"N": "batch", "B": "batch", "T": "time", "C": "channel", "D": "z", "Z": "z", "H": "y", "W": "x"}
)
"""Axes by the letters that deep learning frameworks order them with, as in ``NHWC``."""

WORDS: Mapping[str, AxisId] = FrozenMapping(
    {
        "batch_size": "batch",
        "n_batch": "batch",
        "ch": "channel",
        "channels": "channel",
        "depth": "z",
        "height": "y",
        "width": "x",
    }
)
"""Axes by further words, in lower case."""

DIMENSION_NAMES: Mapping[str, AxisId] = FrozenMapping(
    {
        **{axis: axis for axis in LETTER_OF},
        **{letter.lower(): axis for letter, axis in FRAMEWORK_LETTERS.items()},
        **WORDS,
    }
)
"""Axes by the names that graphs of networks give to dimensions of any size, in lower case."""

IMAGE_WORDS: Mapping[str, AxisId] = FrozenMapping(
    {
        **dict.fromkeys(("times", "frame", "frames", "timepoint", "timepoints", "time_point", "time_points"), "time"),
        **dict.fromkeys(("chan", "rgb", "rgba", "band", "bands", "sample", "samples", "color", "colors", "colour", "colours"), "channel"),
        **dict.fromkeys(("wavelength", "wavelengths", "lambda"), "channel"),
        **dict.fromkeys(("plane", "planes", "slice", "slices"), "z"),
        # Maps have north at the top: the CF conventions call latitude Y and longitude X.
        **dict.fromkeys(("row", "rows", "lat", "latitude"), "y"),
        **dict.fromkeys(("col", "cols", "column", "columns", "lon", "long", "longitude"), "x"),
    }
)
"""Axes by the words that only images use, in lower case: a dimension ``samples`` of a network is a batch, that of an image its colours."""

IMAGE_NAMES: Mapping[str, AxisId] = FrozenMapping({**LETTERS, **DIMENSION_NAMES, **IMAGE_WORDS})
"""Axes by all names that images and users give to them, in lower case."""

_NO_NAME = re.compile(r"((phony_)?dim|axis)?_?\d*")
"""What libraries write where an axis has no name: nothing, ``dim_0`` (xarray), ``phony_dim_0`` (HDF5), ``axis_0``."""

_TYPES = ("channel", "time")
"""Types of OME-Zarr that say what an axis is, whatever its name."""


def axis_of_name(name: str) -> AxisId:
    """Return the axis of a name in any case, with blanks around it; a name that is not known is its own id, in lower case."""
    plain = name.strip().lower()
    return IMAGE_NAMES.get(plain, plain)


def named_axes(names: Sequence[str | None], types: Sequence[str | None] = ()) -> tuple[AxisId, ...] | None:
    """Return the axes that a file or an array names.

    Args:
        names: One name per axis, as written; None where it has none.
        types: The type of each axis in OME-Zarr, if there are any: an axis of type channel or time is that, whatever its name.

    Returns:
        An id per axis, where names that are not understood stay, in lower case;
        None where an axis has no name, or a placeholder such as ``dim_0``, or two have one name.

    """
    kinds = [kind if kind in _TYPES else None for kind in types or [None] * len(names)]
    written = [(name or "").strip().lower() for name in names]
    if not written or any(kind is None and _NO_NAME.fullmatch(name) for name, kind in zip(written, kinds, strict=True)):
        return None
    axes = tuple(kind or axis_of_name(name) for name, kind in zip(written, kinds, strict=True))
    # Two names of one axis contradict each other: then letters and ids are certain, and other words stay as they are written.
    certain = [
        axis if axes.count(axis) == 1 or name in LETTERS or name in LETTER_OF else name for axis, name in zip(axes, written, strict=True)
    ]
    return tuple(certain) if len(set(certain)) == len(certain) else None


def parse_axes(text: str | Sequence[str]) -> tuple[AxisId, ...]:
    """Return axis ids for axes such as ``"tczyx"``, ``"b,c,y,x"``, ``"time,row,column"`` or ``["z", "y", "x"]``.

    Text without a comma or space is read letter by letter.
    Names of more than one letter that are not known are kept, in lower case.

    Raises:
        AxesError: A letter is unknown, an axis occurs twice, or there is none.

    """
    if isinstance(text, str):
        parts = re.split(r"[,\s]+", text.strip(" ,")) if re.search(r"[,\s]", text.strip()) else list(text.strip())
    else:
        parts = [str(part) for part in text]
    written = text if isinstance(text, str) else ", ".join(parts)
    if not parts:
        raise AxesError(f"no axes in {written!r}: expected one letter per axis, such as 'zyx', or names, such as 'time,y,x'")
    axes = tuple(_axis_id(part, written) for part in parts)
    for axis in axes:
        if axes.count(axis) > 1:
            raise AxesError(f"axes {written!r} name {axis!r} twice: expected every axis once")
    return axes


def _axis_id(part: str, written: str) -> AxisId:
    axis = axis_of_name(part)
    if len(axis) <= 1 and axis not in SPACE:
        known = ", ".join(letter if letter == axis else f"{letter} ({axis})" for letter, axis in LETTERS.items())
        raise AxesError(f"axes {written!r} have the unknown letter {part!r}: expected letters of {known}")
    return axis
