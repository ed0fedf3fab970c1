"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .errors import OutputError

__all__ = ["write_bytes", "write_text"]


def write_text(path: str | Path, text: str, *, overwrite: bool) -> None:
    """Write a file in UTF-8; it appears under its name when all of it is written.

    Args:
        path: Where to; ``~`` stands for the home of the user.
        text: Its content, with line feeds only.
        overwrite: Replace a file that is there.

    Raises:
        OutputError: There is such a file already, or it can not be written.

    """
    write_bytes(path, text.encode("utf-8"), overwrite=overwrite)


def write_bytes(path: str | Path, content: bytes, *, overwrite: bool) -> None:
    """Write a file; it appears under its name when all of it is written.

    Args:
        path: Where to; ``~`` stands for the home of the user.
        content: What to write.
        overwrite: Replace a file that is there.

    Raises:
        OutputError: There is such a file already, or it can not be written.

    """
    target = Path(path).expanduser()
    try:
        if target.is_dir():
            raise OutputError(f"{path} is a folder: expected the name of a file")
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", suffix=".part", dir=target.parent) as folder:
            part = Path(folder) / target.name  # a new file, so that it gets the permissions that new files get
            part.write_bytes(content)
            if overwrite:
                part.replace(target)
            else:
                _move_to_new(part, target)
    except FileExistsError:
        raise OutputError(f"{path} exists already: expected a new file; allow to overwrite it, or choose another name") from None
    except OutputError:
        raise
    except OSError as error:
        raise OutputError(f"{path} can not be written: {error.strerror or error}") from None


def _move_to_new(part: Path, target: Path) -> None:
    try:
        os.link(part, target)  # unlike renaming, this does not replace what came in between
    except FileExistsError:
        raise
    except OSError:  # of a file system without links
        if target.exists():
            raise FileExistsError from None
        part.replace(target)
