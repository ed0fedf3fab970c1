"""Names of axes: ids as format 0.5 has them, and the letters and words that files, frameworks and users write for them.

Every table of letters or synonyms is here, and `parse_axes` is the one reader of axes that users give.
Public: readers and writers of plugins translate axes with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .errors import AxesError
from .typing import AxisId, FrozenMapping

__all__ = ["DIMENSION_NAMES", "FRAMEWORK_LETTERS", "LETTERS", "LETTER_OF", "SPACE", "parse_axes"]

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


def parse_axes(text: str | Sequence[str]) -> tuple[AxisId, ...]:
    """Return axis ids for axes such as ``"tczyx"``, ``"b,c,y,x"``, ``"time,channel,y,x"`` or ``["z", "y", "x"]``.

    Text without a comma or space is read letter by letter.
    Names of more than one letter are kept, in lower case.

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
    name = part.strip().lower()
    if len(name) > 1:
        return name
    if name not in LETTERS:
        known = ", ".join(letter if letter == axis else f"{letter} ({axis})" for letter, axis in LETTERS.items())
        raise AxesError(f"axes {written!r} have the unknown letter {part!r}: expected letters of {known}")
    return LETTERS[name]
