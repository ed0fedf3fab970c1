"""Makes the card of an image; opens it, and reads none of its pixels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from ...axis_names import parse_axes
from ...errors import SourceError
from ...io import Image, Scene, SceneChoice, choose_scene, open_image
from ...io.locations import opening_errors
from ...io.reading.chosen_reader import reader_entry_of, reader_of
from ...io.reading.how_read import how_read
from ...io.reading.image_levels import open_levels
from ...places import local_path
from ...registry import Registry
from ...typing import FrozenMapping
from .image_card import ImageCard, LevelCard, SceneCard, TakenAs

__all__ = ["image_card"]

MODELS: Mapping[str, tuple[str, ...]] = FrozenMapping(
    planes=("yx", "cyx", "yxc", "bcyx", "byxc"),
    volumes=("zyx", "czyx", "zyxc", "bczyx", "bzyxc"),
)
"""Axes that are guessed of an image without names, for models with the axes batch, channel and those of space."""


def image_card(
    source: Any, registry: Registry, *, scene: SceneChoice = None, level: int | None = None, axes: str | Sequence[str] | None = None
) -> ImageCard:
    """Return the card of an image.

    Args:
        source: What `open_image` opens.
        registry: The installed plugins.
        scene: Number or name of the image in a file of several; None for the first that is no side image.
        level: Resolution, 0 (the finest) where None.
        axes: Axes in place of those that the file names.

    Raises:
        SourceError: There is no such image, or it cannot be read.
        MissingRequirementError: A package that reads it is not installed.
        AxesError: ``axes`` are unknown or of the wrong number.

    """
    if not isinstance(source, str | os.PathLike):
        image = open_image(source, axes=axes, level=level, scene=scene)
        level_card = LevelCard(shape=image.shape, chunks=image.chunks)
        return _card(image, reader="", format_="an array in memory", plugin="", level=0, levels=(level_card,), scene=None, scenes=())
    location = os.fsdecode(source)
    reader = reader_of(location)
    with opening_errors(location, "an image"):
        scenes = tuple(reader.scenes(location))
    if not scenes:
        raise SourceError(f"{location} holds no image")
    chosen = _chosen(scenes, scene, location)
    place: str = chosen.location or location
    number = None if chosen.location or len(scenes) == 1 else chosen.number
    image = open_image(place, axes=axes, level=level, scene=number)
    entry = reader_entry_of(location)
    plugin = registry.provenance.get(("image_readers", entry.name))
    return _card(
        image,
        reader=entry.name,
        format_=entry.summary or entry.name,
        plugin="" if plugin is None else f"{plugin.distribution} {plugin.version}".strip(),
        level=level or 0,
        levels=tuple(LevelCard(shape=level.shape, chunks=level.chunks) for level in open_levels(place, scene=number)),
        scene=chosen.number if len(scenes) > 1 else None,
        scenes=tuple(map(_scene_card, scenes)),
    )


def _chosen(scenes: Sequence[Scene], wanted: SceneChoice, location: str) -> Scene:
    """Return the scene that is wanted, else the first that is no side image and can be opened."""
    if wanted is None and len(scenes) > 1:
        return next((s for s in scenes if not s.is_side_image and s.error is None), scenes[0])
    found = choose_scene(scenes, wanted, location)
    if found.error is not None:
        raise found.error
    return found


def _card(image: Image, *, format_: str, **fields: Any) -> ImageCard:
    local = None if image.location is None else local_path(image.location)
    return ImageCard(
        name=image.name,
        location=image.location,
        format=format_,
        axes=image.axes,
        shape=image.shape,
        dtype=image.dtype.name,
        channel_names=image.channel_names,
        pixel_size=image.pixel_size,
        position=image.position,
        chunks=image.chunks,
        pixel_bytes=prod(image.shape) * image.dtype.itemsize,
        file_bytes=Path(local).stat().st_size if local is not None and Path(local).is_file() else None,
        read=how_read(image),
        models=FrozenMapping({kind: taken for kind in MODELS for taken in _taken_as(image, kind)}),
        **fields,
    )


def _scene_card(scene: Scene) -> SceneCard:
    error = None if scene.error is None else str(scene.error)
    return SceneCard(number=scene.number, name=scene.name, summary=scene.summary, is_side_image=scene.is_side_image, error=error)


def _taken_as(image: Image, kind: str) -> Iterator[TakenAs]:
    """Yield how a model of a kind takes an image; nothing where it does not."""
    space = ("y", "x") if kind == "planes" else ("z", "y", "x")
    if image.axes is None:
        guesses = tuple(letters for letters in MODELS[kind] if len(letters) == len(image.shape))
        if guesses:
            yield TakenAs(axes=parse_axes(guesses[0]), each=(), guesses=guesses)
    elif all(axis in image.axes for axis in space):
        seen = tuple(axis for axis in image.axes if axis in (*space, "channel", "batch"))
        yield TakenAs(axes=seen, each=tuple(axis for axis in image.axes if axis not in seen))
