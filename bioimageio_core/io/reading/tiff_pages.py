"""Regions of TIFF files, read strip by strip or TIFF tile by TIFF tile."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...errors import MissingRequirementError, SourceError
from ...text import in_brief
from ..locations import file_system, local_path
from .scenes import FOR_ALL, Scene, SceneChoice, choose_scene
from .tiff_damage import damage_in_one_sentence
from .tiff_planes import check_last_page, check_planes
from .tiff_series import series_of_tiff

if TYPE_CHECKING:
    import tifffile

__all__ = ["TiffArray", "open_tiff_array", "scenes_in"]


def open_tiff_array(location: str, level: int | None, wanted: SceneChoice) -> TiffArray:
    """Open a series of a TIFF file, at a level of its pyramid."""
    with damage_in_one_sentence(location):
        tiff, opened = _open(location)
        try:
            return _chosen(tiff, opened, location, level, wanted)
        except Exception:
            _close(tiff, opened)
            raise


def _chosen(tiff: tifffile.TiffFile, opened: Any, location: str, level: int | None, wanted: SceneChoice) -> TiffArray:
    local = local_path(location)
    number = level or 0
    if not tiff.series:
        raise SourceError(f"{location} is a TIFF file without images")
    check_last_page(tiff, location)
    chosen = choose_scene(series_of_tiff(tiff), wanted, location, other_way=FOR_ALL).number
    series = tiff.series[chosen]
    if not 0 <= number < len(series.levels):
        raise SourceError(
            f"{location} has {len(series.levels)} level{'s' * (len(series.levels) != 1)}, counted from 0: found level {number}"
        )
    series = series.levels[number]
    mapped = None
    if local is not None and series.dataoffset is not None and series.size:
        dtype = np.dtype(tiff.byteorder + series.keyframe.dtype.char)
        mapped = np.memmap(local, dtype, "r", series.dataoffset, tuple(series.shape))
    return TiffArray(tiff=tiff, opened=opened, number=chosen, series=series, mapped=mapped)


def scenes_in(location: str) -> tuple[Scene, ...]:
    """Return the scenes of a TIFF file."""
    with damage_in_one_sentence(location):
        tiff, opened = _open(location)
        try:
            found = series_of_tiff(tiff)
            check_last_page(tiff, location)
            return found
        finally:
            _close(tiff, opened)


def _open(location: str) -> tuple[tifffile.TiffFile, Any]:
    """Open a file; return also what tifffile reads it through."""
    import tifffile

    opened: Any = local_path(location)
    if opened is None:
        files, path = file_system(location)
        opened = files.open(path, "rb")
    tiff = tifffile.TiffFile(opened)
    try:
        check_planes(tiff, location)
    except SourceError:
        _close(tiff, opened)
        raise
    # Pages are parsed while reading: without a lock two threads would move one file position.
    tiff.filehandle.set_lock(True)
    return tiff, opened


def _close(tiff: tifffile.TiffFile, opened: Any) -> None:
    tiff.close()
    if hasattr(opened, "close"):
        opened.close()


@attrs.frozen(kw_only=True, eq=False)
class TiffArray:
    """A series of a TIFF file as an array."""

    tiff: tifffile.TiffFile
    opened: Any
    number: int
    """Number of the series."""

    series: tifffile.TiffPageSeries
    mapped: NDArray[Any] | None
    """The complete series, if it is contiguous and uncompressed in a local file."""

    def close(self) -> None:
        """Close the file."""
        _close(self.tiff, self.opened)

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of a strip or TIFF tile along the axes of the series, None where the series is memory mapped."""
        if self.mapped is not None:
            return None
        page = self.series.keyframe
        page_chunks = tuple(page.chunks) if len(page.chunks) == len(page.shape) else tuple(page.shape)
        return (1,) * (len(self.series.shape) - len(page_chunks)) + page_chunks

    def __getitem__(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Return a region; slices have start and stop in range and no step."""
        if self.mapped is not None:
            return self.mapped[index]
        try:
            return self._from_pages(index)
        except Exception as error:
            if "imagecodecs" in str(error):
                raise MissingRequirementError(f"{self.tiff.filename} needs imagecodecs ({error}): pip install imagecodecs") from error
            if isinstance(error, OSError | MemoryError):
                raise
            raise SourceError(f"{self.tiff.filename} is damaged, or of a kind that cannot be read: {error}") from error

    def _from_pages(self, index: tuple[slice, ...]) -> NDArray[Any]:
        series = self.series
        page_shape = tuple(series.keyframe.shape)
        lead = tuple(series.shape[: len(series.shape) - len(page_shape)])
        if series.shape[len(lead) :] != page_shape or math.prod(lead) != len(series.pages):
            # Layouts other than one page after another are left to tifffile, which knows them all.
            return np.asarray(series.asarray(maxworkers=1))[index]
        out = np.zeros([s.stop - s.start for s in index], series.dtype)
        within = index[len(lead) :]
        for position in itertools.product(*(range(s.start, s.stop) for s in index[: len(lead)])):
            number = int(np.ravel_multi_index(position, lead)) if lead else 0
            page = series.pages[number]
            # OME-TIFF may leave out planes, which are black.
            if page is not None:
                target = tuple(i - s.start for i, s in zip(position, index, strict=False))
                out[target] = self._from_page(page, within)
        return out

    def _from_page(self, page: Any, within: tuple[slice, ...]) -> NDArray[Any]:
        key = page.keyframe
        lock = self.tiff.filehandle.lock
        if key.is_contiguous or key.jpegheader is not None or len(page.dataoffsets) <= 1:
            return np.asarray(page.asarray(lock=lock, maxworkers=1))[within]
        spans, shape = _five_axes(key, within)
        sizes = (key.tiledepth, key.tilelength, key.tilewidth) if key.is_tiled else (1, key.rowsperstrip, key.imagewidth)
        counts = [-(-n // size) for n, size in zip(key.shaped[1:4], sizes, strict=True)]
        ranges = [range(s.start // n, -(-s.stop // n)) for s, n in zip(spans[1:4], sizes, strict=True)]
        wanted = [
            ((s * counts[0] + d) * counts[1] + row) * counts[2] + column
            for s, d, row, column in itertools.product(range(spans[0].start, spans[0].stop), *ranges)
        ]
        out = np.zeros(shape, key.dtype)
        with lock:  # the decoder is made once per file; only newer releases have a method for it
            key.init_decode() if hasattr(key, "init_decode") else key.decode
        offsets = [page.dataoffsets[i] for i in wanted]
        lengths = [page.databytecounts[i] for i in wanted]
        for data, i in self.tiff.filehandle.read_segments(offsets, lengths, wanted, lock=lock):
            try:
                segment, position, _ = key.decode(data, i, jpegtables=page.jpegtables)
            except Exception as error:  # codecs raise errors of many kinds
                raise ValueError(f"{'tile' if key.is_tiled else 'strip'} {i} of page {page.index}: {in_brief(error)}") from error
            if segment is not None:
                _paste(out, spans, segment, position)
            elif key.nodata:
                _paste(out, spans, np.full((*sizes, key.shaped[4]), key.nodata, key.dtype), position)
        # The axes that the page's own shape leaves out have size 1.
        return out.reshape([s.stop - s.start for s in within])


def _five_axes(key: Any, within: tuple[slice, ...]) -> tuple[list[slice], list[int]]:
    """Return the region along tifffile's five axes of a page: separate samples, depth, length, width, contiguous samples."""
    given = dict(zip(key.axes, within, strict=True))
    samples = given.get("S", slice(0, 1))
    contiguous = key.shaped[4] > 1
    spans = [
        slice(0, 1) if contiguous else samples,
        given.get("Z", slice(0, 1)),
        given.get("Y", slice(0, 1)),
        given.get("X", slice(0, 1)),
        samples if contiguous else slice(0, 1),
    ]
    return spans, [s.stop - s.start for s in spans]


def _paste(out: NDArray[Any], spans: list[slice], segment: NDArray[Any], position: tuple[int, ...]) -> None:
    """Copy the part of a segment (depth, length, width, samples) at a position that lies within the spans."""
    s, depth, length, width, _ = position
    source, target = [], []
    for span, begin, size in zip(spans[1:4], (depth, length, width), segment.shape[:3], strict=True):
        low, high = max(span.start, begin), min(span.stop, begin + size)
        source.append(slice(low - begin, high - begin))
        target.append(slice(low - span.start, high - span.start))
    out[(s - spans[0].start, *target)] = segment[(*source, spans[4])]
