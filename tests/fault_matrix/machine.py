"""A machine for runs that meet faults: processes of an ordinary user, with a disk of their own that can become full or read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from own_mounts import disk_folder

__all__ = ["Machine"]

DISK_SIZE = 16 << 20
"""Bytes that fit onto the disk."""

MOUNT = 'mount -t tmpfs -o size="$1" disk "$0" && echo mounted && cat'
HERE = Path(__file__).parent


class Machine:
    """Mounts a disk for processes that are started by `command`; a context manager.

    Args:
        folder: A new folder.

    """

    def __init__(self, folder: Path) -> None:
        self.disk = disk_folder(folder)
        self.faults = folder / "faults"
        self.faults.mkdir()

    def __enter__(self) -> Machine:
        mount = ["unshare", "-rm", "sh", "-c", MOUNT, str(self.disk), str(DISK_SIZE)]
        self._keeper = subprocess.Popen(mount, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._keeper.stdout is not None
        if self._keeper.stdout.readline() != "mounted\n" or self.run("true").returncode:
            pytest.skip("this system mounts no disks for users, or lets no process join them")
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        self._keeper.stdin.close()
        self._keeper.wait()
        self._keeper.stdout.close()

    @property
    def seen(self) -> Path:
        """The disk, as processes outside see it."""
        return Path(f"/proc/{self._keeper.pid}/root{self.disk}")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no process read chunks of the image within the block, so that no run ends."""
        (self.faults / "hold").touch()
        try:
            yield
        finally:
            (self.faults / "hold").unlink()

    def command(self, *command: str) -> list[str]:
        """Return a command that runs on the machine, with no other rights than those of the owner of its files."""
        paths = os.pathsep.join((str(HERE / "faulty_process"), str(HERE.parent)))
        user = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "env", f"PYTHONPATH={paths}", f"BMZ_FAULTS={self.faults}")
        return [*self._inside(), *user, *command]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the administrator of the machine, who may mount disks."""
        return subprocess.run([*self._inside(), *command], capture_output=True, text=True, check=False)

    def _inside(self) -> list[str]:
        return ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(self._keeper.pid)]
