"""Files and folders that are of no format of images or models."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

__all__ = ["write_other_file"]

CONTENTS = {"nothing": b"", "text": b"name: a model of another kind\n", "noise": bytes(range(256)) * 4}


def write_other_file(path: Path, content: str) -> None:
    """Write a file that has the right name and nothing else.

    Args:
        path: The file.
        content: ``nothing``, ``text``, ``noise``, ``zip`` or ``folder``.

    """
    if content == "folder":
        path.mkdir()
        (path / "nothing.txt").write_text("nothing")
    elif content == "zip":
        with ZipFile(path, "w") as archive:
            archive.writestr("nothing.txt", "nothing")
    else:
        path.write_bytes(CONTENTS[content])
