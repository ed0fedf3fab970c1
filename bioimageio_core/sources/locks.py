"""File locks that end with the process that holds them.

Unlike the package filelock, which retries without end, they tell file systems without locks from files that are locked.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["file_lock", "temporary_lock"]


@contextmanager
def file_lock(path: Path) -> Iterator[bool]:
    """Hold the lock of a file against all other threads and processes; yield False on file systems without locks.

    The file is not removed: another process may be waiting for its lock.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        locked = _lock(handle)
        try:
            yield locked
        finally:
            if locked:
                _unlock(handle)
    finally:
        os.close(handle)


@contextmanager
def temporary_lock(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock of a file that is made for it, and removed at the end; yield False on file systems without locks.

    Raises:
        BlockingIOError: Another thread or process holds it, and `wait` is false.

    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            locked = _lock(handle, wait=wait)
            if locked and not _is_at(handle, path):  # the process that held the lock before has removed its file
                continue
            try:
                yield locked
            finally:
                with suppress(OSError):  # Windows removes no open files: there it stays
                    path.unlink()
                if locked:
                    _unlock(handle)
            return
        finally:
            os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int, *, wait: bool = True) -> bool:
        while True:
            try:
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            except OSError:
                if not wait:
                    raise BlockingIOError from None
                time.sleep(0.05)
            else:
                return True

    def _unlock(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)

else:
    try:
        import fcntl
    except ImportError:  # neither Windows nor POSIX, as within a browser

        def _lock(handle: int, *, wait: bool = True) -> bool:
            return False

        def _unlock(handle: int) -> None:
            return None

    else:

        def _lock(handle: int, *, wait: bool = True) -> bool:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise
            except OSError:
                return False
            return True

        def _unlock(handle: int) -> None:
            fcntl.flock(handle, fcntl.LOCK_UN)
