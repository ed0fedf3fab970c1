"""Makes the files of a complete run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...atomic_files import move_into_place, remove_folder
from ...durability import sync_file
from ...errors import BioimageioError
from ...io import ChunkStore, run_of_output
from ...io.writing.chosen_writer import loaded_writer, write_file
from ...io.writing.ome_output import OmeImage
from ...io.writing.write_errors import writing
from ...progress import Progress
from ...registry import ImageWriterEntry
from ..execution.progress import Reporter
from ..planning.plan import Plan
from .file_set import FileSet
from .layouts import image_layout

__all__ = ["write_files"]

WORK = "files"
"""Folder within that of the run where files are until they are complete; it goes with it."""


def write_files(plan: Plan, files: FileSet, entry: ImageWriterEntry, *, progress: Progress | None) -> None:
    """Write the results of a complete run to files, give these their places, and remove the results.

    Args:
        plan: The plan of the run.
        files: The files.
        entry: The format.
        progress: Progress callback; None disables it.

    Raises:
        OutputError: A file cannot be written; the results stay, and another call continues.
        PluginError: The writer fails.

    """
    place = files.run_place
    run = run_of_output(place)[1] or {}
    store = ChunkStore(place)
    writer = loaded_writer(entry, files.location)
    folder = Path(place) / WORK
    remove_folder(folder)  # of a process that was killed
    written: dict[str, Path] = {}
    with writing(files.location):
        for name, target in files.paths.items():
            (folder / name).mkdir(parents=True)
            written[name] = folder / name / target.name
            layout = image_layout(plan, name, _record(plan, run))
            pixels = sum(int(np.prod(level.shape)) for level in layout.levels)
            read = _Reads(store, plan.ome[name], Reporter(f"write {target.name}", pixels, progress))
            write_file(writer, entry.name, layout, read, written[name])
            sync_file(written[name])
        files.write_records(written, run)
        for name, target in files.paths.items():
            move_into_place(written[name], target, overwrite=True)
    store.close()
    remove_folder(Path(place))


class _Reads:
    """Reads regions of an image for a writer, and counts them."""

    def __init__(self, store: ChunkStore, image: OmeImage, report: Reporter) -> None:
        self._store, self._image, self._report = store, image, report

    def __call__(self, index: tuple[slice, ...], level: int = 0) -> NDArray[Any]:
        pixels = self._store.read(self._image.place(level), index)
        self._report.more(pixels.size)
        return pixels


def _record(plan: Plan, run: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an image was made."""
    return {
        "software": "bioimageio_core",
        "version": version("bioimageio-runtime"),
        "model": plan.model.name,
        "weights": plan.weights.weights_format,
        **{key: run[key] for key in ("id", "began") if key in run},
    }


def words(error: BioimageioError, files: FileSet) -> BioimageioError:
    """Return an error of the run about the files that users asked for, and not about the folder beside them."""
    text = str(error).replace(files.run_place, files.location)
    return error if text == str(error) else type(error)(text)
