"""Fingerprints of images, which differ where their content does."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...text import without_secrets
from ..locations import file_system, join
from .image import Image
from .rescaled import Resampler

__all__ = ["fingerprint"]

METADATA = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
"""Files of a zarr folder that change with its arrays, apart from chunks."""

LARGEST_HASHED = 2**28
"""Bytes of an array up to which all its values are hashed; of a larger one, some are."""

SAMPLES = 256
"""Number of regions of a larger array that are hashed."""

SAMPLE = 64
"""Pixels of such a region along the last two axes; along others it has one."""

VERSIONS = ("mtime", "ETag", "etag", "LastModified")
"""What file systems call the version of a file."""


def fingerprint(image: Image) -> Any:
    """Return JSON values that differ where images or their axes differ, as far as that can be found out without reading whole files.

    Of a file they have the path, size and time of change; of a zarr array those of its metadata files, so that a change of chunks
    alone is not noticed; of a dask array its name, which is a hash of its graph. Other arrays are read: completely, or large ones in parts.
    """
    return {
        "axes": None if image.axes is None else list(image.axes),
        "shape": list(image.shape),
        "dtype": str(image.dtype),
        "pixels": _pixels(image),
    }


def _pixels(image: Image) -> Any:
    if isinstance(image.reader, Resampler):
        return {"resampled": list(image.reader.factors), **_part(image), "of": fingerprint(image.reader.image)}
    if image.location is not None:
        return {**_files(image.location), **_part(image)}
    computed = getattr(image.reader, "content", None)  # of a reader that computes what it reads
    if computed is not None:
        return {"computed": computed, **_part(image)}
    array: Any = getattr(image.reader, "array", None)
    graph = _name_of_graph(array)
    if graph is not None:
        return {"graph": graph, **_part(image)}
    if type(array).__module__.partition(".")[0] == "h5py" and Path(array.file.filename).is_file():
        return {**_files(str(Path(array.file.filename).resolve())), "dataset": array.name, **_part(image)}
    return _digest(image)


def _part(image: Image) -> dict[str, Any]:
    """Return which part of its source an image is."""
    return {"part": image.part, "start": list(image.start), "picked": image.picked and [image.picked[0], list(image.picked[1])]}


def _files(location: str) -> dict[str, Any]:
    files, path = file_system(location)
    found = {}
    for name in ("", *METADATA):
        place = join(path, name) if name else path
        try:
            info = files.info(place)
        except OSError:
            continue
        if info.get("type") == "file":
            found[name] = [info.get("size"), *(str(info[key]) for key in VERSIONS if key in info)]
    shown = without_secrets(str(path))
    apart = {} if shown == str(path) else {"url": hashlib.sha256(str(path).encode()).hexdigest()}  # of which tokens are not recorded
    return {"location": shown, **apart, "files": found}


def _name_of_graph(array: Any) -> str | None:
    """Return the name of a dask array, also within xarray, which tells its graph from others; None for other arrays."""
    if not hasattr(type(array), "__dask_graph__") or array.__dask_graph__() is None:
        return None
    return str(getattr(array, "data", array).name if hasattr(array, "dims") else array.name)


def _digest(image: Image) -> str:
    """Return a hash of all pixels of an image, or of some of a large one."""
    digest = hashlib.sha256()
    for region in _regions(image):
        digest.update(image.read(region).tobytes())
    return digest.hexdigest()


def _regions(image: Image) -> Iterator[tuple[slice, ...]]:
    if math.prod(image.shape) * image.dtype.itemsize <= LARGEST_HASHED:
        yield tuple(slice(0, size) for size in image.shape)
        return
    extents = [min(size, SAMPLE if n >= len(image.shape) - 2 else 1) for n, size in enumerate(image.shape)]
    number = random.Random(0).random  # noqa: S311  (no secret; of all that `random` has, only this is the same in every release of Python)
    for _ in range(SAMPLES):
        starts = [int(number() * (size - extent + 1)) for size, extent in zip(image.shape, extents, strict=True)]
        yield tuple(slice(start, start + extent) for start, extent in zip(starts, extents, strict=True))
