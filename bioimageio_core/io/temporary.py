"""Intermediate results on disk, removed when they are no longer needed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .chunk_store import ArraySpec, ChunkStore, output_error
from .locations import local_path

__all__ = ["TemporaryStore", "create_temporary"]


class TemporaryStore(ChunkStore):
    """Arrays in a temporary folder; a context manager that removes it.

    Copies in other processes read and write, only the one that `create_temporary` returned removes.
    """

    __slots__ = ("_owned",)

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self._owned = False

    def __enter__(self) -> TemporaryStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Remove the folder; does nothing the second time."""
        if self._owned:
            self._owned = False
            self._arrays.clear()
            shutil.rmtree(self.location, ignore_errors=True)


def create_temporary(arrays: Sequence[ArraySpec], *, near: str | None = None) -> TemporaryStore:
    """Create arrays in a new temporary folder.

    Args:
        arrays: With different names.
        near: Output beside which the folder is made if that is local, since there is the space; else the system's temporary folder.

    Raises:
        OutputError: The folder can't be written.

    """
    beside: Any = None
    prefix = "bmz-"
    local = local_path(near) if near is not None else None
    try:
        if local is not None:
            path = Path(local)
            path.parent.mkdir(parents=True, exist_ok=True)
            beside, prefix = path.parent, f".{path.name}-"
        store = TemporaryStore(tempfile.mkdtemp(prefix=prefix, dir=beside))
    except OSError as error:
        raise output_error(f"A temporary folder near {near}" if near else "A temporary folder", error) from error
    store._owned = True
    try:
        for spec in arrays:
            store.create(spec)
    except BaseException:
        store.close()
        raise
    return store
