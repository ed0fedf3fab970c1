"""Results that are expensive to find out and are remembered between processes, in the cache folder: ``measured/1234....json``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ..atomic_files import write_text
from ..errors import BioimageioError
from .cache import cache_from_environment

__all__ = ["recall_result", "remember_result"]


def recall_result(of: list[Any]) -> Any:
    """Return a remembered result; None where there is none, or it cannot be read.

    Args:
        of: JSON values that identify what the result is about, and how it was found.

    """
    try:
        return json.loads(_path(of).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # `SourceError` is an OSError
        return None


def remember_result(of: list[Any], result: dict[str, Any]) -> None:
    """Remember JSON values; does nothing where the folder cannot be written."""
    try:
        path = _path(of)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(result, indent=1), overwrite=True)
    except (OSError, BioimageioError):
        return


def _path(of: list[Any]) -> Path:
    return cache_from_environment().folder / "measured" / f"{hashlib.sha256(json.dumps(of).encode()).hexdigest()}.json"
