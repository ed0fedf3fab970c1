"""Files as bioio opens them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bioimageio_core.errors import MissingRequirementError, SourceError
from bioimageio_core.io import local_path

__all__ = ["is_czi", "open_file", "open_scene", "scenes_of"]

EXTRAS = ("czi", "dv", "lif", "nd2", "sldy")
"""Extras of this distribution, by the suffix of the files that they are for."""

PLANES = ["Y", "X", "S", "A"]
"""What of a CZI file is read at once: a plane with its samples, which bioio calls S and the file calls A.

By default, bioio reads volumes, and samples one by one, which gives the first of them for all.
"""


def open_file(location: str) -> Any:
    """Return the reader of bioio for a file.

    Raises:
        MissingRequirementError: None that is installed reads this format.

    """
    from bioio import BioImage
    from bioio_base.exceptions import UnsupportedFileFormatError

    path = local_path(location) or location
    if not Path(path).exists():
        raise SourceError(f"{location} does not exist")
    if is_czi(location) and find_spec("bioio_czi") is not None:
        import bioio_czi

        return bioio_czi.Reader(path, chunk_dims=list(PLANES))
    try:
        return BioImage(path).reader
    except UnsupportedFileFormatError as error:
        kind = Path(path).suffix.lower().removeprefix(".")
        if find_spec(f"bioio_{kind}") is not None:
            raise SourceError(f"{location} is damaged, or no {kind.upper()} file: {error}") from error
        extra = kind if kind in EXTRAS else "bioformats"
        raise MissingRequirementError(f"{location} needs a reader of bioio: pip install 'bioimageio-runtime-bioio[{extra}]'") from error


def scenes_of(reader: Any, location: str) -> tuple[str, ...]:
    """Return the names of the scenes of a file.

    Scenes of a CZI file that its metadata do not name are numbered.

    Args:
        reader: The reader of bioio.
        location: Path of the file, for messages.

    Raises:
        SourceError: The file has scenes that the reader does not show.

    """
    names = tuple(str(name) for name in reader.scenes)
    count = _scenes_of_czi(location) if is_czi(location) else len(names)
    if count <= len(names):
        return names
    # The reader takes its scenes from the metadata alone, and would leave out those that these do not list.
    numbered = tuple(f"Scene {number}" for number in range(count))
    getattr(reader, "_implementation", reader)._scenes = numbered
    if tuple(reader.scenes) != numbered:
        raise SourceError(f"{location} holds {count} scenes, of which this release of bioio-czi shows {len(names)}")
    return numbered


def open_scene(location: str, number: int, level: int) -> Any:
    """Return the reader of bioio for a scene at a resolution.

    Raises:
        SourceError: There is no such level.

    """
    reader = open_file(location)
    if len(scenes_of(reader, location)) > 1:
        reader.set_scene(number)
    levels = tuple(reader.resolution_levels)
    if not 0 <= level < len(levels):
        raise SourceError(f"{location} has {len(levels)} levels, counted from 0: found level {level}")
    if level:
        reader.set_resolution_level(levels[level])
    return reader


def is_czi(location: str) -> bool:
    """Return whether a file is one of ZEISS, by its name."""
    return location.lower().endswith(".czi")


def _scenes_of_czi(location: str) -> int:
    """Return the number of scenes in the directory of a CZI file."""
    if find_spec("aicspylibczi") is None:
        return 0
    from aicspylibczi import CziFile

    with Path(local_path(location) or location).open("rb") as file:
        spans = [shape.get("S", (0, 1)) for shape in CziFile(file).get_dims_shape()]
    return sum(stop - start for start, stop in spans)
