"""The card of an image: what a file or folder holds, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ...io.reading.how_read import HowRead
from ...io.reading.image import PixelSize
from ...shown import Shown
from ...typing import AxisId, FrozenMapping
from ..plain_text import sizes_in_words

__all__ = ["ImageCard", "LevelCard", "SceneCard", "TakenAs"]


@attrs.frozen(kw_only=True)
class SceneCard:
    """One of several images in a file or folder."""

    number: int
    """For ``scene=`` and ``--scene``."""

    name: str
    summary: str
    """Axes, shape and dtype in words, where they are known without opening it."""

    is_side_image: bool
    """Whether it only accompanies another image: the thumbnail, label or overview of a slide."""

    error: str | None
    """Why it cannot be opened, where that is known already."""


@attrs.frozen(kw_only=True)
class LevelCard:
    """One resolution of an image; the finest is level 0."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...] | None


@attrs.frozen(kw_only=True)
class TakenAs:
    """The axes that a model of planes or of volumes takes from an image."""

    axes: tuple[AxisId, ...]
    """Axes that the model sees."""

    each: tuple[AxisId, ...]
    """Axes that it lacks: each of their positions is predicted by itself."""

    guesses: tuple[str, ...] = ()
    """Axes that may be guessed of an image without names, in the order in which they are tried; the model decides."""


@attrs.frozen(kw_only=True, repr=False)
class ImageCard(Shown):
    """What is known of an image without reading its pixels."""

    name: str
    location: str | None
    """Path or URL that pixels are read from; None for arrays in memory."""

    reader: str
    """Name of the reader; empty for arrays in memory."""

    format: str
    """The format in words."""

    plugin: str
    """Distribution and version that bring the reader."""

    axes: tuple[AxisId, ...] | None
    """None where the file does not name them."""

    shape: tuple[int, ...]
    dtype: str
    channel_names: tuple[str, ...] | None
    pixel_size: FrozenMapping[AxisId, PixelSize]
    """Size of a pixel and the name of its unit, by axis, where known."""

    position: FrozenMapping[AxisId, float]
    """Position of the centre of the first pixel, in the units of `pixel_size`, where known."""

    chunks: tuple[int, ...] | None
    level: int
    """Which of `levels` this is."""

    levels: tuple[LevelCard, ...]
    scene: int | None
    """Which of `scenes` this is; None where there is one."""

    scenes: tuple[SceneCard, ...]
    """All images in the file or folder."""

    pixel_bytes: int
    """Bytes of all pixels of this scene and level in memory."""

    file_bytes: int | None
    """Bytes of the file; None for folders and URLs."""

    read: HowRead
    """How its regions are read."""

    models: Mapping[str, TakenAs]
    """How a model of ``planes`` (y, x) or of ``volumes`` (z, y, x) takes it; one that cannot is left out."""

    def __repr__(self) -> str:
        named = self.axes or ("?",) * len(self.shape)
        sizes = sizes_in_words(named, self.shape)
        return f"<ImageCard {self.name}: {self.dtype} {sizes}>"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; keys are the names of fields."""
        return {
            **attrs.asdict(self, recurse=False),
            "pixel_size": {axis: {"size": size, "unit": unit} for axis, (size, unit) in self.pixel_size.items()},
            "position": dict(self.position),
            "levels": [attrs.asdict(level) for level in self.levels],
            "scenes": [attrs.asdict(scene) for scene in self.scenes],
            "models": {kind: attrs.asdict(taken) for kind, taken in self.models.items()},
        }
