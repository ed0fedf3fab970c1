"""Reads scenes of files with bioio."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from bioimageio_core.io import FOR_ALL, Image, Scene, SceneChoice, choose_scene, lazy_image

from .files import open_file, scene_names
from .pixels import open_pixels
from .scene_metadata import describe

__all__ = ["BioioReader"]


@attrs.frozen
class BioioReader:
    """Reads whatever the installed readers of bioio read."""

    def sniff(self, location: str) -> bool:
        """Return whether a reader of bioio opens a file."""
        try:
            return bool(scene_names(open_file(location), location))
        except Exception:  # of a file of another kind
            return False

    def scenes(self, location: str) -> Sequence[Scene]:
        """Return the scenes of a file, by the names that bioio has for them."""
        return [Scene(number=number, name=name) for number, name in enumerate(scene_names(open_file(location), location))]

    def open(self, location: str, scene: SceneChoice, level: int | None) -> Image:
        """Open a scene; tiles of a mosaic are one image, of which a region reads those that it needs.

        Raises:
            SourceError: There is no such scene or level.
            MissingRequirementError: The reader of bioio for this format is not installed.

        """
        scenes = self.scenes(location)
        number = choose_scene(scenes, scene, location, other_way=FOR_ALL).number
        found = describe(location, number, level or 0)
        several = len(scenes) > 1
        return lazy_image(
            open_pixels,
            location,
            number,
            level or 0,
            axes=found.axes,
            name=f"{found.stem} (scene {number})" if several else found.stem,
            part=str(number) if several else "",
            channel_names=found.channel_names,
            pixel_size=found.pixel_size,
            chunks=found.chunks,
            one_at_a_time=True,
        )
