"""The card of an image as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...typing import AxisId
from ...units import unit_symbol
from ..cards.image_card import ImageCard, SceneCard, TakenAs
from ..plain_text import bytes_in_words, in_one_line, sizes_in_words

__all__ = ["image_facts", "image_text"]

SHOWN = 50
"""Channels and scenes that are listed; of more, these and their number."""

SEEN = {"planes": "planes (y, x)", "volumes": "volumes (z, y, x)"}
READ = {
    "in memory": "from memory",
    "memory mapped": "memory mapped: any region at once",
    "by region": "by region",
    "as a whole": "as a whole: any region takes all of it",
}


def image_text(card: ImageCard) -> str:
    """Return the card of an image for people."""
    return "\n".join([in_one_line(card.name), *(f"{label:<12}{in_one_line(text)}" for label, text in image_facts(card))])


def image_facts(card: ImageCard) -> Iterator[tuple[str, str]]:
    """Yield labels, empty below the first line of several, and their texts."""
    if card.location is not None:
        size = "" if card.file_bytes is None else f", {bytes_in_words(card.file_bytes)}"
        yield "source", f"{card.location}{size}"
    # The words of a reader list all formats that it reads, of which the file is one.
    yield "format", f"{card.reader}, read by {card.plugin}" if card.plugin else card.reader or card.format
    yield "axes", _sizes(card.axes, card.shape) if card.axes else f"not named, of sizes {', '.join(map(str, card.shape))}"
    yield "dtype", f"{card.dtype}, {bytes_in_words(card.pixel_bytes)} of pixels"
    if card.channel_names:
        yield "channels", _some(card.channel_names)
    if card.pixel_size:
        sizes = ((axis, size, unit_symbol(unit) if unit else "(unit not known)") for axis, (size, unit) in card.pixel_size.items())
        yield "pixel size", ", ".join(f"{axis} {size:g} {unit}" for axis, size, unit in sizes)
    if any(card.position.values()):
        yield "position", ", ".join(f"{axis} {at:g}" for axis, at in card.position.items())
    if card.chunks:
        yield "chunks", _sizes(card.axes, card.chunks)
    if len(card.levels) > 1:
        for number, level in enumerate(card.levels):
            shown = " (this one)" if number == card.level else ""
            yield "" if number else "levels", f"{number}: {_sizes(card.axes, level.shape)}{shown}"
        yield "", f"another with level={len(card.levels) - 1} (--level {len(card.levels) - 1})"
    yield "read", READ[card.read]
    yield from _models(card)
    yield from _scenes(card)


def _models(card: ImageCard) -> Iterator[tuple[str, str]]:
    label = "fits"
    for kind, taken in card.models.items():
        yield label, f"models of {SEEN.get(kind, kind)}: {_taken(taken)}"
        label = ""
    if card.axes is None:
        yield label, f"name its axes, as in axes='{(example := _example(len(card.shape)))}' (--axes {example})"
    elif not card.models:
        yield label, "models only with axes y and x: give axes= (--axes) if these are wrong"


def _example(count: int) -> str:
    return "tczyx"[-count:] if count <= 5 else "b,t,c,z,y,x"


def _taken(taken: TakenAs) -> str:
    if taken.guesses:
        return f"axes are guessed as {' or '.join(taken.guesses)}"
    each = f"; each position along {', '.join(taken.each)} by itself" if taken.each else ""
    return f"take {', '.join(taken.axes)}{each}"


def _scenes(card: ImageCard) -> Iterator[tuple[str, str]]:
    if len(card.scenes) < 2:
        return
    for n, scene in enumerate(card.scenes[:SHOWN]):
        yield "" if n else "scenes", f"{scene.number}: {_scene(scene)}" + (" (this one)" if scene.number == card.scene else "")
    more = f"{len(card.scenes)} in all; " if len(card.scenes) > SHOWN else ""
    yield "", f"{more}another with scene={card.scenes[-1].number} (--scene {card.scenes[-1].number})"


def _scene(scene: SceneCard) -> str:
    words = [scene.name or "without a name", *([scene.summary] if scene.summary else []), *(["side image"] if scene.is_side_image else [])]
    return ", ".join(words) + (f": {scene.error}" if scene.error else "")


def _sizes(axes: Sequence[AxisId] | None, sizes: Sequence[int]) -> str:
    if axes is None:
        return " x ".join(map(str, sizes))
    return sizes_in_words(axes, sizes)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f", ... ({len(names)} in all)" if len(names) > SHOWN else "")
