"""Zarr outputs: a group that becomes one only when it is whole."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ...atomic_files import atomic_file
from ...errors import OutputError
from ..locations import file_system, join, local_path, zarr_store
from ..reading.zarr_image import UNFINISHED, is_zarr_node
from .chunk_store import ArraySpec, ChunkStore, output_error
from .run_state import RunState

__all__ = ["OutputStore", "continue_output", "create_output", "run_of_output"]

ATTRIBUTES = "bioimageio_core"
"""What an output says of itself is kept under this name in the attributes of its group."""


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

    def finish(self, attributes: Mapping[str, Any], *, zarr_format: Literal[2, 3] = 3) -> None:
        """Make the folder a zarr group with these attributes, then remove the notes of the run.

        Several processes may do so at once, and one that was killed in between is followed by another that does it again.

        Raises:
            OutputError: The write failed.

        """
        import zarr

        try:
            store = zarr_store(self.location, read_only=False)
            group = zarr.open_group(store, mode="a", zarr_format=zarr_format)
            group.update_attributes(dict(attributes))
        except (OSError, ValueError, TypeError) as error:
            raise output_error(self.location, error) from error
        self.tidy()

    def tidy(self) -> None:
        """Remove the notes of the run of an output whose group is there; does nothing where they are gone.

        Raises:
            OutputError: They can't be removed.

        """
        RunState(self.location).remove()
        try:
            files, path = file_system(self.location)
            with contextlib.suppress(FileNotFoundError):
                files.rm(join(path, UNFINISHED))
        except OSError as error:
            raise output_error(self.location, error) from error


def run_of_output(location: str) -> tuple[bool, Mapping[str, Any] | None]:
    """Return whether an output is whole, and what is noted of the run that made it; nothing where there is no output.

    Args:
        location: Path or fsspec URL.

    """
    import zarr

    try:
        attributes = zarr.open_group(store=zarr_store(location, read_only=True), mode="r").attrs.get(ATTRIBUTES)
    except (OSError, ValueError, KeyError, TypeError):
        attributes = None
    if isinstance(attributes, dict):  # the last that a run writes; what follows is to tidy up
        run = attributes.get("run")
        return True, run if isinstance(run, dict) else None
    files, path = file_system(location)
    try:
        run = json.loads(files.cat_file(join(path, UNFINISHED))).get("run")
    except (OSError, ValueError, AttributeError):
        return False, None
    return False, run if isinstance(run, dict) else None


def continue_output(location: str, arrays: Sequence[ArraySpec]) -> OutputStore:
    """Return the unfinished output of a run, with all of its arrays; several processes may do so at once.

    Args:
        location: Path or fsspec URL of an unfinished output.
        arrays: As they were given to `create_output`.

    Raises:
        OutputError: It can't be written, or has another array of some name.

    """
    store = OutputStore(location)
    for spec in arrays:
        store.ensure(spec)
    return store


def create_output(
    location: str, arrays: Sequence[ArraySpec], *, overwrite: bool = False, run: Mapping[str, Any] | None = None
) -> OutputStore:
    """Create an output with these arrays, all of fill value.

    Args:
        location: Path or fsspec URL of a folder that is not there, or empty.
        arrays: One per output, with different names.
        overwrite: Remove what is there, if it is a zarr store or an unfinished output.
        run: What is noted of the run that makes it, as JSON values.

    Raises:
        OutputError: Something is there already, or can't be written.

    """
    names = [spec.name for spec in arrays]
    if len(set(names)) != len(names) or any(not name or name.startswith((".", "/")) for name in names):
        raise OutputError(f"Outputs need different names without '/' at all and '.' in front, got {names}.")
    files, path = file_system(location)
    _make_room(location, files, path, overwrite)
    noted = json.dumps({"arrays": names, "run": run}).encode()
    local = local_path(location)
    try:
        files.makedirs(path, exist_ok=True)
        if local is None:
            files.pipe_file(join(path, UNFINISHED), noted)
        else:
            with atomic_file(Path(path) / UNFINISHED, overwrite=False) as file:  # of several processes, one begins
                file.write(noted)
    except FileExistsError:
        raise OutputError(f"{location} was begun by another process just now; give another name.") from None
    except OSError as error:
        raise output_error(location, error) from error
    return continue_output(location, arrays)


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
        if unfinished:
            remedy = "give resume=True (--resume) to go on with it, overwrite=True (--overwrite) to begin anew, or another name"
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
