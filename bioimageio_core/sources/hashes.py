"""SHA-256 of files, computed once for each version of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import HashMismatchError

__all__ = ["FileHashes", "sha256_of", "verify_sha256"]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 lower-case hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class FileHashes:
    """SHA-256 of files by path, size and modification time, so that large files are read once for many predictions."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], str] = {}

    def sha256_of(self, path: Path) -> str:
        """Return the SHA-256 of a file as 64 lower-case hex digits.

        Raises:
            OSError: The file cannot be read.

        """
        found = path.stat()
        version = (str(path), found.st_size, found.st_mtime_ns)
        if version not in self._known:
            self._known[version] = sha256_of(path)
        return self._known[version]


def verify_sha256(path: Path, expected: str, *, name: str) -> None:
    """Raise HashMismatchError where ``path`` is not the file that the description names ``name``."""
    found = sha256_of(path)
    if found != expected.strip().lower():
        raise HashMismatchError(
            f"{name} is not the file that the description names: expected sha256 {expected}, found {found}; "
            "fetch the package again, or correct the sha256 if the file was changed on purpose"
        )
