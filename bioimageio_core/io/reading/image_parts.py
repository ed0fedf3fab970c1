"""Files and folders that hold several images, taken apart into their images."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from .chosen_reader import reader_of
from .scenes import ImagePart, Scene, SceneChoice, choose_scene

__all__ = ["expand_parts", "part_of"]


def expand_parts(sources: Iterable[Any]) -> tuple[Any, ...]:
    """Replace files and folders that hold several images by these: scenes of files, fields of plates and wells.

    Side images of slides, such as thumbnails, are left out. A source that is no path, holds one image or cannot be opened stays as it is.
    An image that is listed and cannot be found or read is among the parts, and fails when it is opened.
    """
    return tuple(one for source in sources for one in _parts(source) or (source,))


def part_of(source: Any, scene: SceneChoice) -> ImagePart | None:
    """Return what sets the image that a source stands for apart from others in the same file or folder.

    Args:
        source: Any source of `open_image`.
        scene: The scene that is chosen.

    Returns:
        The chosen scene, or the field of a plate; None where a file or folder holds one image, no single one is chosen,
        or it cannot be opened.

    """
    if isinstance(source, ImagePart):
        return source
    if not isinstance(source, str | os.PathLike):
        return None
    location = os.fsdecode(source)
    if scene is None:
        parts = _parts(location)
        return parts[0] if len(parts) == 1 else None
    try:
        found = reader_of(location).scenes(location)
        chosen = choose_scene(found, scene, location)
    except Exception:  # it fails with a message when it is opened to be read
        return None
    return None if len(found) == 1 and not chosen.fields else _part(chosen, location)


def _parts(source: Any) -> tuple[ImagePart, ...]:
    if isinstance(source, ImagePart) or not isinstance(source, str | os.PathLike):
        return ()
    location = os.fsdecode(source)
    try:
        found = [one for one in reader_of(location).scenes(location) if one.in_batches and not one.is_side_image]
    except Exception:  # it fails with a message when it is opened to be read
        return ()
    return tuple(_part(one, location) for one in found) if len(found) > 1 or any(one.fields for one in found) else ()


def _part(scene: Scene, location: str) -> ImagePart:
    return ImagePart(
        location=scene.location or location,
        scene=None if scene.location else scene.number,
        within=location,
        fields=scene.template_fields,
        error=scene.error,
    )
