"""A labelled array as text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...labelled_arrays import LabelledArray
from ...units import unit_symbol
from ..plain_text import bytes_in_words, in_one_line

__all__ = ["array_facts", "array_text"]

MOST_VALUES = 400
"""An array in memory of up to this many values is printed with all of them; of a larger one, those at its corners."""


def array_text(array: LabelledArray) -> str:
    """Return what is known of an array, and values of one in memory: all of them if they are few."""
    facts = [f"  {label:<11}{in_one_line(text)}" for label, text in array_facts(array) if text]
    values = [np.array2string(np.asarray(array), threshold=MOST_VALUES, edgeitems=2)] if array.in_memory else []
    return "\n".join([in_one_line(array.name) or "array", *facts, *values])


def array_facts(array: LabelledArray) -> Iterator[tuple[str, str]]:
    """Yield labels and texts; a text may be empty."""
    yield "axes", ", ".join(f"{axis} {size}" for axis, size in array.sizes.items()) or "none: a single number"
    place = "in memory" if array.in_memory else "lazy: computed when it is asked for" if hasattr(array.data, "dask") else "in storage"
    kind = "labels of objects, " if array.labels else ""
    yield "values", f"{kind}{array.dtype}, {bytes_in_words(array.nbytes)}, {place}"
    yield "channels", ", ".join(array.channel_names or ())
    sizes = [f"{axis} {size:g} {unit_symbol(unit) if unit else '(unit not known)'}" for axis, (size, unit) in array.pixel_size.items()]
    yield "pixel size", ", ".join(sizes)
    yield "position", ", ".join(f"{axis} {at:g}" for axis, at in array.position.items() if at)
