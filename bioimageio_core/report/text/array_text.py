"""A labelled array as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from ...labelled_arrays import LabelledArray
from ...units import unit_symbol
from ..plain_text import bytes_in_words, in_one_line, sizes_in_words

__all__ = ["array_facts", "array_text", "range_in_words"]

MOST_VALUES = 400
"""An array in memory of up to this many values is printed with all of them; of a larger one, those at its corners."""

MOST_MEASURED = 2**24
"""Values of an array in memory of which the range is found, in about a tenth of a second."""


def array_text(array: LabelledArray) -> str:
    """Return what is known of an array, and values of one in memory: all of them if they are few."""
    facts = [f"  {label:<11}{in_one_line(text)}" for label, text in array_facts(array) if text]
    values = [np.array2string(np.asarray(array), threshold=MOST_VALUES, edgeitems=2)] if array.in_memory else []
    return "\n".join([f"LabelledArray {in_one_line(array.name)}".rstrip(), *facts, *values])


def array_facts(array: LabelledArray) -> Iterator[tuple[str, str]]:
    """Yield labels and texts; a text may be empty."""
    yield "axes", sizes_in_words(array.axes, array.shape) or "none: a single number"
    place = "in memory" if array.in_memory else "lazy: computed when it is asked for" if hasattr(array.data, "dask") else "in storage"
    kind = "labels of objects, " if array.labels else ""
    yield "values", f"{kind}{array.dtype}, {bytes_in_words(array.nbytes)}, {place}"
    yield "range", range_in_words(array)
    yield "chunks", _chunks(array)
    yield "channels", ", ".join(array.channel_names or ())
    sizes = [f"{axis} {size:g} {unit_symbol(unit) if unit else '(unit not known)'}" for axis, (size, unit) in array.pixel_size.items()]
    yield "pixel size", ", ".join(sizes)
    yield "position", ", ".join(f"{axis} {at:g}" for axis, at in array.position.items() if at)


def range_in_words(array: LabelledArray) -> str:
    """Return the least and the greatest value of an array of numbers in memory, and how many are NaN; empty for a large array."""
    if not array.in_memory or not 0 < array.size <= MOST_MEASURED or array.dtype.kind not in "biuf":
        return ""
    values = np.asarray(array)
    missing = int(np.isnan(values).sum()) if array.dtype.kind == "f" else 0
    if missing == array.size:
        return "all values are NaN"
    least, greatest = (np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None))
    return f"{_number(least)} to {_number(greatest)}{f', and {missing} NaN' if missing else ''}"


def _number(value: Any) -> str:
    """Return a number; of one that is so small or large that it has an exponent, two digits."""
    if not isinstance(value, np.floating):
        return str(value)
    text = f"{float(value):.6g}"
    return f"{float(value):.2g}" if "e" in text else text


def _chunks(array: LabelledArray) -> str:
    """Return the number and shape of the chunks of an array that is not in memory, and what `compute` reads or computes."""
    if array.in_memory or not array.axes or 0 in array.shape:
        return ""
    if hasattr(array.data, "dask"):
        return f"{_counted(array, prod(array.data.numblocks), array.data.chunksize)}; compute() takes {bytes_in_words(array.nbytes)}"
    chunks = getattr(array.data, "chunks", None)
    if not isinstance(chunks, tuple) or len(chunks) != array.ndim:
        return f"not known; compute() reads {bytes_in_words(array.nbytes)}"
    source: Any = getattr(array.data, "source", None)
    chosen = getattr(array.data, "chosen", None)
    units = getattr(source, "chunks", None)
    if chosen is not None and isinstance(units, tuple):
        spans = [range(one, one + 1) if isinstance(one, int) else range(min(one), max(one) + 1) for one in chosen]
        touched = [span[-1] // unit - span[0] // unit + 1 for span, unit in zip(spans, units, strict=True)]
        count, read = prod(touched), prod(n * min(unit, size) for n, unit, size in zip(touched, units, source.shape, strict=True))
        read = min(read, prod(source.shape))
    else:
        count, read = prod(-(-size // unit) for size, unit in zip(array.shape, chunks, strict=True)), array.size
    return f"{_counted(array, count, chunks)}; compute() reads {bytes_in_words(read * array.dtype.itemsize)} before compression"


def _counted(array: LabelledArray, count: int, shape: Sequence[int]) -> str:
    sides = ", ".join(f"{axis} {side}" for axis, side in zip(array.axes, shape, strict=True) if array.sizes[axis] > 1)
    return f"{count} chunk{'s' * (count != 1)}{f' of {sides}' if sides else ''}"
