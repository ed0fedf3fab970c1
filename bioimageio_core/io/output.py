"""Zarr outputs: a group that becomes one only when it is whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import OutputError
from .chunk_store import ArraySpec, ChunkStore, output_error
from .locations import file_system, join, zarr_store
from .zarr_image import UNFINISHED, is_zarr_node

__all__ = ["OutputStore", "create_output"]


class OutputStore(ChunkStore):
    """A zarr v3 group with one array per output; its group metadata are written last, by `finish`.

    Until then a file says that it is unfinished, so that nobody takes it for whole.
    """

    __slots__ = ()

    @property
    def unfinished(self) -> bool:
        """Whether `finish` is still to come."""
        files, path = file_system(self.location)
        return bool(files.exists(join(path, UNFINISHED)))

    def finish(self, attributes: Mapping[str, Any]) -> None:
        """Make the folder a zarr group with these attributes.

        Raises:
            OutputError: The write failed.

        """
        import zarr

        try:
            zarr.create_group(zarr_store(self.location, read_only=False), attributes=dict(attributes), zarr_format=3)
            files, path = file_system(self.location)
            files.rm(join(path, UNFINISHED))
        except (OSError, ValueError, TypeError) as error:
            raise output_error(self.location, error) from error


def create_output(location: str, arrays: Sequence[ArraySpec], *, overwrite: bool = False) -> OutputStore:
    """Create an output with these arrays, all of fill value.

    Args:
        location: Path or fsspec URL of a folder that is not there, or empty.
        arrays: One per output, with different names.
        overwrite: Remove what is there, if it is a zarr store or an unfinished output.

    Raises:
        OutputError: Something is there already, or can't be written.

    """
    names = [spec.name for spec in arrays]
    if len(set(names)) != len(names) or any(not name or "/" in name or name.startswith(".") for name in names):
        raise OutputError(f"Outputs need different names without '/' at all and '.' in front, got {names}.")
    files, path = file_system(location)
    _make_room(location, files, path, overwrite)
    try:
        files.makedirs(path, exist_ok=True)
        with files.open(join(path, UNFINISHED), "wb") as file:
            file.write(json.dumps({"arrays": names}).encode())
    except OSError as error:
        raise output_error(location, error) from error
    store = OutputStore(location)
    for spec in arrays:
        store.create(spec)
    return store


def _make_room(location: str, files: Any, path: str, overwrite: bool) -> None:
    if not files.exists(path):
        return
    unfinished = bool(files.exists(join(path, UNFINISHED)))
    if not unfinished and files.isdir(path) and not files.ls(path, detail=False):
        return
    ours = unfinished or is_zarr_node(files, path)
    kind = "exists and is an unfinished output" if unfinished else "exists"
    if not overwrite:
        remedy = "give overwrite=True (--overwrite) or another name" if ours else "give another name"
        raise OutputError(f"{location} {kind}; {remedy}.")
    if not ours:
        raise OutputError(f"{location} exists and is no zarr store, it will not be overwritten; give another name.")
    try:
        # Metadata first: a removal that is interrupted must not leave what looks like a whole store.
        for name in ("zarr.json", ".zgroup", ".zarray"):
            with contextlib.suppress(FileNotFoundError):
                files.rm(join(path, name))
        files.rm(path, recursive=True)
    except OSError as error:
        raise OutputError(f"{location} can't be removed to be overwritten: {error.strerror or error}.") from error
