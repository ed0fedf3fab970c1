"""The folders that systems have for the files of a user, one below it for this library."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

__all__ = ["NAME", "user_folder"]

NAME = "bioimageio_runtime"


def user_folder(kind: Literal["caches", "settings"]) -> Path | None:
    """Return the folder for files of a kind; None where the user has no home."""
    caches = kind == "caches"
    try:
        if sys.platform == "win32":
            variable, below = ("LOCALAPPDATA", "Local") if caches else ("APPDATA", "Roaming")
            return Path(os.environ.get(variable) or Path.home() / "AppData" / below) / NAME
        if sys.platform == "darwin":
            return Path.home() / "Library" / ("Caches" if caches else "Application Support") / NAME
        variable, below = ("XDG_CACHE_HOME", ".cache") if caches else ("XDG_CONFIG_HOME", ".config")
        return Path(os.environ.get(variable) or Path.home() / below) / NAME
    except RuntimeError:
        return None
