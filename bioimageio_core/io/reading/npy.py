"""Images from ``.npy`` files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..lazy import Lazy
from ..locations import file_system, local_path, opening_errors, stem
from .image import Image, checked_dtype
from .readers import HandleReader
from .scenes import SceneChoice, check_single

__all__ = ["open_npy"]


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
        return np.asanyarray(np.load(local, mmap_mode="r", allow_pickle=False))
    files, path = file_system(location)
    with files.open(path, "rb") as file:
        return np.asarray(np.load(file, allow_pickle=False))
