"""Small drawings of tensors: a face along the last two space axes, a stack of channels, the halo, and whether larger sizes fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from ...blocks import FixedSize, SteppedSize
from ...prediction.model.tensor_spec import ReferencedSize
from .tensor_card import AxisCard, TensorCard

__all__ = ["Box", "Drawing", "Label", "draw_tensors"]

FACE = 128
"""Length of the longest side, in pixels of the drawing."""

_SHORTEST = 36
_SHEETS = 4
"""Most channels that are drawn."""

_STEP = 6
"""Offset between two channels."""

_LONGEST = 13
"""Most letters of a size that fit beside the face."""

_GROWTH = 12
"""Margin of the outline that shows that larger sizes fit."""

_LEFT, _TOP, _RIGHT, _BELOW = 84, 30, 30, 44


@attrs.frozen(kw_only=True)
class Box:
    """A rectangle, in pixels from the upper left corner."""

    kind: str
    """``sheet`` (a channel behind), ``face``, ``core`` (the face without its halo) or ``growth``."""

    x: float
    y: float
    width: float
    height: float


@attrs.frozen(kw_only=True)
class Label:
    """A text."""

    x: float
    y: float
    anchor: str
    """``start``, ``middle`` or ``end``, as in SVG."""

    text: str


@attrs.frozen(kw_only=True)
class Drawing:
    """The drawing of a tensor."""

    width: float
    height: float
    title: str
    boxes: tuple[Box, ...]
    """From back to front."""

    labels: tuple[Label, ...]


@attrs.frozen(kw_only=True)
class _Drawn:
    """How an axis is drawn."""

    size: int
    """In pixels of the tensor: the smallest size."""

    grows: bool
    """Whether larger sizes fit."""

    text: str
    """The size, abbreviated; the table beside the drawing gives it in full."""


def draw_tensors(inputs: Sequence[TensorCard], outputs: Sequence[TensorCard]) -> tuple[tuple[Drawing, ...], tuple[Drawing, ...]]:
    """Return a drawing of each input and output, all in one scale, so that an output of half the size looks half as large."""
    tensors = (*inputs, *outputs)
    sizes = [{a.id: _drawn(a, tensors) for a in t.axes} for t in tensors]
    longest = max((known[a.id].size for t, known in zip(tensors, sizes, strict=True) for a in _face(t)), default=1)
    drawings = tuple(_drawing(t, known, FACE / longest) for t, known in zip(tensors, sizes, strict=True))
    return drawings[: len(inputs)], drawings[len(inputs) :]


def _face(tensor: TensorCard) -> list[AxisCard]:
    """Return the two axes that are drawn as height and width, or the only one, drawn as width."""
    space = [a for a in tensor.axes if a.kind == "space"] or [a for a in tensor.axes if a.kind in ("time", "index")]
    return space[-2:]


def _drawn(axis: AxisCard, tensors: Sequence[TensorCard]) -> _Drawn:
    size = axis.size
    if isinstance(size, ReferencedSize):
        named = next((a.size for t in tensors if t.id == size.tensor for a in t.axes if a.id == size.axis), None)
        least = named.value if isinstance(named, FixedSize) else named.min if isinstance(named, SteppedSize) else 1
        pixels = max(1, int(Fraction(least) * size.ratio) + size.offset)
        if isinstance(named, FixedSize):
            return _Drawn(size=pixels, grows=False, text=str(pixels))
        ratio = "" if size.ratio == 1 else f"{size.ratio} "
        offset = f" {size.offset:+d}" if size.offset else ""
        text = f"{ratio}of {size.tensor}{offset}"
        return _Drawn(size=pixels, grows=True, text=text if len(text) <= _LONGEST else f"{ratio}as given"[:_LONGEST])
    if isinstance(size, FixedSize):
        return _Drawn(size=size.value, grows=False, text=str(size.value))
    return _Drawn(size=size.min, grows=True, text=axis.size_in_words() if isinstance(size, SteppedSize) else "by content")


def _drawing(tensor: TensorCard, known: dict[str, _Drawn], scale: float) -> Drawing:
    face = _face(tensor)
    lengths = [max(_SHORTEST, known[a.id].size * scale) for a in face]
    height, width = lengths if len(face) == 2 else (_SHORTEST, lengths[0] if face else _SHORTEST)
    sheets = min(_SHEETS, max((known[a.id].size for a in tensor.axes if a.kind == "channel"), default=1))
    depth = (sheets - 1) * _STEP
    box = Box(kind="face", x=_LEFT if len(face) == 2 else 8, y=_TOP + depth, width=width, height=height)
    boxes = [attrs.evolve(box, kind="sheet", x=box.x + n * _STEP, y=box.y - n * _STEP) for n in range(sheets - 1, 0, -1)]
    if any(known[a.id].grows for a in face):
        right, down = known[face[-1].id].grows, len(face) == 2 and known[face[0].id].grows
        boxes.append(attrs.evolve(box, kind="growth", width=width + _GROWTH * right, height=height + _GROWTH * down))
    boxes.append(box)
    if any(a.halo for a in face):
        boxes.append(_core(face, known, box))
    return Drawing(
        width=box.x + max(width + depth, 100) + _RIGHT,
        height=box.y + height + _BELOW,
        title=", ".join(f"{a.id} {a.size_in_words()}" for a in tensor.axes),
        boxes=tuple(boxes),
        labels=tuple(_labels(tensor, face, known, box)),
    )


def _core(face: list[AxisCard], known: dict[str, _Drawn], box: Box) -> Box:
    """Return the face without its halo; a halo takes at least 3 pixels and at most two fifths of the face on each side."""

    def inset(axis: AxisCard, length: float) -> float:
        return min(0.4 * length, max(3, axis.halo / known[axis.id].size * length)) if axis.halo else 0

    across = inset(face[-1], box.width)
    down = inset(face[0], box.height) if len(face) == 2 else 0
    return Box(kind="core", x=box.x + across, y=box.y + down, width=box.width - 2 * across, height=box.height - 2 * down)


def _labels(tensor: TensorCard, face: list[AxisCard], known: dict[str, _Drawn], box: Box) -> Iterator[Label]:
    rest = [a for a in tensor.axes if a not in face and a.kind != "batch"]
    if rest:
        yield Label(x=box.x, y=16, anchor="start", text=" · ".join(f"{a.id} {known[a.id].text}" for a in rest))
    if face:
        below = box.y + box.height + _GROWTH + 14
        yield Label(x=box.x + box.width / 2, y=below, anchor="middle", text=f"{face[-1].id} {known[face[-1].id].text}")
    if len(face) == 2:
        middle = box.y + box.height / 2
        yield Label(x=box.x - 8, y=middle - 2, anchor="end", text=face[0].id)
        yield Label(x=box.x - 8, y=middle + 13, anchor="end", text=known[face[0].id].text)
