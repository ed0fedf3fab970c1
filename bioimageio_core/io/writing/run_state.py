"""State of a run, kept inside its unfinished output: which tasks are done, what was measured, which process computes what.

Processes that share a run coordinate through it alone. Each file appears complete or not at all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...atomic_files import atomic_file
from ..locations import file_system, join, local_path
from ..reading.zarr_image import UNFINISHED
from .unsynced_writes import UnsyncedWrites
from .write_errors import CompletedElsewhere, writing

__all__ = ["CompletedElsewhere", "RunState"]

FOLDER = ".bmz-run"
PER_FOLDER = 4096
"""Markers in one folder; some file systems get slow with more."""

DONE = b"done"
"""Content of a marker without a result: a file without content is what a loss of power leaves of one."""


class RunState:
    """Files of a run, by name; pickled as the location of the output and the id of the run.

    Args:
        output: Path or fsspec URL of the output.
        run_id: Id of the run, as the file has it that marks the output as incomplete; empty for any run.

    """

    __slots__ = ("_made", "_note", "_seen", "location", "output", "run_id", "writes")

    def __init__(self, output: str, run_id: str = "") -> None:
        self.output, self.run_id = output, run_id
        self.location = join(output, FOLDER)
        self._made: set[str] = set()
        folder = local_path(output)
        self._note = None if folder is None else os.path.join(folder, UNFINISHED)  # noqa: PTH118  (opened before each write)
        self._seen: tuple[tuple[int, ...], str] = (), ""
        self.writes = UnsyncedWrites(folder)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.output, self.run_id)

    def goes_on(self) -> bool:
        """Return whether the output is still that of this run, and incomplete: no process completed it or started it again."""
        try:
            found = self._id_in_note()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return not self.run_id or found == self.run_id

    def _id_in_note(self) -> str:
        """Return the id of the run by the file that marks the output as incomplete.

        That file never changes, so it is read again only if it is another one. It is opened each time: network file systems ask their
        server only then.
        """
        if self._note is None:
            files, path = file_system(join(self.output, UNFINISHED))
            return self._id_in(files.cat_file(path))
        file = os.open(self._note, os.O_RDONLY)
        try:
            found = os.fstat(file)
            identity = found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
            if self._seen[0] != identity:
                self._seen = identity, self._id_in(os.read(file, found.st_size))
            return self._seen[1]
        finally:
            os.close(file)

    def _id_in(self, note: bytes) -> str:
        try:
            record = json.loads(note)
        except ValueError:  # it appears complete or not at all: this is what a loss of power left
            return ""
        return str(record.get("id", self.run_id)) if isinstance(record, dict) else self.run_id

    def check(self) -> None:
        """Check that the output is still that of this run, and incomplete; before each write.

        Raises:
            CompletedElsewhere: It is not.

        """
        if not self.goes_on():
            raise CompletedElsewhere

    def exists(self) -> bool:
        """Return whether there is any state."""
        files, path = file_system(self.location)
        files.invalidate_cache()
        return bool(files.exists(path))

    def write(self, name: str, data: bytes) -> None:
        """Write a file, or replace it.

        Raises:
            OutputError: It cannot be written.

        """
        place = join(self.location, name)
        with writing(place):
            local = local_path(place)
            if local is None:
                files, path = file_system(place)
                files.pipe_file(path, data)
                return
            self._make_folder(os.path.dirname(local))  # noqa: PTH120
            if data == DONE:  # a part of it is as good, and most files are such
                _write_file(local, os.O_CREAT, data)
                return
            with atomic_file(Path(local), durable=False) as file:
                file.write(data)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that does not exist yet; return False where it does.

        Object stores cannot check and write in one step: there, two processes may both succeed.

        Raises:
            OutputError: It cannot be written.

        """
        place = join(self.location, name)
        with writing(place):
            local = local_path(place)
            if local is None:
                files, path = file_system(place)
                if files.exists(path):
                    return False
                files.pipe_file(path, data)
                return True
            self._make_folder(os.path.dirname(local))  # noqa: PTH120
            try:
                _write_file(local, os.O_CREAT | os.O_EXCL, data)
            except FileExistsError:
                return False
            return True

    def rewrite(self, name: str, data: bytes) -> bool:
        """Replace the content of a file that exists; return False where it does not, or no longer.

        Raises:
            OutputError: It cannot be written.

        """
        place = join(self.location, name)
        with writing(place):
            local = local_path(place)
            if local is None:
                files, path = file_system(place)
                files.invalidate_cache()
                if not files.exists(path):
                    return False
                files.pipe_file(path, data)
                return True
            try:
                _write_file(local, os.O_TRUNC, data)
            except FileNotFoundError:
                return False
            return True

    def read(self, name: str) -> bytes | None:
        """Return the content of a file; None where there is none.

        Raises:
            OutputError: It cannot be read.

        """
        place = join(self.location, name)
        with writing(place):
            files, path = file_system(place)
            try:
                content: bytes = files.cat_file(path)
            except FileNotFoundError:
                return None
            return content

    def discard(self, name: str) -> None:
        """Remove a file; no error where there is none.

        Raises:
            OutputError: It cannot be removed.

        """
        place = join(self.location, name)
        with writing(place), contextlib.suppress(FileNotFoundError):
            files, path = file_system(place)
            files.rm(path)

    def mark_when_synced(self, stage: str, task: int) -> None:
        """Record that a task is done, now or later: once all that this process wrote until now is on the disk, and `sync` at the latest.

        Args:
            stage: Name of the sweep that the task belongs to.
            task: Its number.

        Raises:
            OutputError: The marker cannot be written, or the disk does not take what was written.

        """
        self.writes.finished(stage, task)
        if self._note is None or self.writes.due:
            self.sync()

    def sync(self) -> None:
        """Wait until all that this process wrote is on the disk, and mark the tasks that wrote it.

        Raises:
            CompletedElsewhere: The output is no longer that of this run.
            OutputError: The disk does not take it, or a marker cannot be written.

        """
        with writing(self.output):
            tasks = self.writes.sync()
        if tasks:
            self.check()
        for stage, task in tasks:
            self.mark(stage, task)

    def mark(self, stage: str, task: int, result: bytes = DONE) -> None:
        """Record that a task is done; to be called when all that it wrote is on the disk.

        Args:
            stage: Name of the sweep that the task belongs to.
            task: Its number.
            result: What other processes need of it; not empty.

        Raises:
            OutputError: The marker cannot be written.

        """
        self.write(_marker(stage, task), result)

    def unmark(self, stage: str, task: int) -> None:
        """Remove the marker of a task; no error where there is none.

        Raises:
            OutputError: The marker cannot be removed.

        """
        self.discard(_marker(stage, task))

    def result(self, stage: str, task: int) -> bytes | None:
        """Return the result that a task recorded; None where it is not done."""
        return self.read(_marker(stage, task))

    def done(self, stage: str, count: int) -> bytearray:
        """Return a byte for each of ``count`` tasks: 1 where it is done."""
        found = bytearray(count)
        files, path = file_system(join(self.location, stage))
        # Listings that were remembered before other processes wrote their markers would miss them.
        files.invalidate_cache()
        with contextlib.suppress(FileNotFoundError):  # nothing is done, or another process completed the run meanwhile
            for folder in files.ls(path, detail=False):
                if not _last(folder).isdigit():  # left by another program
                    continue
                first = int(_last(folder)) * PER_FOLDER
                for name in _files_with_content(files, folder):
                    if name.isdigit() and first + int(name) < count:  # others are being written
                        found[first + int(name)] = 1
        return found

    def record(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a mapping of JSON values.

        Raises:
            OutputError: It cannot be written.

        """
        self.write(f"{name}.json", json.dumps(value).encode())

    def recorded(self, name: str) -> dict[str, Any] | None:
        """Return the mapping kept under a name, or None."""
        content = self.read(f"{name}.json")
        try:
            value = None if content is None else json.loads(content)
        except ValueError:  # a power failure left it incomplete
            value = None
        return value if isinstance(value, dict) else None

    def remove(self) -> None:
        """Remove all state, at once for other processes where the file system can rename; no error where there is none.

        Raises:
            OutputError: It cannot be removed.

        """
        local = local_path(self.location)
        with writing(self.location), contextlib.suppress(FileNotFoundError):
            if local is None:
                files, path = file_system(self.location)
                files.rm(path, recursive=True)
                return
            self._made.clear()
            try:
                Path(local).rename(f"{local}-{uuid.uuid4().hex}")
            except OSError:
                if Path(local).exists():  # read-only disks also refuse to rename what does not exist
                    raise
            for renamed in Path(local).parent.glob(f"{FOLDER}-*"):  # also what a process left that was killed just here
                shutil.rmtree(renamed, ignore_errors=True)

    def _make_folder(self, folder: str) -> None:
        if folder not in self._made:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)


def _write_file(path: str, flags: int, data: bytes) -> None:
    """Write a small file in place; the flags decide whether it must be new or must exist."""
    file = os.open(path, os.O_WRONLY | flags, 0o666)
    try:
        os.write(file, data)
    finally:
        os.close(file)


def _marker(stage: str, task: int) -> str:
    return f"{stage}/{task // PER_FOLDER}/{task % PER_FOLDER}"


def _files_with_content(files: Any, folder: str) -> Iterator[str]:
    """Yield the names of files in a folder; a loss of power leaves empty ones."""
    if local_path(folder) is not None and Path(folder).is_dir():
        with os.scandir(folder) as found:  # ten times as fast as fsspec
            yield from (entry.name for entry in found if entry.stat().st_size)
        return
    for entry in files.ls(folder, detail=True):
        if entry["size"]:
            yield _last(entry["name"])


def _last(path: str) -> str:
    return str(path).replace("\\", "/").rstrip("/").rpartition("/")[2]
