"""Chunks read and written as files: the same as zarr does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

from bioimageio_core.io import ArraySpec, ChunkStore
from bioimageio_core.io.array_io import ArrayIO
from bioimageio_core.io.chunk_files import PARTIAL, ChunkFiles

DATA = np.random.default_rng(0).random((40, 60), dtype=np.float32)

COMPRESSORS: dict[int, tuple[Any, ...]] = {
    2: (None, numcodecs.Blosc(), numcodecs.Zstd(), numcodecs.GZip(), numcodecs.LZ4(), numcodecs.Zlib(), numcodecs.BZ2()),
    3: (
        None,
        GzipCodec(),
        ZstdCodec(level=3),
        ZstdCodec(checksum=True),
        *(BloscCodec(cname=name, shuffle=shuffle) for name in ("lz4", "zstd") for shuffle in ("noshuffle", "shuffle", "bitshuffle")),
        (BloscCodec(cname="lz4"), GzipCodec()),
    ),
}


@st.composite
def arrays(draw: st.DrawFn) -> dict[str, Any]:
    """Return arguments of ``zarr.create_array`` for arrays that are read and written as files."""
    version = draw(st.sampled_from([2, 3]))
    ndim = draw(st.integers(1, 3))
    kind = np.dtype(draw(st.sampled_from(["u1", "i2", "u2", "f2", "i4", "f4", "f8", "u8", "?", "c8"])))
    more: dict[str, Any] = {}
    order = draw(st.sampled_from("<>")) if kind.itemsize > 1 else "|"
    if version == 2:
        kind = kind.newbyteorder(order)
        more["chunk_key_encoding"] = {"name": "v2", "separator": draw(st.sampled_from("./"))}
    elif kind.itemsize > 1:
        more["serializer"] = BytesCodec(endian="big" if order == ">" else "little")
    return {
        "shape": tuple(draw(st.integers(1, 13)) for _ in range(ndim)),
        "chunks": tuple(draw(st.integers(1, 8)) for _ in range(ndim)),
        "dtype": kind,
        "zarr_format": version,
        "compressors": draw(st.sampled_from(COMPRESSORS[version])),
        "fill_value": draw(st.sampled_from([0, 1])),
        **more,
    }


def values(spec: dict[str, Any]) -> np.ndarray:
    """Return values for an array, some of whose chunks hold the fill value alone."""
    random = np.random.default_rng(1).integers(0, 3, spec["shape"]).astype(spec["dtype"])
    random[: spec["chunks"][0]] = spec["fill_value"]
    return random


def files_below(folder: Path) -> dict[str, bytes]:
    """Return the content of chunks by name."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "zarr" not in p.name and p.name[0] != "."
    }


class TestSameAsZarr:
    """Files that one writes, the other reads."""

    @given(spec=arrays(), data=st.data())
    @settings(max_examples=150)
    def test_reads_what_zarr_writes(self, tmp_path_factory: pytest.TempPathFactory, spec: dict[str, Any], data: st.DataObject) -> None:
        """Any region is that of the array, in its dtype."""
        array = zarr.create_array(str(tmp_path_factory.mktemp("zarr")), **spec)
        written = values(spec)
        array[...] = written
        files = ChunkFiles.of(array)
        assert files is not None
        starts = [data.draw(st.integers(0, n - 1)) for n in written.shape]
        index = tuple(slice(a, data.draw(st.integers(a + 1, n))) for a, n in zip(starts, written.shape, strict=True))
        read = files.read(index)
        assert read.dtype == array.dtype
        assert read.flags.writeable
        np.testing.assert_array_equal(read, written[index])

    @given(spec=arrays())
    @settings(max_examples=150)
    def test_writes_what_zarr_writes(self, tmp_path_factory: pytest.TempPathFactory, spec: dict[str, Any]) -> None:
        """There are the same files, which hold the same values; those of Blosc and Zstd are the same bytes."""
        ours, theirs = (tmp_path_factory.mktemp(name) for name in ("ours", "theirs"))
        array, other = (zarr.create_array(str(folder), **spec) for folder in (ours, theirs))
        files = ChunkFiles.of(array)
        assert files is not None
        written = values(spec)
        files.write(tuple(slice(0, n) for n in written.shape), written)
        other[...] = written
        np.testing.assert_array_equal(zarr.open_array(str(ours))[...], written)
        assert sorted(files_below(ours)) == sorted(files_below(theirs))
        if not isinstance(spec["compressors"], tuple | GzipCodec | numcodecs.GZip):  # which hold the time
            assert files_below(ours) == files_below(theirs)


class TestLayoutsOfZarrAlone:
    """What is stored in another way is left to zarr."""

    @pytest.mark.parametrize(
        "more",
        [
            {"shards": (16, 16)},
            {"filters": [TransposeCodec(order=(1, 0))]},
            {"compressors": [ZstdCodec(), Crc32cCodec()]},
            {"zarr_format": 2, "order": "F"},
            {"zarr_format": 2, "filters": [numcodecs.Delta(dtype="<f4")]},
        ],
        ids=["shards", "transposed", "checksums", "column-major", "filters"],
    )
    def test_zarr_reads_and_writes(self, tmp_path: Path, more: dict[str, Any]) -> None:
        """Values are right all the same."""
        array = zarr.create_array(str(tmp_path), shape=DATA.shape, chunks=(8, 8), dtype="float32", **more)
        assert ChunkFiles.of(array) is None
        opened = ArrayIO(array)
        opened.write((slice(0, 40), slice(0, 60)), DATA)
        np.testing.assert_array_equal(opened.read((slice(3, 40), slice(0, 50))), DATA[3:, :50])

    def test_stores_in_memory(self) -> None:
        """They have no files."""
        array = zarr.create_array({}, shape=DATA.shape, chunks=(8, 8), dtype="float32")
        assert ChunkFiles.of(array) is None


class TestFillValues:
    """Chunks of fill value alone have no file."""

    @pytest.mark.parametrize("fill", [0.0, np.nan, np.inf, 2.5])
    def test_chunk_becomes_fill(self, tmp_path: Path, fill: float) -> None:
        """A file of values that were there before is removed."""
        array = zarr.create_array(str(tmp_path), shape=(4, 8), chunks=(4, 4), dtype="float32", fill_value=fill)
        files = ChunkFiles.of(array)
        assert files is not None
        index = (slice(0, 4), slice(0, 8))
        files.write(index, np.full((4, 8), 7, np.float32))
        block = np.full((4, 8), fill, np.float32)
        block[0, 5] = 7
        files.write(index, block)
        assert sorted(files_below(tmp_path)) == ["c/0/1"]
        np.testing.assert_array_equal(zarr.open_array(str(tmp_path))[...], block)

    def test_negative_zero(self, tmp_path: Path) -> None:
        """It is another value than zero."""
        array = zarr.create_array(str(tmp_path), shape=(4,), chunks=(4,), dtype="float32")
        files = ChunkFiles.of(array)
        assert files is not None
        files.write((slice(0, 4),), np.full(4, -0.0, np.float32))
        assert np.signbit(files.read((slice(0, 4),))).all()


class TestFailures:
    """What cannot be read or written is raised, and leaves nothing half written."""

    @pytest.mark.parametrize("count", [15, 17, 3])
    def test_other_sizes(self, tmp_path: Path, count: int) -> None:
        """A file with fewer or more values than a chunk is refused."""
        array = zarr.create_array(str(tmp_path), shape=(4, 4), chunks=(4, 4), dtype="uint16", compressors=None)
        array[...] = 1
        (tmp_path / "c" / "0" / "0").write_bytes(bytes(2 * count))
        files = ChunkFiles.of(array)
        assert files is not None
        with pytest.raises(ValueError, match=r"cannot reshape array of size"):
            files.read((slice(0, 4), slice(0, 4)))

    def test_folder_is_a_file(self, tmp_path: Path) -> None:
        """An error of the system is raised as it is."""
        array = zarr.create_array(str(tmp_path), shape=(8, 8), chunks=(4, 4), dtype="float32")
        (tmp_path / "c").write_text("a file where a folder has to be")
        files = ChunkFiles.of(array)
        assert files is not None
        with pytest.raises(OSError, match="c"):
            files.write((slice(0, 8), slice(0, 8)), np.ones((8, 8), np.float32))

    def test_nothing_half_written(self, tmp_path: Path) -> None:
        """If a file cannot take its name, its temporary file is removed."""
        array = zarr.create_array(str(tmp_path), shape=(4,), chunks=(4,), dtype="float32")
        (tmp_path / "c" / "0" / "taken").mkdir(parents=True)
        files = ChunkFiles.of(array)
        assert files is not None
        with pytest.raises(OSError, match="0"):
            files.write((slice(0, 4),), np.ones(4, np.float32))
        assert not list(tmp_path.rglob(f"*{PARTIAL}"))


class TestThreads:
    """Which thread touches files."""

    def test_many_threads(self, tmp_path: Path) -> None:
        """Threads write chunks of their own at once."""
        made = zarr.create_array(str(tmp_path / "b"), shape=DATA.shape, chunks=(4, 60), dtype="float32")
        here = ArrayIO(made)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda y: here.write((slice(y, y + 4), slice(0, 60)), DATA[y : y + 4]), range(0, 40, 4)))
        np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "b"))[...], DATA)

    def test_it_is_this_thread(self, tmp_path: Path) -> None:
        """Small chunks are read and written by the thread that asks: no other thread exists meanwhile."""
        made = zarr.create_array(str(tmp_path / "b"), shape=DATA.shape, chunks=(7, 9), dtype="float32")
        here, before = ArrayIO(made), set(threading.enumerate())
        here.write((slice(0, 40), slice(0, 60)), DATA)
        np.testing.assert_array_equal(here.read((slice(0, 40), slice(0, 60))), DATA)
        assert set(threading.enumerate()) <= before

    def test_releases_without_a_config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where arrays lack `with_config`, as before zarr 3.1.6, blocks of shards with and without fill values are written alike."""
        monkeypatch.delattr(zarr.Array, "with_config", raising=False)
        store = ChunkStore(str(tmp_path))
        store.create(ArraySpec(name="a", shape=DATA.shape, dtype="float32", axes=("y", "x"), chunks=(10, 10), shards=(20, 20)))
        block = np.where(DATA < 0.5, 0, DATA)
        for y in (0, 20):
            store.write("a", (y, 0), block[y : y + 20] + (y == 0))
        np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "a"))[...], block + (np.arange(40) < 20)[:, None])
