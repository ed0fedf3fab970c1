"""Processes with folders that are mounted for them alone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

__all__ = ["READ_ONLY", "disk_folder", "in_own_mounts"]

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
"""A script that runs a command while a folder, the first argument, is read-only."""


def in_own_mounts(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script that may mount folders, which no other process sees."""
    return subprocess.run(["unshare", "-rm", "sh", "-c", script, *args], capture_output=True, text=True, check=False)


def disk_folder(parent: Path) -> Path:
    """Return a new folder to mount; skip the test where users cannot mount any."""
    disk = parent / "disk"
    disk.mkdir()
    if shutil.which("unshare") is None or in_own_mounts(READ_ONLY, str(disk), "true").returncode:
        pytest.skip("this system mounts no folders for users")
    return disk
