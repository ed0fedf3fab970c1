"""Images from ``.npy`` files."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import SourceError
from ..lazy import Lazy
from ..locations import file_system, local_path, stem
from .image import Image, checked_dtype
from .readers import HandleReader

__all__ = ["open_npy"]


def open_npy(location: str) -> Image:
    """Open a ``.npy`` file: a local one is memory mapped, a remote one is read whole.

    Raises:
        SourceError: There is no such file, it is not of this format, or it holds objects.

    """
    handle = Lazy(_load, location)
    try:
        array = handle()
    except FileNotFoundError as error:
        raise SourceError(f"There is no {location}.") from error
    except (OSError, ValueError, EOFError) as error:
        raise SourceError(f"{location} can't be read as .npy: {error}.") from error
    name = stem(location)
    return Image(name=name, shape=array.shape, dtype=checked_dtype(array.dtype, name), reader=HandleReader(handle=handle))


def _load(location: str) -> NDArray[Any]:
    local = local_path(location)
    if local is not None:
        return np.asanyarray(np.load(local, mmap_mode="r", allow_pickle=False))
    files, path = file_system(location)
    with files.open(path, "rb") as file:
        return np.asarray(np.load(file, allow_pickle=False))
