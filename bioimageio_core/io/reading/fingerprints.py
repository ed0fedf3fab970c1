"""Fingerprints of images, which differ where their content does, made without reading pixels."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from ..locations import file_system, join
from .image import Image
from .readers import without_mask

__all__ = ["fingerprint"]

METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
"""Files of a zarr folder that change with its arrays, apart from chunks."""

LARGEST_HASHED = 2**28
"""Bytes of an array in memory up to which all its values are hashed."""


def fingerprint(image: Image) -> Any:
    """Return JSON values that differ where the content of images differs, as far as that is cheap to find out.

    For a file they are its path, size and time of change; for a zarr array those of its metadata files, so that a change of chunks
    alone is not noticed; for a numpy array of moderate size a hash of all values; for other arrays shape, dtype and name.
    """
    if image.location is not None:
        files, path = file_system(image.location)
        found = {}
        for name in ("", *METADATA):
            place = join(path, name) if name else path
            try:
                info = files.info(place)
            except OSError:
                continue
            if info.get("type") == "file":
                found[name] = [info.get("size"), *(str(info[key]) for key in ("mtime", "ETag", "etag", "LastModified") if key in info)]
        part = {"part": image.part} if image.part else {}
        return {"location": str(path), **part, "files": found, "start": list(image.start), "picked": image.picked and list(image.picked[1])}
    array = getattr(image.reader, "array", None)
    if isinstance(array, np.ndarray) and array.nbytes <= LARGEST_HASHED:
        values = without_mask(array) if isinstance(array, np.ma.MaskedArray) else np.ascontiguousarray(array)
        return hashlib.sha256(values.tobytes()).hexdigest()
    return [list(image.shape), str(image.dtype), str(getattr(array, "name", ""))]
