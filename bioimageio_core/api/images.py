"""What an image is, without reading its pixels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..file_kinds import IMAGES, kind_of
from ..io.locations import file_system
from ..io.reading.chosen_reader import is_readable
from ..io.reading.zarr_groups import is_zarr_node
from ..places import local_path
from ..report.cards.image_card import ImageCard
from ..report.cards.make_image_card import image_card as make_image_card
from .loading import default_registry

__all__ = ["image_card", "is_image"]


def image_card(
    source: Any, *, scene: int | str | None = None, level: int | None = None, axes: str | Sequence[str] | None = None
) -> ImageCard:
    """Return what is known of an image, without reading its pixels: axes, sizes, dtype, channels, pixel size, scenes and levels.

    Args:
        source: A path or URL of a file or folder that an installed plugin reads, or an array.
        scene: Number (from 0) or name of the image in a file of several; None for the first.
        level: Resolution of a pyramid, 0 (the finest) where None.
        axes: The axes, as in ``tczyx``, in place of those that the source names.

    Raises:
        SourceError: There is no such image, or it cannot be read.
        MissingRequirementError: A package that reads this kind of file is not installed.
        AxesError: ``axes`` are unknown or of the wrong number.

    """
    return make_image_card(source, default_registry(), scene=scene, level=level, axes=axes)


def is_image(source: str | os.PathLike[str]) -> bool:
    """Return whether a source is an image, and not a resource of bioimage.io: by its name, or since it is a zarr folder."""
    location = os.fsdecode(source)
    local = local_path(location)
    if local is not None and Path(local).is_dir():
        return is_readable(location) or is_zarr_node(*file_system(location))
    return is_readable(location) or kind_of(location) in IMAGES
