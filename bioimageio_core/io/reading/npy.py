"""Images from ``.npy`` files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..lazy import Lazy
from ..locations import file_system, local_path, opening_errors, stem
from .image import Image, checked_dtype
from .readers import HandleReader
from .scenes import SceneChoice, check_single

__all__ = ["MAGIC", "open_npy"]

MAGIC = b"\x93NUMPY"
"""The first bytes of a file."""

_PARSING = Lock()
"""Held while numpy parses the header of a local file as Python code: before 3.11.9 and 3.12.3, Python may raise a SystemError when two
threads parse. Files of servers do not wait for each other: their threads hardly ever parse at the same time."""


def open_npy(location: str, level: int | None, scene: SceneChoice) -> Image:
    """Open a ``.npy`` file: a local one is memory mapped, a remote one is read completely.

    Args:
        location: Path or URL.
        level: None or 0: the file holds one resolution.
        scene: None or 0: the file holds one image.

    Raises:
        SourceError: The file does not exist, is not of this format, or holds objects; or its server does not answer.

    """
    check_single(scene, level, location)
    handle = Lazy(_load, location)
    with opening_errors(location, ".npy"):
        array = handle()
    name = stem(location)
    return Image(name=name, shape=array.shape, dtype=checked_dtype(array.dtype, name), reader=HandleReader(handle=handle))


def _load(location: str) -> NDArray[Any]:
    local = local_path(location)
    if local is not None:
        with Path(local).open("rb") as file:
            _check_begin(file, location)
        with _damage(location), _PARSING:
            return np.asanyarray(np.load(local, mmap_mode="r", allow_pickle=False))
    files, path = file_system(location)
    with files.open(path, "rb") as file:
        _check_begin(file, location)
        file.seek(0)
        with _damage(location):
            return np.asarray(np.load(file, allow_pickle=False))


def _check_begin(file: Any, location: str) -> None:
    if file.read(len(MAGIC)) != MAGIC:
        raise SourceError(f"{location} cannot be read as .npy: it does not begin as such files do; correct its name, or fetch it again")


@contextmanager
def _damage(location: str) -> Iterator[None]:
    """Say in one sentence what numpy raises."""
    try:
        yield
    except (EOFError, OverflowError, SyntaxError, TypeError, ValueError) as error:
        if "object" in str(error).lower() and "ast." not in str(error):
            reason = "it holds Python objects, expected real numbers"
        else:
            reason = "its header is damaged, or it ends before its pixels do; fetch it again, or restore it from a backup"
        raise SourceError(f"{location} cannot be read as .npy: {reason}") from error
