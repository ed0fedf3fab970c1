"""Stores for all processes of a run: slow ones, and ones that fail now and then."""

from __future__ import annotations

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

DELAY = 0.05
"""Seconds that an operation takes longer."""

HOLD = Path(os.environ["BMZ_FAULTS"]) / "hold"
"""While this file exists, no process reads chunks, but the one whose id it holds."""

EVERY = 50
"""Each write of this number fails, counted by each process."""


def is_held() -> bool:
    """Return whether this process waits with reading chunks."""
    try:
        return HOLD.read_text() != str(os.getpid())
    except FileNotFoundError:
        return False


class RemoteFiles(LocalFileSystem):  # type: ignore[misc]
    """Files of this machine behind a protocol, so that the library takes them for those of a server."""

    cachable = False

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return LocalFileSystem._strip_protocol(os.fspath(path).removeprefix(f"{cls.protocol}://"))

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        target = Path(self._strip_protocol(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(value)


class SlowFiles(RemoteFiles):
    """Reads and writes that take a while."""

    protocol = "slowly"

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> Any:
        time.sleep(DELAY)
        while "/c/" in path and is_held():
            time.sleep(DELAY)
        return super().cat_file(path, start=start, end=end, **options)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        time.sleep(DELAY)
        super().pipe_file(path, value, mode, **options)


class FailingFiles(RemoteFiles):
    """Writes of which each 50th fails."""

    protocol = "failing"
    writes = 0
    counting = threading.Lock()

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        with FailingFiles.counting:
            FailingFiles.writes += 1
            fails = FailingFiles.writes % EVERY == 0
        if fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().pipe_file(path, value, mode, **options)
