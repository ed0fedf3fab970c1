"""Guesses the axes of a network's tensors from their number, names and sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..axis_names import DIMENSION_NAMES
from ..errors import AxesError
from ..typing import AxisId
from .network_graph import Dim, GraphTensor

__all__ = ["guess_input_axes", "guess_output_axes"]

FEW = 16
"""Largest number of channels; larger sizes count as pixels."""

_FIRST: Mapping[int, tuple[AxisId, ...]] = {
    2: ("y", "x"),
    3: ("batch", "channel", "x"),
    4: ("batch", "channel", "y", "x"),
    5: ("batch", "channel", "z", "y", "x"),
}
_LAST: Mapping[int, tuple[AxisId, ...]] = {
    3: ("batch", "x", "channel"),
    4: ("batch", "y", "x", "channel"),
    5: ("batch", "z", "y", "x", "channel"),
}


def guess_input_axes(tensor: GraphTensor, rank: int, channels_last: bool = False) -> tuple[AxisId, ...]:
    """Return the axes of an input with ``rank`` axes.

    Names of sizes such as ``height`` decide; else a small fixed last size is that of channels;
    else channels are first, or last if that is usual in the framework.

    Raises:
        AxesError: No layout of this many axes is known.

    """
    if rank not in _FIRST:
        raise AxesError(f"input {tensor.name!r} has {rank} axes, which cannot be guessed: name them, as in axes='bcyx' (--axes bcyx)")
    shape: tuple[Dim, ...] = tensor.shape or (None,) * rank
    named = tuple(DIMENSION_NAMES.get(str(d).lower()) if isinstance(d, str) else None for d in shape)
    for layout in (_LAST, _FIRST):
        if rank in layout and "channel" in named and _agree(named, layout[rank]):
            return layout[rank]
    if rank in _LAST and (_is_few(shape[-1]) and not _is_few(shape[1])):
        return _LAST[rank]
    return _LAST[rank] if channels_last and rank in _LAST and not _is_few(shape[1]) else _FIRST[rank]


def _agree(named: Sequence[AxisId | None], layout: Sequence[AxisId]) -> bool:
    return all(a is None or a == b for a, b in zip(named, layout, strict=True))


def _is_few(size: Dim) -> bool:
    return isinstance(size, int) and size <= FEW


def guess_output_axes(shape: Sequence[int], inputs: Sequence[tuple[AxisId, ...]]) -> tuple[AxisId, ...]:
    """Return the axes of an output: those of the first input, as far as their number allows."""
    like, rank = inputs[0], len(shape)
    if rank == len(like):
        return like
    if rank == len(like) - 1 and "channel" in like:
        return tuple(a for a in like if a != "channel") if rank > 2 else ("batch", "channel")
    if rank == len(like) + 1 and "z" not in like and "y" in like:
        at = like.index("y")
        return (*like[:at], "z", *like[at:])
    if rank == 2:
        return "batch", "channel"
    letters: tuple[AxisId, ...] = ("batch", "index", *(f"index{n}" for n in range(2, rank)))
    return letters[:rank]
