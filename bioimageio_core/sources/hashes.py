"""SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..errors import HashMismatchError

__all__ = ["sha256_of", "verify_sha256"]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 lower-case hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify_sha256(path: Path, expected: str, *, name: str) -> None:
    """Raise HashMismatchError where ``path`` is not the file that the description names ``name``."""
    found = sha256_of(path)
    if found != expected.strip().lower():
        raise HashMismatchError(
            f"{name} is not the file that the description names: expected sha256 {expected}, found {found}; "
            "fetch the package again, or correct the sha256 if the file was changed on purpose"
        )
