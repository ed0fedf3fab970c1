"""Writes HDF5 files."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...axis_names import LETTER_OF, SPACE
from ...io import ImageLayout, ReadRegion
from ...resources import allotted_cores
from ...units import METRES
from .plane_rows import read_ahead
from .regions import regions
from .stored_values import check_not_empty, masks_as_bytes, stored_dtype

__all__ = ["DATASET", "Hdf5Writer"]

DATASET = "exported_data"
"""Name of the only dataset: that of results of ilastik."""

LARGEST_CHUNK = 16 * 2**20
"""Bytes of a chunk at most: readers unpack complete chunks, and HDF5 has none of 4 GiB."""

LEVEL = 1
"""Of gzip, the only compression that every reader of HDF5 has."""

AXIS_TYPES = {"channel": 1, **dict.fromkeys(SPACE, 2), "time": 8}
"""Types of axes in axistags of vigra; others have type 0, unknown."""


@attrs.frozen
class Hdf5Writer:
    """Writes HDF5 with one dataset, compressed by gzip.

    Its attributes are those that ilastik (``axistags``), Fiji (``element_size_um``) and HDF5 itself (``DIMENSION_LABELS``) read,
    and ``channel_names``, ``position`` and ``record``, as JSON.
    """

    def check(self, image: ImageLayout) -> None:
        """Refuse an image without pixels.

        Raises:
            ValueError: An axis has size 0.

        """
        check_not_empty(image, "HDF5")

    def write(self, image: ImageLayout, read: ReadRegion, path: Path) -> None:
        """Write an image, a region at a time; chunks are compressed in threads."""
        import h5py

        dtype, shape = stored_dtype(image), image.shape
        chunks = _chunks(image)
        parts = list(regions(shape, chunks, dtype.itemsize))
        deflate = _deflate()
        # Versions of HDF5 before 1.8 (2008) have no attributes of over 64 KiB.
        with h5py.File(path, "w", libver=("v108", "v108")) as file, ThreadPoolExecutor(allotted_cores()) as pool:
            dataset = file.create_dataset(
                DATASET, shape, dtype, chunks=chunks, compression="gzip", compression_opts=LEVEL, shuffle=True, track_times=False
            )
            for axis, name in zip(dataset.dims, image.axes, strict=True):
                axis.label = LETTER_OF.get(name, name)
            dataset.attrs.update(_attributes(image))
            for part, block in zip(parts, read_ahead(masks_as_bytes(image, read), 0, parts), strict=True):
                starts = list(product(*(range(p.start, p.stop, c) for p, c in zip(part, chunks, strict=True))))
                packing = pool.map(partial(_packed, deflate=deflate), _cut(block.astype(dtype, copy=False), chunks))
                for start, packed in zip(starts, packing, strict=True):
                    dataset.id.write_direct_chunk(start, packed)


def _chunks(image: ImageLayout) -> tuple[int, ...]:
    """Return the chunks of the layout, halved along their longest axis until they are small enough."""
    chunks = [min(c, n) for c, n in zip(image.levels[0].chunks, image.shape, strict=True)]
    while prod(chunks) * stored_dtype(image).itemsize > LARGEST_CHUNK:
        longest = chunks.index(max(chunks))
        chunks[longest] = -(-chunks[longest] // 2)
    return tuple(chunks)


def _cut(block: NDArray[Any], chunks: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    """Yield the chunks of a region; HDF5 stores complete chunks, also at the end of an axis."""
    for start in product(*(range(0, n, c) for n, c in zip(block.shape, chunks, strict=True))):
        chunk = block[tuple(slice(a, a + c) for a, c in zip(start, chunks, strict=True))]
        yield np.pad(chunk, [(0, c - n) for c, n in zip(chunks, chunk.shape, strict=True)])


def _deflate() -> Callable[[NDArray[np.uint8]], bytes]:
    """Return the fastest function here that compresses as gzip does: that of libdeflate takes half the time of zlib."""
    try:
        from imagecodecs import deflate_encode
    except ImportError:
        return lambda array: zlib.compress(array.data, LEVEL)
    return lambda array: bytes(deflate_encode(array.tobytes(), level=LEVEL))


def _packed(chunk: NDArray[Any], deflate: Callable[[NDArray[np.uint8]], bytes]) -> bytes:
    """Return a chunk as HDF5 stores it: the first bytes of all elements, then the second ones, and so on, compressed."""
    return deflate(np.ascontiguousarray(chunk.reshape(-1).view(np.uint8).reshape(-1, chunk.itemsize).T))


def _attributes(image: ImageLayout) -> dict[str, Any]:
    found: dict[str, Any] = {"axistags": json.dumps({"axes": [_axistag(image, axis) for axis in image.axes]})}
    sizes = [image.pixel_size.get(axis, (0.0, None)) for axis in SPACE if axis in image.axes]
    if sizes and all(unit in METRES for _, unit in sizes):
        micrometres = [size * METRES[unit or ""] / METRES["micrometer"] for size, unit in sizes]
        found["element_size_um"] = np.array([*[1.0] * (3 - len(sizes)), *micrometres])
    if image.channel_names is not None:
        found["channel_names"] = json.dumps(image.channel_names, ensure_ascii=False)
    if image.position:
        found["position"] = json.dumps(dict(image.position))
    if image.record:
        found["record"] = json.dumps(dict(image.record), ensure_ascii=False)
    return found


def _axistag(image: ImageLayout, axis: str) -> dict[str, Any]:
    size, unit = image.pixel_size.get(axis, (0.0, None))
    return {"key": LETTER_OF.get(axis, axis), "typeFlags": AXIS_TYPES.get(axis, 0), "resolution": float(size), "description": unit or ""}
