"""What a disk would hold after a loss of power: a record of all that a process had written to it for certain."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

__all__ = ["RecordedDisk", "Synced", "recorded_disk", "synced_content"]

Synced: TypeAlias = tuple[int, bytes | dict[str, tuple[int, bool]]]
"""A file (its inode), and its content: bytes, or of a folder, by name, inodes and whether each is a folder."""


def synced_content(root: Path, file: int) -> Synced | None:
    """Return what a call of `os.fsync` made certain of an open file; None where it is not below the folder."""
    path = Path(f"/proc/self/fd/{file}").resolve()
    if path != root and root not in path.parents:
        return None
    content = {p.name: (p.stat().st_ino, p.is_dir()) for p in path.iterdir()} if path.is_dir() else path.read_bytes()
    return os.fstat(file).st_ino, content


class RecordedDisk:
    """Calls of `os.fsync` below a folder, in order, with what each of them made certain."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.synced: list[Synced] = []

        self.written: list[dict[str, bytes]] = []
        """At each call, all files below the folder, as programs see them."""

    def add(self, file: int) -> None:
        """Record a call for an open file."""
        found = synced_content(self.root, file)
        if found is None:
            return
        self.written.append({str(p.relative_to(self.root)): p.read_bytes() for p in self.root.rglob("*") if p.is_file()})
        self.synced.append(found)

    def restore(self, calls: int, folder: Path, *, lucky: frozenset[str] = frozenset()) -> None:
        """Write what the disk holds if power is lost after some of the calls: files of unknown content are empty.

        Args:
            calls: Number of calls that succeeded.
            folder: An empty folder, which becomes the recorded one.
            lucky: Files that the system happened to write to the disk by then, with all folders above.

        """
        known = dict(self.synced[:calls])
        self._restore(self.root.stat().st_ino, folder, known)
        for name, content in (self.written[calls - 1] if calls and lucky else {}).items():
            if name in lucky:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)

    def _restore(self, inode: int, folder: Path, known: dict[int, bytes | dict[str, tuple[int, bool]]]) -> None:
        names = known.get(inode, {})
        assert isinstance(names, dict)
        for name, (child, is_folder) in names.items():
            if is_folder:
                (folder / name).mkdir()
                self._restore(child, folder / name, known)
            else:
                content = known.get(child, b"")
                assert isinstance(content, bytes)
                (folder / name).write_bytes(content)


@contextmanager
def recorded_disk(root: Path) -> Iterator[RecordedDisk]:
    """Record what is written to the disk for certain below a folder, within the block; Linux only."""
    import pytest  # here, as runs that record their own disk import this module, too

    record, sync = RecordedDisk(root), os.fsync

    def fsync(file: int) -> None:
        sync(file)
        record.add(file)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        yield record
