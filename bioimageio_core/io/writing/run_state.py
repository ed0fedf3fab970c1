"""The state of a run, recorded in its incomplete output: what it computes, which tasks are done, and the statistics it measured.

Processes that share a run are coordinated by these records alone: each is written in one step, and is the same whichever process
writes it.
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
"""Markers per folder: some file systems get slow with more."""


class RunState:
    """Markers and records of a run; pickled as its location alone.

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
        """Mark a task as done; to be called when everything that it writes is complete.

        Raises:
            OutputError: The marker cannot be written.

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
            # An empty file exists or does not, and is never half written.
            os.close(os.open(os.path.join(local, name), os.O_CREAT | os.O_WRONLY, 0o666))  # noqa: PTH118
        except OSError as error:
            raise output_error(place, error) from error

    def done(self, stage: str, count: int) -> bytearray:
        """Return a byte for each of ``count`` tasks: 1 for those that are done."""
        found = bytearray(count)
        place = join(self.location, stage)
        files, path = file_system(place)
        if not files.exists(path):
            return found
        # A cached listing would miss the markers that other processes have written since.
        files.invalidate_cache()
        for folder in files.ls(path, detail=False):
            first = int(str(folder).rstrip("/").rpartition("/")[2]) * PER_FOLDER
            for marker in files.ls(folder, detail=False):
                number = first + int(str(marker).rpartition("/")[2])
                if number < count:
                    found[number] = 1
        return found

    def record(self, name: str, value: Mapping[str, Any]) -> None:
        """Record a mapping of JSON values under a name.

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
            record = Path(local)
            record.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(record) as file:
                file.write(data)
        except OSError as error:
            raise output_error(place, error) from error

    def recorded(self, name: str) -> dict[str, Any] | None:
        """Return the mapping that is recorded under a name, or None."""
        files, path = file_system(join(self.location, f"{name}.json"))
        try:
            value = json.loads(files.cat_file(path))
        except FileNotFoundError:
            return None
        return value if isinstance(value, dict) else None

    def remove(self) -> None:
        """Remove all markers and records; does nothing where there are none."""
        files, path = file_system(self.location)
        try:
            files.rm(path, recursive=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise output_error(self.location, error) from error
