"""What makes files survive a loss of power: their content, and the names in their folders, are written to the disk."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

__all__ = ["exchanged", "start_writing", "sync_file", "sync_files", "sync_folder", "sync_tree"]

AT_ONCE = 8
"""Files that are written to the disk at the same time: file systems then share one write of their journal among them."""

HERE, EXCHANGE = -100, 2
"""``AT_FDCWD`` and ``RENAME_EXCHANGE`` of Linux."""


def start_writing(file: int) -> None:
    """Let the system begin to write an open file to the disk, and return: runs wait for the disk now and then, and at their end.

    Linux does so when it learns that the pages will not be needed soon; those that are not yet on the disk stay in memory.
    """
    if sys.platform == "linux":
        with suppress(OSError):  # a file system may not know it
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)


def sync_file(path: str | Path) -> None:
    """Write the content of a file to the disk; no error where there is no such file, or no longer.

    Raises:
        OSError: The disk does not take it.

    """
    try:
        file = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(file)
    finally:
        os.close(file)


def sync_folder(path: str | Path) -> None:
    """Write the names in a folder to the disk; Windows does so on its own.

    Raises:
        OSError: The disk does not take them.

    """
    if os.name != "nt":
        sync_file(path)


def sync_files(paths: Iterable[str]) -> None:
    """Write the content of files to the disk, several at a time.

    Raises:
        OSError: The disk does not take one of them.

    """
    files = list(paths)
    if len(files) <= 1:
        for file in files:
            sync_file(file)
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(files)), thread_name_prefix="bioimageio_core-sync") as pool:
        for _ in pool.map(sync_file, files):
            pass


def sync_tree(path: Path) -> None:
    """Write a file, or a folder with all that it holds, to the disk.

    Raises:
        OSError: The disk does not take it.

    """
    if not path.is_dir():
        sync_file(path)
        return
    folders = list(os.walk(path))
    sync_files(os.path.join(folder, name) for folder, _, names in folders for name in names)  # noqa: PTH118  (of a million files)
    for folder, _, _ in folders:
        sync_folder(folder)


def exchanged(first: Path, second: Path) -> bool:
    """Exchange the names of two folders in one step, so that either name exists at any moment; return False where that is not possible."""
    if sys.platform != "linux":
        return False
    rename = getattr(ctypes.CDLL(None), "renameat2", None)  # Python has no function for it
    return rename is not None and rename(HERE, os.fsencode(first), HERE, os.fsencode(second), EXCHANGE) == 0
