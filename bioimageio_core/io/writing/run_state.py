"""What a run notes inside its unfinished output: what it computes, what is done, and what it measured.

Nothing else coordinates processes that share a run: every note is made at once, and the same by whoever makes it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...atomic_files import atomic_file
from ..locations import file_system, join, local_path
from .chunk_store import output_error

__all__ = ["RunState"]

FOLDER = ".bmz-run"
PER_FOLDER = 4096
"""Markers that lie in one folder, since some file systems get slow with more."""


class RunState:
    """Markers and notes of a run; pickled as its location alone.

    Args:
        output: Path or fsspec URL of the output.

    """

    __slots__ = ("_made", "location")

    def __init__(self, output: str) -> None:
        self.location = join(output, FOLDER)
        self._made: set[str] = set()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.location.removesuffix("/" + FOLDER),)

    def mark(self, stage: str, number: int) -> None:
        """Note that a task is done; to be called when all that it wrote is whole.

        Raises:
            OutputError: The note cannot be made.

        """
        place = join(self.location, stage, str(number // PER_FOLDER))
        name = str(number % PER_FOLDER)
        local = local_path(place)
        try:
            if local is None:
                files, path = file_system(join(place, name))
                files.pipe_file(path, b"")
                return
            if place not in self._made:
                os.makedirs(local, exist_ok=True)  # noqa: PTH103
                self._made.add(place)
            # An empty file: it is there or not, and never half written.
            os.close(os.open(os.path.join(local, name), os.O_CREAT | os.O_WRONLY, 0o666))  # noqa: PTH118
        except OSError as error:
            raise output_error(place, error) from error

    def done(self, stage: str, count: int) -> bytearray:
        """Return a byte for each of ``count`` tasks: 1 where it is done."""
        found = bytearray(count)
        place = join(self.location, stage)
        files, path = file_system(place)
        if not files.exists(path):
            return found
        # Listings that were remembered before other processes made their notes would miss them.
        files.invalidate_cache()
        for folder in files.ls(path, detail=False):
            first = int(str(folder).rstrip("/").rpartition("/")[2]) * PER_FOLDER
            for marker in files.ls(folder, detail=False):
                number = first + int(str(marker).rpartition("/")[2])
                if number < count:
                    found[number] = 1
        return found

    def note(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a mapping of JSON values, whole or not at all.

        Raises:
            OutputError: It cannot be written.

        """
        place = join(self.location, f"{name}.json")
        data = json.dumps(value).encode()
        local = local_path(place)
        try:
            if local is None:
                files, path = file_system(place)
                files.pipe_file(path, data)
                return
            note = Path(local)
            note.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(note) as file:
                file.write(data)
        except OSError as error:
            raise output_error(place, error) from error

    def noted(self, name: str) -> dict[str, Any] | None:
        """Return what was kept under a name, or None."""
        files, path = file_system(join(self.location, f"{name}.json"))
        try:
            value = json.loads(files.cat_file(path))
        except FileNotFoundError:
            return None
        return value if isinstance(value, dict) else None

    def remove(self) -> None:
        """Remove all notes; what is not there is no error."""
        files, path = file_system(self.location)
        try:
            files.rm(path, recursive=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise output_error(self.location, error) from error
