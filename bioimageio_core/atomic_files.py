"""Files and folders that appear complete or not at all, also after a loss of power.

Content goes into a temporary file or folder beside the target, which takes the name of the target in one step.
It is on the disk before it takes the name, and the name is on the disk before the function returns.
Processes that are killed leave a hidden ``.NAME.HEX.part`` behind, never half a target.
Temporary files have the permissions that the user's umask gives to new files.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .durability import exchanged, sync_folder, sync_tree
from .errors import BioimageioError, OutputError
from .places import local_target

__all__ = [
    "atomic_file",
    "atomic_folder",
    "leftovers",
    "link_or_copy",
    "move_into_place",
    "output_file",
    "remove_folder",
    "temporary_file",
    "write_bytes",
    "write_text",
]

LONGEST = 32
"""Characters of the target's name that a temporary name keeps, so that it is a valid name wherever the target's is."""


def write_text(path: str | Path, text: str, *, overwrite: bool, replaces: tuple[str, Callable[[str], bool]] | None = None) -> None:
    """Write a file in UTF-8 that appears when it is complete.

    Args:
        path: Path of the file, or its URL (``file://``); ``~`` stands for the home of the user.
        text: Its content, with line feeds only.
        overwrite: Replace an existing file.
        replaces: Which files are replaced: what they are in words, and whether a text is the content of one; None for any file.

    Raises:
        OutputError: The file exists and `overwrite` is false, it is another one than those of `replaces`, it cannot be written,
            or it is not on this machine.

    """
    if overwrite and replaces is not None:
        what, is_one = replaces
        target = local_target(path)
        try:
            replaced = not target.is_file() or is_one(target.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            replaced = False
        if not replaced:
            raise OutputError(f"{path} exists and is no {what}, so it is not replaced: choose another name, or remove it yourself")
    write_bytes(path, text.encode("utf-8"), overwrite=overwrite)


def write_bytes(path: str | Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file that appears when it is complete.

    Args:
        path: Path of the file, or its URL (``file://``); ``~`` stands for the home of the user.
        content: Its content.
        overwrite: Replace an existing file.

    Raises:
        OutputError: The file exists and `overwrite` is false, it cannot be written, or it is not on this machine.

    """
    with output_file(path, overwrite=overwrite) as file:
        file.write(content)


@contextmanager
def output_file(path: str | Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """Open a file that a user asks for, as `atomic_file` does.

    Args:
        path: Path of the file, or its URL (``file://``); ``~`` stands for the home of the user.
        overwrite: Replace an existing file.

    Raises:
        OutputError: The file exists and `overwrite` is false, it cannot be written, or it is not on this machine.

    """
    target = local_target(path)
    if target.is_dir():
        raise OutputError(f"{path} is a folder: expected the name of a file")
    try:
        with atomic_file(target, overwrite=overwrite) as file:
            yield file
    except BioimageioError:  # of what is written; some are errors of the system, too
        raise
    except FileExistsError:
        raise OutputError(f"{path} exists already: expected a new file; give overwrite=True (--overwrite) or another name") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


@contextmanager
def atomic_file(path: Path, *, overwrite: bool = True, durable: bool = True) -> Iterator[IO[bytes]]:
    """Open a file for writing bytes; it takes its name at the end of the block, and never does if the block raises.

    Args:
        path: The file; its folder exists.
        overwrite: Replace an existing file.
        durable: False for a file that is worth little after a loss of power: it may then be empty or gone, and costs less.

    Raises:
        FileExistsError: The file exists and `overwrite` is false; of several writers at once exactly one succeeds.
        OSError: The file cannot be written.

    """
    with temporary_file(path.parent, path.name) as part:
        with part.open("r+b") as file:
            yield file
        move_into_place(part, path, overwrite=overwrite, durable=durable)


@contextmanager
def atomic_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Make a folder to write into; it takes its name at the end of the block, and is removed if the block raises.

    Args:
        path: The folder; its parent exists.
        overwrite: Replace an existing folder, whatever it holds; otherwise only an empty one.

    Raises:
        FileExistsError: There is a file of this name, or a folder that must not be replaced.
        OSError: The folder cannot be written.

    """
    part = _temporary_name(path.parent, path.name)
    part.mkdir()
    try:
        yield part
        move_into_place(part, path, overwrite=overwrite)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextmanager
def temporary_file(folder: Path, prefix: str) -> Iterator[Path]:
    """Make an empty file of a new name in a folder; at the end of the block it is removed, unless it was moved away.

    Args:
        folder: An existing folder.
        prefix: A part of the name, for people who find the file.

    """
    part = _temporary_name(folder, prefix)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def leftovers(folder: Path, prefix: str) -> Iterator[Path]:
    """Yield the temporary files of a prefix in a folder; while no process writes, these were left by killed processes."""
    yield from folder.glob(f".{glob.escape(prefix[:LONGEST])}.*.part")


def move_into_place(part: Path, path: Path, *, overwrite: bool, durable: bool = True) -> None:
    """Give a complete file or folder its final name, after its content is on the disk.

    Args:
        part: The file or folder, on the file system of `path`.
        path: The final name.
        overwrite: Replace what is there, if it is of the same kind; otherwise only an empty folder is replaced, by a folder.
        durable: False leaves it to the system when the content and the name are written to the disk.

    Raises:
        FileExistsError: There is something that must not be replaced.
        OSError: The move failed; what was there stays.

    """
    if durable:
        sync_tree(part)
    if part.is_dir():
        _move_folder(part, path, overwrite=overwrite)
    elif overwrite:
        part.replace(path)
    else:
        _move_to_new(part, path)
    if durable:
        sync_folder(path.parent)


def link_or_copy(file: Path, path: Path) -> None:
    """Give a file a second name, by a hard link where the file systems allow it, else by a copy.

    A symbolic link would not do: frameworks follow it and look for further files beside the original.
    A file that another thread put at `path` meanwhile stays.
    """
    source = file.resolve()
    try:
        os.link(source, path)
    except FileExistsError:
        pass
    except OSError:  # on different file systems, or one without links
        with source.open("rb") as content, atomic_file(path) as target:
            shutil.copyfileobj(content, target)


def _temporary_name(folder: Path, name: str) -> Path:
    return folder / f".{name[:LONGEST]}.{uuid.uuid4().hex}.part"


def _move_folder(part: Path, path: Path, *, overwrite: bool) -> None:
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise FileExistsError(f"{path} is not a folder")
    if path.is_dir() and not overwrite:
        with contextlib.suppress(OSError):  # of a folder with content
            path.rmdir()  # systems differ in whether a rename replaces an empty folder
    if not path.is_dir():
        part.rename(path)
        return
    if not overwrite:
        raise FileExistsError(f"{path} exists and is not empty: expected no folder, or an empty one")
    if exchanged(part, path):
        remove_folder(part)
        return
    old = _temporary_name(path.parent, path.name)
    path.rename(old)
    try:
        part.rename(path)
    except OSError:
        old.rename(path)
        raise
    remove_folder(old)


def remove_folder(path: Path) -> None:
    """Remove a folder as far as possible; its name is gone in one step, so that nothing takes what is left of it for the whole.

    Other processes may still write into it for a moment.
    """
    removed = _temporary_name(path.parent, path.name)
    try:
        if path.is_symlink() or not path.is_dir():
            return
        path.rename(removed)
    except OSError:  # the folder above cannot be written
        removed = path
    for _ in range(3):
        shutil.rmtree(removed, ignore_errors=True)
        if not removed.exists():
            return


def _move_to_new(part: Path, path: Path) -> None:
    try:
        os.link(part, path)  # unlike a rename, a link never replaces a file that another process made meanwhile
    except FileExistsError:
        raise
    except OSError:  # of a file system without links: claim the name first
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        part.replace(path)
