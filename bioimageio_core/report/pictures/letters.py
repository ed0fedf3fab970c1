"""Letters of 5 x 7 pixels, for names and lengths in pictures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...typing import FrozenMapping

__all__ = ["CAPTION", "with_caption", "written"]

ROWS = {
    "0": "ehhhhhe", "1": "4c4444e", "2": "eh1248v", "3": "v2421he", "4": "26aiv22", "5": "vgu11he", "6": "68guhhe", "7": "v124888",
    "8": "ehhehhe", "9": "ehhf12c",
    "A": "ehhvhhh", "B": "uhhuhhu", "C": "ehggghe", "D": "sihhhis", "E": "vgguggv", "F": "vgguggg", "G": "ehgnhhf", "H": "hhhvhhh",
    "I": "e44444e", "J": "72222ic", "K": "hikokih", "L": "ggggggv", "M": "hrllhhh", "N": "hhpljhh", "O": "ehhhhhe", "P": "uhhuggg",
    "Q": "ehhhlid", "R": "uhhukih", "S": "fgge11u", "T": "v444444", "U": "hhhhhhe", "V": "hhhhha4", "W": "hhhllla", "X": "hha4ahh",
    "Y": "hhha444", "Z": "v1248gv",
    "a": "00e1fhf", "b": "ggmphhu", "c": "00eggge", "d": "11djhhf", "e": "00ehvge", "f": "698s888", "g": "0fhhf1e", "h": "ggmphhh",
    "i": "40c444e", "j": "20622ic", "k": "ggikoki", "l": "c44444e", "m": "00qllll", "n": "00mphhh", "o": "00ehhhe", "p": "0mphugg",
    "q": "0djhf11", "r": "00mpggg", "s": "00fge1u", "t": "88s8896", "u": "00hhhjd", "v": "00hhha4", "w": "00hhlla", "x": "00ha4ah",
    "y": "0hhhf1e", "z": "00v248v",
    " ": "0000000", "_": "000000v", "-": "000v000", ".": "00000cc", ",": "0000c48", ":": "0cc0cc0", "/": "01248g0", "+": "044v440",
    "(": "2488842", ")": "8422248", "?": "eh12404", "µ": "0iiitgg",
}  # fmt: skip
"""Seven rows of each letter, from above: the bits of a row of five pixels are a digit to the base 32 (0 to 9, a to v)."""


def _pixels(rows: str) -> tuple[tuple[bool, ...], ...]:
    return tuple(tuple(digit == "1" for digit in f"{int(row, 32):05b}") for row in rows)


GLYPHS: Mapping[str, tuple[tuple[bool, ...], ...]] = FrozenMapping({letter: _pixels(rows) for letter, rows in ROWS.items()})
CAPTION = 20
"""Pixels of the height of a caption."""


def written(text: str) -> NDArray[np.bool_]:
    """Return the pixels of a text, shape (7, 6 n - 1) for n letters; letters that are not known are question marks."""
    columns = [np.array([[*row, False] for row in GLYPHS.get(letter, GLYPHS["?"])]) for letter in text or " "]
    return np.concatenate(columns, axis=1)[:, :-1]


def with_caption(panel: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Return a panel (y, x, rgb) with a text on white above it, as large as fits, and shortened where it does not fit."""
    width = panel.shape[1]
    letters = max(1, (width + 1) // 6)
    text = text if len(text) <= letters else f"{text[: max(0, letters - 2)]}.."[:letters]
    ink = written(text)
    if ink.shape[1] * 2 <= width:
        ink = ink.repeat(2, axis=0).repeat(2, axis=1)
    ink = ink[:, :width]
    caption = np.full((CAPTION, width, 3), 255, np.uint8)
    top = (CAPTION - len(ink)) // 2
    caption[top : top + len(ink), : ink.shape[1]][ink] = 0
    return np.concatenate([caption, panel])
