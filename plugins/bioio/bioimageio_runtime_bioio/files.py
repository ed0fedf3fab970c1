"""Files as bioio opens them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bioimageio_core.errors import MissingRequirementError, SourceError
from bioimageio_core.io import local_path

from .czi_scene import is_czi, scene_numbers

__all__ = ["open_file", "open_scene", "scene_names"]

EXTRAS = ("czi", "dv", "lif", "nd2", "sldy")
"""Extras of this distribution, by the suffix of the files that they are for."""

EVERYTHING = list("MHIVRTCZYXSA")
"""Dimensions of a CZI file of which bioio makes one chunk: it is asked for names and sizes only, and each chunk takes time."""


def open_file(location: str) -> Any:
    """Return the reader of bioio for a file.

    Raises:
        SourceError: There is no such file, or it is damaged.
        MissingRequirementError: No reader that is installed reads this format.

    """
    from bioio import BioImage
    from bioio_base.exceptions import UnsupportedFileFormatError

    path = local_path(location) or location
    if not Path(path).exists():
        raise SourceError(f"{location} does not exist")
    if is_czi(location):
        import bioio_czi

        return bioio_czi.Reader(path, chunk_dims=list(EVERYTHING))
    try:
        return BioImage(path).reader
    except UnsupportedFileFormatError as error:
        kind = Path(path).suffix.lower().removeprefix(".")
        if find_spec(f"bioio_{kind}") is not None:
            raise SourceError(f"{location} is damaged, or no {kind.upper()} file: {error}") from error
        extra = kind if kind in EXTRAS else "bioformats"
        raise MissingRequirementError(f"{location} needs a reader of bioio: pip install 'bioimageio-runtime-bioio[{extra}]'") from error


def scene_names(reader: Any, location: str) -> tuple[str, ...]:
    """Return the names of the scenes of a file; scenes of a CZI file that its metadata do not name are numbered.

    Args:
        reader: The reader of bioio.
        location: Path of the file.

    """
    names = tuple(str(name) for name in reader.scenes)
    if not is_czi(location):
        return names
    # bioio lists the scenes of the metadata, which may lack some or all of those in the file.
    numbers = scene_numbers(location)
    return names if len(names) == max(1, len(numbers)) else tuple(f"Scene {number}" for number in numbers)


def open_scene(location: str, number: int, level: int) -> Any:
    """Return the reader of bioio for a scene at a resolution.

    Raises:
        SourceError: There is no such level.

    """
    reader = open_file(location)
    if 0 < number < len(reader.scenes):
        reader.set_scene(number)
    levels = tuple(reader.resolution_levels)
    if not 0 <= level < len(levels):
        raise SourceError(f"{location} has {len(levels)} levels, counted from 0: found level {level}")
    if level:
        reader.set_resolution_level(levels[level])
    return reader
