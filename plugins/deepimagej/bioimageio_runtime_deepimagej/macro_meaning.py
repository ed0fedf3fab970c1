"""What a macro does to an image, found by carrying it out on one that only records."""

from __future__ import annotations

import attrs

from .macro_images import Arithmetic, Masked, RecordedImage
from .macro_run import run_macro
from .macro_syntax import parse_macro
from .macro_values import DependsOnImageError

__all__ = ["Meaning", "understand"]

MARGINS = (9, 21)
"""Two assumptions about histograms: what is the same under both depends on shares of pixels alone."""


@attrs.frozen
class Meaning:
    """The steps of a macro."""

    steps: tuple[Arithmetic | Masked, ...]


def understand(text: str) -> Meaning | None:
    """Return the steps of a macro; None where they depend on the image in other ways than through its statistics.

    Raises:
        MacroError: The macro cannot be parsed, or does something that is not known here.

    """
    program = parse_macro(text)
    found = []
    try:
        for margin in MARGINS:
            image = RecordedImage(margin)
            run_macro(program, image)
            found.append(Meaning(tuple(image.steps)))
    except DependsOnImageError:
        return None
    return found[0] if found[0] == found[1] else None
