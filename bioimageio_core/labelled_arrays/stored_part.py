"""A part of an array in storage: it is read where its pixels are asked for, and no more than the part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["StoredPart", "bounding_box", "chosen_positions", "is_basic", "read_part"]

Chosen = int | range
"""What is selected from an axis: one position, or positions at equal distances."""


@attrs.frozen(kw_only=True, eq=False)
class StoredPart:
    """A part of an array that takes one slice per axis, without its axes of which one position is selected."""

    source: Any
    chosen: tuple[Chosen, ...]
    """For each axis of the source."""

    dtype: np.dtype[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Size along each axis of the part."""
        return tuple(len(one) for one in self.chosen if isinstance(one, range))

    @property
    def ndim(self) -> int:
        """Number of axes of the part."""
        return len(self.shape)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the unit of storage along the axes of the part; None where it is not known."""
        chunks = getattr(self.source, "chunks", None)
        if not isinstance(chunks, tuple):
            return None
        return tuple(max(1, min(int(c), len(one))) for c, one in zip(chunks, self.chosen, strict=True) if isinstance(one, range))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        pixels = read_part(self.source, self.chosen)
        return pixels if dtype is None else pixels.astype(dtype, copy=False)

    def __getitem__(self, index: Any) -> Any:
        """Return a part as numpy, as numpy indexes; of whole numbers and slices no more than these is read."""
        if not is_basic(index):
            return np.asarray(self)[index]
        return read_part(self.source, self.narrowed(chosen_positions(index, self.shape)))

    def narrowed(self, chosen: Sequence[Chosen]) -> tuple[Chosen, ...]:
        """Return what is selected from the source if this is selected from each axis of the part."""
        rest = iter(chosen)
        return tuple(one if isinstance(one, int) else _within(one, next(rest)) for one in self.chosen)


def is_basic(index: Any) -> bool:
    """Return whether an index consists of whole numbers, slices and an ellipsis."""
    given = index if isinstance(index, tuple) else (index,)
    return all(
        (isinstance(one, int | np.integer) and not isinstance(one, bool)) or isinstance(one, slice) or one is Ellipsis for one in given
    )


def chosen_positions(index: Any, shape: Sequence[int], names: Sequence[str] = ()) -> tuple[Chosen, ...]:
    """Return the positions that an index of whole numbers, slices and an ellipsis selects from each axis.

    Args:
        index: The index.
        shape: Size along each axis.
        names: Names of the axes for errors; empty: their numbers.

    Raises:
        IndexError: It has too many parts, or a position is beyond the end.

    """
    given = index if isinstance(index, tuple) else (index,)
    at = next((n for n, one in enumerate(given) if one is Ellipsis), len(given))
    before, after = given[:at], given[at + 1 :]
    missing = len(shape) - len(before) - len(after)
    if missing < 0:
        raise IndexError(f"too many indices: expected at most {len(shape)}, found {len(before) + len(after)}")
    full = (*before, *[slice(None)] * missing, *after)
    axes = [repr(name) for name in names] or [str(n) for n in range(len(shape))]
    return tuple(_chosen(one, size, axis) for one, size, axis in zip(full, shape, axes, strict=True))


def _chosen(one: Any, size: int, axis: str) -> Chosen:
    if isinstance(one, slice):
        return range(size)[one]
    number = int(one)
    if not -size <= number < size:
        raise IndexError(f"position {number} is beyond the end of axis {axis}, which has {size} positions, counted from 0")
    return number % size


def _within(positions: range, chosen: Chosen) -> Chosen:
    if isinstance(chosen, int):
        return positions[chosen]
    start, stop = (positions.start + number * positions.step for number in (chosen.start, chosen.stop))
    return range(start, stop, positions.step * chosen.step)


def read_part(source: Any, chosen: Sequence[Chosen]) -> NDArray[Any]:
    """Read the bounding box of positions, and return the pixels at these; axes of single positions are dropped."""
    box, within = bounding_box(chosen)
    pixels: NDArray[Any] = np.asarray(source[box])[within]
    return np.asarray(pixels)


def bounding_box(chosen: Sequence[Chosen]) -> tuple[tuple[slice, ...], tuple[int | slice, ...]]:
    """Return the box around positions, and the index of these within it, which drops axes of single positions."""
    box, within = list[slice](), list[int | slice]()
    for one in chosen:
        if isinstance(one, int):
            box.append(slice(one, one + 1))
            within.append(0)
        elif not one:
            box.append(slice(0, 0))
            within.append(slice(None))
        else:
            box.append(slice(min(one), max(one) + 1))
            within.append(slice(None, None, one.step))
    return tuple(box), tuple(within)
