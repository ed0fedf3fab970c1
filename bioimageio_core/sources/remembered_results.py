"""Measurements that are kept between processes, in the folder of what is fetched from URLs: ``measured/1234....json``."""

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
    """Return what was kept of something; None where nothing was, or it cannot be read.

    Args:
        of: JSON values that tell what was measured, and how, from all else.

    """
    try:
        return json.loads(_path(of).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def remember_result(of: list[Any], measured: dict[str, Any]) -> None:
    """Keep JSON values; where the folder cannot be written they are not kept, and that is all."""
    path = _path(of)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(measured, indent=1), overwrite=True)
    except (OSError, BioimageioError):
        return


def _path(of: list[Any]) -> Path:
    return cache_from_environment().folder / "measured" / f"{hashlib.sha256(json.dumps(of).encode()).hexdigest()}.json"
