"""The folder of the cache where the user names none."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from ..errors import SourceError
from .user_folders import NAME, user_folder

__all__ = ["default_cache_folder"]


def default_cache_folder() -> Path:
    """Return the folder for files from URLs among the caches of the user.

    Raises:
        SourceError: The user has no home, and the folder among the temporary files is not the user's own.

    """
    return user_folder("caches") or _among_temporary_files()


def _among_temporary_files() -> Path:
    """Return a folder that only the user can have filled: anyone may make folders of any name among temporary files."""
    folder = Path(tempfile.gettempdir())
    if not hasattr(os, "geteuid"):  # no POSIX system: temporary files are those of one user
        return folder / NAME
    folder /= f"{NAME}-{os.geteuid()}"
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise SourceError(
            f"the cache folder {folder} cannot be made: {error.strerror or error}; the environment variable BMZ_CACHE names another folder"
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise SourceError(
            f"the cache folder {folder} is not used, since another user made it or may write to it: expected a folder that only "
            "you may write to; remove it, or name another folder in the environment variable BMZ_CACHE"
        )
    return folder
