"""Writes OME-TIFF files."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from math import ceil, prod
from pathlib import Path
from typing import Any

import attrs
from numpy.typing import NDArray

from ...io import ImageLayout, ImageLevel, ReadRegion
from ...resources import allotted_cores
from ...units import METRES
from .ome_xml import OME_TYPES, ome_xml
from .plane_rows import plane_rows
from .stored_values import as_option, check_has_planes, masks_as_bytes, stored_dtype

__all__ = ["OmeTiffWriter", "needs_big_tiff"]

TILE = 512
SMALLEST_TILE, LARGEST_TILE = 128, 1024
STRIPS = 1024
"""Images without coarser levels, of up to this many pixels along y and x, are stored in strips, which ImageJ opens without Bio-Formats."""

STRIP_BYTES = 2**18
CLASSIC = 2**32 - 2**26
"""Bytes that files hold whose offsets have 32 bits, less a margin for what does not compress and for the metadata of the file."""

BIG = (".btf", ".tf2", ".tf8")
"""Endings of files whose offsets have 64 bits, whatever their size."""

BYTES_PER_PAGE, BYTES_PER_TILE = 1024, 16
"""Upper limits of what a page, and a tile, takes besides its pixels."""

LEVEL = 1
"""Of deflate: level 6 takes more than twice the time, for files that are 5 % smaller."""


@attrs.frozen
class OmeTiffWriter:
    """Writes OME-TIFF: planes in tiles, coarser levels as SubIFDs, compressed by deflate.

    ImageJ, Bio-Formats (Fiji, QuPath), napari and all readers of TIFF know this compression.
    Bio-Formats lacks the predictor of floats, and ImageJ that of deflate in strips, so these are stored without one.
    """

    def check(self, image: ImageLayout) -> None:
        """Refuse an image that OME-TIFF cannot hold.

        Raises:
            ValueError: It has no planes y, x, or a dtype that OME lacks.

        """
        check_has_planes(image, "OME-TIFF")
        dtype = stored_dtype(image)
        if dtype.name not in OME_TYPES:
            advised = "uint32" if dtype.kind in "iu" else "float32"
            raise ValueError(
                f"OME-TIFF holds integers of up to 32 bits, float32 and float64: {image.name!r} is {dtype}; choose {as_option(advised)}"
            )

    def write(self, image: ImageLayout, read: ReadRegion, path: Path) -> None:
        """Write an image, a row of tiles at a time.

        Coarser levels hold the same planes; levels with fewer planes than the finest (z halved) are left out, since OME-TIFF has none.
        """
        import tifffile

        levels = [level for level in image.levels if level.shape[:-2] == image.shape[:-2]]
        read = masks_as_bytes(image, read)
        software = f"bioimageio-runtime {version('bioimageio-runtime')}"
        with tifffile.TiffWriter(path, bigtiff=needs_big_tiff(image, levels, path), ome=False) as tiff:
            for number, level in enumerate(levels):
                first = {"subifds": len(levels) - 1, "description": ome_xml(image, software)} if number == 0 else {"subfiletype": 1}
                pixels = _planes(image, read, number) if _in_strips(levels) else _tiles(image, read, number)
                tiff.write(
                    pixels,
                    shape=(prod(level.shape[:-2]), *level.shape[-2:]),
                    dtype=stored_dtype(image),
                    photometric="minisblack",
                    compression="zlib",
                    compressionargs={"level": LEVEL},
                    metadata=None,
                    software=software,
                    **_storage(image, levels, level),
                    **_resolution(image, level),
                    **first,
                )


def _in_strips(levels: list[ImageLevel]) -> bool:
    return len(levels) == 1 and max(levels[0].shape[-2:]) <= STRIPS


def _tile(level: ImageLevel) -> tuple[int, int]:
    """Return the shape of tiles: that of chunks, where TIFF has such tiles."""
    return (_side(level.chunks[-2]), _side(level.chunks[-1]))


def _side(chunk: int) -> int:
    return chunk if chunk % 16 == 0 and SMALLEST_TILE <= chunk <= LARGEST_TILE else TILE


def _planes(image: ImageLayout, read: ReadRegion, number: int) -> Iterator[NDArray[Any]]:
    return plane_rows(image, read, number, image.levels[number].shape[-2])


def _tiles(image: ImageLayout, read: ReadRegion, number: int) -> Iterator[NDArray[Any]]:
    """Yield tiles, from left to right, then downwards, then by plane; those at the end of an axis may be smaller."""
    height, width = _tile(image.levels[number])
    for band in plane_rows(image, read, number, height):
        for x in range(0, band.shape[1], width):
            yield band[:, x : x + width]


def _storage(image: ImageLayout, levels: list[ImageLevel], level: ImageLevel) -> dict[str, Any]:
    dtype = stored_dtype(image)
    if _in_strips(levels):
        return {"rowsperstrip": max(1, STRIP_BYTES // (level.shape[-1] * dtype.itemsize)), "maxworkers": 1}
    tile = _tile(level)
    return {
        "tile": tile,
        "predictor": dtype.kind in "iu" and dtype.itemsize <= 2,
        "maxworkers": allotted_cores(),
        "buffersize": ceil(level.shape[-1] / tile[1]) * prod(tile) * dtype.itemsize,  # of a row of tiles
    }


def needs_big_tiff(image: ImageLayout, levels: list[ImageLevel], path: Path) -> bool:
    """Return whether offsets need 64 bits, whatever compression gains."""
    total = 0
    for level in levels:
        tiles = ceil(level.shape[-2] / _tile(level)[0]) * ceil(level.shape[-1] / _tile(level)[1])
        page = tiles * (prod(_tile(level)) * stored_dtype(image).itemsize + BYTES_PER_TILE) + BYTES_PER_PAGE
        total += prod(level.shape[:-2]) * page
    return total > CLASSIC or path.suffix.lower() in BIG


def _resolution(image: ImageLayout, level: ImageLevel) -> dict[str, Any]:
    """Return pixels per centimetre, for readers that know only the tags of TIFF."""
    per_centimetre = []
    for axis, number in (("x", -1), ("y", -2)):
        size, unit = image.pixel_size.get(axis, (0.0, None))
        if unit is None or unit not in METRES:
            return {}
        coarser = image.shape[number] / level.shape[number]
        per_centimetre.append(0.01 / (size * coarser * METRES[unit]))
    fits = all(2**-31 < number < 2**31 for number in per_centimetre)
    return {"resolution": tuple(per_centimetre), "resolutionunit": "CENTIMETER"} if fits else {}
