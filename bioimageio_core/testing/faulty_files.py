"""A file system whose reads and writes fail now and then, as those of networks do: for tests of what must survive that.

::

    with faulty_files(tmp_path, every=50) as files:
        for _ in range(20):
            try:
                bc.predict(model, image, files.url("out.zarr"), resume=True)
                break
            except BioimageioError:
                continue
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from time import sleep
from typing import Any, Literal, TypeAlias
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

__all__ = ["FaultyFiles", "Operation", "faulty_files"]

Operation: TypeAlias = Literal["read", "write"]


def input_output_error() -> Exception:
    """Return what reading and writing raise where a disk fails."""
    return OSError(errno.EIO, os.strerror(errno.EIO))


class FaultyFiles:
    """The faults of one file system, and how many there were.

    Args:
        protocol: The protocol of its URLs.
        folder: The folder of this machine in which its files lie.
        every: Each operation of this number fails; 0: none.
        operations: The operations that fail.
        error: Makes the exception.
        delay: Seconds that each operation takes longer.

    """

    def __init__(
        self,
        protocol: str,
        folder: Path,
        *,
        every: int,
        operations: tuple[Operation, ...],
        error: Callable[[], Exception],
        delay: float,
    ) -> None:
        self.protocol, self.folder = protocol, folder
        self.every, self.operations, self.error, self.delay = every, operations, error, delay
        self.count = 0
        """Operations so far that could have failed."""

        self.failures = 0
        self._lock = Lock()

    def url(self, path: str) -> str:
        """Return the URL of a path within the folder."""
        return f"{self.protocol}://{self.folder}/{path}"

    def happens(self, operation: Operation) -> None:
        """Count an operation, and fail if it is its turn."""
        if self.delay:
            sleep(self.delay)
        if operation not in self.operations or not self.every:
            return
        with self._lock:
            self.count += 1
            fails = self.count % self.every == 0
            self.failures += fails
        if fails:
            raise self.error()


@contextmanager
def faulty_files(
    folder: str | Path,
    *,
    every: int,
    operations: tuple[Operation, ...] = ("read", "write"),
    error: Callable[[], Exception] = input_output_error,
    delay: float = 0.0,
) -> Iterator[FaultyFiles]:
    """Open a folder as a file system of this process with a protocol of its own, which fsspec and so all of the library know.

    Args:
        folder: An existing folder.
        every: Each read or write of this number fails, counted from the first; 0: none.
        operations: The operations that fail.
        error: Makes the exception, as in ``lambda: TimeoutError("late")``.
        delay: Seconds that each operation takes longer.

    """
    faults = FaultyFiles(f"faulty{uuid4().hex[:8]}", Path(folder).resolve(), every=every, operations=operations, error=error, delay=delay)

    class Files(LocalFileSystem):  # type: ignore[misc]
        protocol = faults.protocol
        cachable = False

        @classmethod
        def _strip_protocol(cls, path: Any) -> Any:
            if isinstance(path, list):
                return [cls._strip_protocol(each) for each in path]
            return LocalFileSystem._strip_protocol(os.fspath(path).removeprefix(f"{faults.protocol}://"))

        def cat_file(self, path: str, start: int | None = None, end: int | None = None, **options: Any) -> Any:
            faults.happens("read")
            return super().cat_file(path, start=start, end=end, **options)

        def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
            faults.happens("write")
            target = Path(self._strip_protocol(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(value)

    fsspec.register_implementation(faults.protocol, Files)  # fsspec forgets no protocol; this one has a name that is used once
    try:
        yield faults
    finally:
        faults.every = 0
