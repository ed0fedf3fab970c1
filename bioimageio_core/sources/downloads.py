"""Downloads that end: servers may send without end, too slowly, or more than they announce."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ..errors import SourceError
from .urls import server_time_limit
from .zip_sizes import check_free_space

__all__ = ["LARGEST_UNANNOUNCED", "LEAST_AT_A_TIME", "download"]

LARGEST_UNANNOUNCED = 2**30
"""Bytes of a file whose size the server does not announce, and of one that is compressed for the transfer."""

LEAST_AT_A_TIME = 1024
"""Bytes that a server has to send within the time limit."""


def download(files: Any, path: str, target: Path, url: str) -> None:
    """Write a remote file to a local one.

    Args:
        files: An fsspec file system.
        path: The file there.
        target: The local file.
        url: The URL in messages.

    Raises:
        SourceError: The file is larger than announced, than `LARGEST_UNANNOUNCED` or than the disk has space for,
            or the server sends less than `LEAST_AT_A_TIME` within the time limit.

    """
    from fsspec.callbacks import Callback

    class Watch(Callback):  # type: ignore[misc] # fsspec has no types
        """Sees the announced size and every piece that arrives."""

        announced: int | None = None
        received = 0
        since, before = time.monotonic(), 0

        def set_size(self, size: int | None) -> None:
            self.announced = size
            if size is not None:
                check_free_space(target.parent, size, url)

        def relative_update(self, inc: int = 1) -> None:
            self.received += inc
            largest = max(LARGEST_UNANNOUNCED, self.announced or 0)
            if self.received > largest:
                raise SourceError(
                    f"{url} has more than {largest} bytes, the most that is taken of a server that announces no larger size: "
                    "fetch it in another way, and give its path"
                )
            now, limit = time.monotonic(), server_time_limit()
            if now - self.since >= limit:
                if self.received - self.before < LEAST_AT_A_TIME:
                    raise SourceError(
                        f"{url} cannot be read: the server sent {self.received - self.before} bytes in {limit:g} s, expected at least "
                        f"{LEAST_AT_A_TIME}; the environment variable BMZ_TIMEOUT sets another limit in seconds"
                    )
                self.since, self.before = now, self.received

        def absolute_update(self, value: int) -> None:
            self.relative_update(value - self.received)

    files.get_file(path, str(target), callback=Watch())
