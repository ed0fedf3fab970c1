"""Zarr outputs: a folder that becomes a zarr group only when it is complete."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ...atomic_files import atomic_file
from ...durability import sync_folder
from ...errors import OutputError
from ..chunk_files import PARTIAL
from ..locations import exists, file_system, join, local_path, zarr_store
from ..reading.zarr_groups import is_zarr_node
from ..reading.zarr_image import UNFINISHED
from .chunk_store import ArraySpec, ChunkStore
from .group_metadata import write_group
from .run_state import RunState
from .unsynced_writes import remove_empty_metadata
from .write_errors import check_no_dangling_link, output_error, writing

__all__ = [
    "OutputStore",
    "check_replaceable",
    "continue_output",
    "create_output",
    "holds_something",
    "origin_of_output",
    "run_id_of_output",
    "run_of_output",
]

ATTRIBUTES = "bioimageio_core"
"""Attributes of an output's group are kept under this name."""


class OutputStore(ChunkStore):
    """A zarr v3 group with one array per output; its group metadata are written last, by `finish`.

    Until then a file marks it as incomplete, so that no reader takes it for a result.
    """

    __slots__ = ()

    @property
    def unfinished(self) -> bool:
        """Whether the output is not yet finished."""
        files, path = file_system(self.location)
        return bool(files.exists(join(path, UNFINISHED)))

    def finish(self, attributes: Mapping[str, Any], *, zarr_format: Literal[2, 3] = 3) -> None:
        """Make the folder a zarr group with these attributes, then remove the state of the run.

        Several processes may call it at once; after one that was killed halfway, another call completes the work.

        Raises:
            OutputError: The write failed.

        """
        with writing(self.location):
            if self.run is not None:
                self.run.check()
            place = self.pinned
            remove_empty_metadata(place)
            write_group(place, attributes, zarr_format)
        self.tidy()

    def remove_partial_files(self) -> None:
        """Remove the chunks that killed processes began to write, when no process writes any more; nothing on servers and object stores.

        A chunk is written under a name that ends in ``.partial``, and then gets its own.

        Raises:
            OutputError: A file cannot be removed.

        """
        folder = local_path(self.location)
        if folder is None:
            return
        with writing(self.location):
            for half_written in Path(folder).rglob(f"*{PARTIAL}"):
                half_written.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the state of the run from a finished output; does nothing where it is gone.

        Raises:
            OutputError: It cannot be removed.

        """
        place = self.location
        try:  # first, since processes that still share the run look for it before they use the state
            place = self.pinned
            files, path = file_system(place)
            files.rm(join(path, UNFINISHED))
            if local_path(self.location) is not None:
                sync_folder(path)
        except OSError as error:
            if self.unfinished:  # read-only disks also refuse to remove what does not exist
                raise output_error(self.location, error) from error
        RunState(place).remove()


def run_of_output(location: str) -> tuple[bool, Mapping[str, Any] | None]:
    """Return whether an output is complete, and the record of the run that made it; None where there is no record.

    Args:
        location: Path or fsspec URL.

    Raises:
        SourceError: Its server cannot be reached.

    """
    files, path = file_system(location)
    exists(files, path)
    attributes = _attributes(location)
    if isinstance(attributes, dict):  # the last that a run writes before it removes its state
        return True, _run_in(attributes)
    return False, _run_in(_note(location))


def _attributes(location: str) -> Any:
    """Return the attributes that a run wrote last into its group; None where it did not."""
    local = local_path(location)
    if local is not None:  # read as the files that they are, since zarr takes ten times as long
        node, group = _json_in(Path(local) / "zarr.json"), _json_in(Path(local) / ".zgroup")
        if node.get("node_type") == "group":
            return _mapping(node.get("attributes")).get(ATTRIBUTES)
        return _json_in(Path(local) / ".zattrs").get(ATTRIBUTES) if group else None
    import zarr

    try:
        return zarr.open_group(store=zarr_store(location, read_only=True), mode="r").attrs.get(ATTRIBUTES)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _json_in(file: Path) -> Mapping[str, Any]:
    """Return the mapping in a file; an empty one where there is none."""
    try:
        return _mapping(json.loads(file.read_bytes()))
    except (OSError, ValueError):
        return {}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def run_id_of_output(location: str) -> str:
    """Return the id of the run of an incomplete output; empty where there is none."""
    return str(_note(location).get("id", ""))


def origin_of_output(location: str) -> dict[str, str]:
    """Return the id of the run that made or makes an output, and when it began; empty where there is none."""
    complete, run = run_of_output(location)
    known = run if complete and run is not None else _note(location)
    return {key: str(known[key]) for key in ("id", "began") if key in known}


def _run_in(recorded: Mapping[str, Any]) -> Mapping[str, Any] | None:
    run = recorded.get("run")
    return run if isinstance(run, dict) else None


def _note(location: str) -> dict[str, Any]:
    files, path = file_system(location)
    try:
        note = json.loads(files.cat_file(join(path, UNFINISHED)))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def continue_output(location: str, arrays: Sequence[ArraySpec]) -> OutputStore:
    """Return the incomplete output of a run, with all of its arrays; several processes may call it at once.

    Args:
        location: Path or fsspec URL of an incomplete output.
        arrays: As they were given to `create_output`.

    Raises:
        OutputError: It cannot be written, or an array of the same name but another shape, chunks or dtype exists.

    """
    store = OutputStore(location, RunState(location, run_id_of_output(location)))
    for spec in arrays:
        store.ensure(spec)
    return store


def create_output(
    location: str, arrays: Sequence[ArraySpec], *, overwrite: bool = False, run: Mapping[str, Any] | None = None
) -> OutputStore:
    """Create an output with these arrays, all of fill value.

    Args:
        location: Path or fsspec URL of a folder that does not exist, or is empty.
        arrays: One per output, with different names.
        overwrite: Remove an existing zarr store or incomplete output.
        run: Record of the run that makes it, as JSON values.

    Raises:
        OutputError: The folder exists and is not replaced, or cannot be written.

    """
    names = [spec.name for spec in arrays]
    if len(set(names)) != len(names) or any(not name or name.startswith((".", "/")) for name in names):
        raise OutputError(
            f"{location} cannot hold outputs named {', '.join(map(repr, names))}: expected distinct names that do not begin with '.' or '/'"
        )
    check_no_dangling_link(location)
    files, path = file_system(location)
    _make_room(location, files, path, overwrite)
    began = datetime.now().astimezone().isoformat(timespec="seconds")
    record = json.dumps({"id": uuid.uuid4().hex, "began": began, "arrays": names, "run": run}).encode()
    local = local_path(location)
    with writing(location):
        try:
            files.makedirs(path, exist_ok=True)
            if local is None:
                files.pipe_file(join(path, UNFINISHED), record)
            else:
                with atomic_file(Path(path) / UNFINISHED, overwrite=False) as file:  # of several processes, one begins
                    file.write(record)
                sync_folder(Path(path).parent)
        except FileExistsError:
            raise OutputError(
                f"another process has just begun {location}: choose another name, or share the run with shard= (--shard)"
            ) from None
    return continue_output(location, arrays)


def holds_something(location: str) -> bool:
    """Return whether there is a file at the location of an output, or a folder that is not empty, apart from what killed processes left."""
    return _holds_something(*file_system(location))


def _holds_something(files: Any, path: str) -> bool:
    if not files.exists(path):
        return False
    return not files.isdir(path) or not all(str(name).endswith(".part") for name in files.ls(path, detail=False))


def check_replaceable(location: str, *, overwrite: bool) -> bool:
    """Return whether there is something at the location of an output.

    Raises:
        OutputError: It must not be replaced.

    """
    files, path = file_system(location)
    if not _holds_something(files, path):
        return False
    unfinished = bool(files.exists(join(path, UNFINISHED)))
    ours = unfinished or is_zarr_node(files, path)
    kind = "exists and is incomplete" if unfinished else "exists"
    if not overwrite:
        remedy = "give overwrite=True (--overwrite) or another name" if ours else "give another name"
        if unfinished:
            remedy = "resume=True (--resume) completes it, overwrite=True (--overwrite) writes it again; or give another name"
        raise OutputError(f"{location} {kind}: {remedy}")
    if not ours:
        raise OutputError(f"{location} exists and is not a zarr store, so it is not overwritten: give another name")
    return True


def _make_room(location: str, files: Any, path: str, overwrite: bool) -> None:
    if not check_replaceable(location, overwrite=overwrite):
        return
    try:
        # Metadata first: an interrupted removal must not leave what looks like a complete store.
        for name in ("zarr.json", ".zgroup", ".zarray"):
            with contextlib.suppress(FileNotFoundError):
                files.rm(join(path, name))
        if local_path(location) is not None and os.path.islink(path):  # noqa: PTH114  (the link stays, for results on another disk)
            files.rm(files.ls(path, detail=False), recursive=True)
        else:
            files.rm(path, recursive=True)
    except OSError as error:
        raise OutputError(f"{location} cannot be removed to be overwritten: {error.strerror or error}") from error
