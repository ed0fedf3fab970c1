"""An existing output stays as it is while its replacement is written beside it, and gives it its name at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...atomic_files import atomic_file, move_into_place
from ...durability import sync_folder
from ...errors import OutputError
from ...places import absolute_path
from ...sources.locks import temporary_lock
from ..locations import local_path
from .output_store import check_replaceable, holds_something, origin_of_output, run_of_output
from .write_errors import writing

__all__ = ["mark_as_replacement", "place_to_write", "replaced_alone", "take_place"]

MARK = ".bmz-replacement.json"


def place_to_write(location: str, *, overwrite: bool, continues: bool) -> str:
    """Return where the output of a run is written until it is complete.

    This is its final place, unless it replaces something there on a local file system: then it is the hidden folder ``.NAME.bmz-new``
    beside it.

    Args:
        location: Path or fsspec URL of the output.
        overwrite: Whether the run begins again.
        continues: Whether the run continues a replacement that it finds in the hidden folder.

    Raises:
        OutputError: It would replace something that is no output.

    """
    new = _beside(location)
    if new is None:
        return location
    if not overwrite:
        return str(new) if continues and _is_replacement(new) else location
    if not holds_something(location):
        return location
    check_replaceable(location, overwrite=True)
    return str(new)


def mark_as_replacement(written: str) -> None:
    """Mark a folder as one that is to take the place of an output, and did not take it yet.

    Raises:
        OutputError: The file system refuses it.

    """
    with writing(written), atomic_file(Path(written) / MARK) as file:
        file.write(b"{}")


def _is_replacement(new: Path) -> bool:
    """Return whether a hidden folder is a replacement, and not what was replaced, which may be there while it is removed."""
    complete, run = run_of_output(str(new))
    return (new / MARK).exists() if complete else run is not None


def take_place(written: str, location: str) -> None:
    """Give a complete output its final place; several processes may do so at once.

    Raises:
        OutputError: The file system refuses it.

    """
    if written == location:
        local = local_path(location)
        if local is not None and (Path(local) / MARK).exists():  # of a run that was killed after it took the place
            (Path(local) / MARK).unlink(missing_ok=True)
        return
    target = Path(os.path.realpath(str(local_path(location))))
    own = origin_of_output(written)
    with writing(location):
        (target / MARK).unlink(missing_ok=True)  # of an earlier run that was killed after it took the place
        try:
            move_into_place(Path(written), target, overwrite=True, durable=False)  # what is in it is on the disk
        except FileNotFoundError:
            if own or not run_of_output(location)[0]:
                raise
        (target / MARK).unlink(missing_ok=True)
        sync_folder(target.parent)


@contextmanager
def replaced_alone(location: str) -> Iterator[None]:
    """Within the block, no other run may replace the same output, on file systems with locks.

    Raises:
        OutputError: Another run does.

    """
    new = _beside(location)
    if new is None or not new.parent.is_dir():
        yield
        return
    try:
        with temporary_lock(new.with_name(f"{new.name}.lock"), wait=False):
            yield
    except BlockingIOError:
        raise OutputError(
            f"{location} is being overwritten by another run: expected one at a time; wait for its end, or give another name"
        ) from None


def _beside(location: str) -> Path | None:
    """Return the hidden folder beside an output; None where there can be none, or it could not take the place of the output."""
    local = local_path(location)
    if local is None:
        return None
    target = Path(os.path.realpath(absolute_path(local)))  # a link stays, for results on another disk
    if target.is_mount() or not os.access(target.parent, os.W_OK):
        return None
    return target.with_name(f".{target.name}.bmz-new")
