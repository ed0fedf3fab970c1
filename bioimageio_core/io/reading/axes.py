"""Axes as users write them, and as format 0.5 names them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import AxesError
from ...typing import AxisId

__all__ = ["LETTERS", "parse_axes"]

LETTERS: dict[str, AxisId] = {"b": "batch", "t": "time", "i": "index", "c": "channel", "s": "channel", "z": "z", "y": "y", "x": "x"}
"""Axis letters and their names; ``s`` are the samples of a colour image."""


def parse_axes(text: str | Sequence[str]) -> tuple[AxisId, ...]:
    """Return axis ids for axes such as ``"tczyx"``, ``"b,c,y,x"``, ``"time,channel,y,x"`` or ``["z", "y", "x"]``.

    Text without a comma or space is read letter by letter.
    Names longer than a letter are kept, in lower case.

    Raises:
        AxesError: A letter is unknown, an axis occurs twice, or there is none.

    """
    if isinstance(text, str):
        parts = re.split(r"[,\s]+", text.strip(" ,")) if re.search(r"[,\s]", text.strip()) else list(text.strip())
    else:
        parts = [str(part) for part in text]
    written = text if isinstance(text, str) else ", ".join(parts)
    if not parts:
        raise AxesError(f"No axes in {written!r}: write one letter per axis, such as 'zyx', or names, such as 'time,y,x'.")
    axes = tuple(_axis_id(part, written) for part in parts)
    for axis in axes:
        if axes.count(axis) > 1:
            raise AxesError(f"Axes {written!r} name {axis!r} twice; every axis occurs once.")
    return axes


def _axis_id(part: str, written: str) -> AxisId:
    name = part.strip().lower()
    if len(name) > 1:
        return name
    if name not in LETTERS:
        known = ", ".join(letter if letter == axis else f"{letter} ({axis})" for letter, axis in LETTERS.items())
        raise AxesError(f"Axes {written!r} have an unknown letter {part!r}; known are {known}.")
    return LETTERS[name]
