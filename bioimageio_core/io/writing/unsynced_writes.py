"""Files that a process of a run has written, and the tasks that count as done when these files are on the disk."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Lock

from ...durability import sync_files, sync_folder
from ..locations import local_path

__all__ = ["UnsyncedWrites", "metadata_files", "remove_empty_metadata", "sync_metadata"]

SHARE = 0.03
"""Share of its time that a process spends on `UnsyncedWrites.sync`, unless `LONGEST` requires more."""

LONGEST = 10.0
"""Seconds of work that a loss of power may cost at most, beside the tasks that were being computed."""

METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


class UnsyncedWrites:
    """What a process has written below a folder since it last waited for the disk; used by several threads at once.

    Waiting for the disk takes as long for many files as for a few, so it is put off until it takes little of the time that has passed.

    Args:
        folder: The folder; None for a remote store, which keeps what it has confirmed.

    """

    def __init__(self, folder: str | None) -> None:
        self._folder = None if folder is None else os.path.abspath(folder)  # noqa: PTH100  (links stay as they are)
        self._files: list[str] = []
        self._tasks: list[tuple[str, int]] = []
        self._adding, self._syncing = Lock(), Lock()
        self._next = 0.0

    def wrote(self, file: str) -> None:
        """Add a file that is complete."""
        if self._folder is not None:
            with self._adding:
                self._files.append(file)

    def finished(self, stage: str, task: int) -> None:
        """Add a task of a sweep, after all files that it wrote."""
        with self._adding:
            self._tasks.append((stage, task))

    @property
    def due(self) -> bool:
        """Whether it is time to wait for the disk, and no other thread does."""
        return time.monotonic() >= self._next and not self._syncing.locked()

    def sync(self) -> list[tuple[str, int]]:
        """Wait until all files added so far are on the disk, and return the tasks added so far.

        Raises:
            OSError: The disk does not take a file. Its tasks are not returned, also not by later calls.

        """
        with self._syncing:
            with self._adding:
                files, self._files = self._files, []
                tasks, self._tasks = self._tasks, []
            begin = time.monotonic()
            sync_files(files)
            for folder in self._changed_folders(files):
                sync_folder(folder)
            end = time.monotonic()
            self._next = end + min((end - begin) / SHARE, LONGEST)
            return tasks

    def _changed_folders(self, files: list[str]) -> set[str]:
        """Return the folders of files, and all above, in which a folder may be new, up to the one that holds all of them."""
        changed = {os.path.dirname(file) for file in files}  # noqa: PTH120  (of a million files)
        above = changed
        while above := {os.path.dirname(folder) for folder in above if folder != self._folder} - changed:  # noqa: PTH120
            changed |= above
        return changed


def sync_metadata(location: str) -> None:
    """Write the metadata of a local array or group, and its name in the folder above, to the disk; nothing to do for a remote one.

    Raises:
        OSError: The disk does not take them.

    """
    local = local_path(location)
    if local is None:
        return
    sync_files(metadata_files(location))
    sync_folder(local)
    sync_folder(os.path.dirname(os.path.abspath(local)))  # noqa: PTH100, PTH120


def metadata_files(location: str) -> list[str]:
    """Return the paths of the metadata of a local array or group; none of a remote one."""
    local = local_path(location)
    folder = None if local is None else os.path.abspath(local)  # noqa: PTH100  (links stay as they are)
    return [] if folder is None else [file for name in METADATA if os.path.exists(file := os.path.join(folder, name))]  # noqa: PTH110, PTH118


def remove_empty_metadata(location: str) -> None:
    """Remove metadata of a local array or group of which a file is empty, as a loss of power leaves it: nothing was written with them."""
    local = local_path(location)
    files = [] if local is None else [Path(local) / name for name in METADATA]
    if any(file.is_file() and not file.stat().st_size for file in files):
        for file in files:
            file.unlink(missing_ok=True)
