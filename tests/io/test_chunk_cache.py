"""Chunks that are kept."""

from __future__ import annotations

import gc
import pickle
import threading
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.io.reading.chunk_cache import ChunkCache
from bioimageio_core.io.reading.readers import ArrayReader

DATA = np.random.default_rng(0).integers(0, 60000, (23, 31)).astype(">u2")


class Counting:
    """Counts how often each region is read."""

    def __init__(self, fail: bool = False) -> None:
        self.seen: Counter[Any] = Counter()
        self.fail = fail
        self._lock = threading.Lock()

    def read(self, index: tuple[slice, ...]) -> Any:
        """Read."""
        with self._lock:
            self.seen[tuple((s.start, s.stop) for s in index)] += 1
        if self.fail:
            raise OSError("gone")
        return DATA[index]


def cache(reader: Any, limit: int = 10**6) -> ChunkCache:
    """Return a cache of the data in chunks of 5 x 7."""
    return ChunkCache(reader, shape=DATA.shape, chunks=(5, 7), dtype=np.dtype("uint16"), limit=limit)


class TestChunkCache:
    """The law: what is read is what the reader has."""

    @given(data=st.data(), limit=st.sampled_from([0, 70, 200, 10**6]))
    def test_any_regions(self, data: st.DataObject, limit: int) -> None:
        """Any regions in any order, however little is kept."""
        kept = cache(ArrayReader(array=DATA), limit)
        for _ in range(6):
            index = []
            for size in DATA.shape:
                start = data.draw(st.integers(0, size - 1))
                index.append(slice(start, data.draw(st.integers(start, size))))
            np.testing.assert_array_equal(kept.read(tuple(index)), DATA[tuple(index)])

    def test_once(self) -> None:
        """Every chunk is read once where all fit, by many threads too."""
        reader = Counting()
        kept = cache(reader)
        regions = [(slice(y, y + 6), slice(x, x + 8)) for y in range(0, 17, 3) for x in range(0, 23, 3)]
        with ThreadPoolExecutor(8) as pool:
            for region, found in zip(regions, pool.map(kept.read, regions), strict=True):
                np.testing.assert_array_equal(found, DATA[region])
        assert set(reader.seen.values()) == {1}

    def test_oldest_goes(self) -> None:
        """Where not all fit, those used last are kept."""
        reader = Counting()
        kept = cache(reader, limit=2 * 70)
        for x in (0, 7, 0, 14, 0, 7):
            kept.read((slice(0, 5), slice(x, x + 7)))
        assert reader.seen == {((0, 5), (0, 7)): 1, ((0, 5), (7, 14)): 2, ((0, 5), (14, 21)): 1}

    def test_failures_are_not_kept(self) -> None:
        """What could not be read is tried again."""
        reader = Counting(fail=True)
        kept = cache(reader)
        with pytest.raises(OSError, match="gone"):
            kept.read((slice(0, 5), slice(0, 7)))
        reader.fail = False
        np.testing.assert_array_equal(kept.read((slice(0, 5), slice(0, 7))), DATA[:5, :7])

    def test_travels_empty(self) -> None:
        """Copies in other processes begin with nothing."""
        kept = cache(ArrayReader(array=DATA))
        before = len(pickle.dumps(kept))
        kept.read((slice(0, 23), slice(0, 31)))
        assert len(pickle.dumps(kept)) == before
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(kept)).read((slice(3, 9), slice(2, 30))), DATA[3:9, 2:30])

    def test_neighbours_together(self) -> None:
        """Chunks that are missing are read in few boxes; those that are kept already are left out."""
        reader = Counting()
        kept = cache(reader)
        kept.read((slice(0, 10), slice(0, 14)))
        assert list(reader.seen) == [((0, 10), (0, 14))]
        np.testing.assert_array_equal(kept.read((slice(0, 15), slice(0, 21))), DATA[:15, :21])
        assert list(reader.seen)[1:] == [((0, 15), (14, 21)), ((10, 15), (0, 14))]

    def test_a_small_part_reads_its_chunk(self) -> None:
        """What is read at once is bounded by what is wanted."""
        reader = Counting()
        kept = cache(reader)
        np.testing.assert_array_equal(kept.read((slice(4, 6), slice(6, 8))), DATA[4:6, 6:8])
        assert list(reader.seen) == [((0, 5), (0, 7)), ((0, 5), (7, 14)), ((5, 10), (0, 7)), ((5, 10), (7, 14))]

    def test_chunks_are_let_go(self) -> None:
        """However many chunks a region touches, few of them are there at once: they may be far larger than the region."""
        given: list[weakref.ref[Any]] = []
        most = []

        class Tracked(np.ndarray[Any, Any]):
            """An array that can be watched."""

        class Watching:
            """Watches what it gave away."""

            def read(self, index: tuple[slice, ...]) -> Any:
                """Read."""
                gc.collect()
                most.append(sum(ref() is not None for ref in given))
                chunk = np.zeros([s.stop - s.start for s in index], np.uint8).view(Tracked)
                given.append(weakref.ref(chunk))
                return chunk

        kept = ChunkCache(Watching(), shape=(64,) * 4, chunks=(32,) * 4, dtype=np.dtype("uint8"), limit=0)
        kept.read((slice(30, 34),) * 4)
        assert len(most) == 16
        assert max(most) <= 2

    def test_promises_do_not_hold_up_others(self) -> None:
        """While one thread is about to read chunks, those that another has read are let go all the same."""
        began, go_on = threading.Event(), threading.Event()

        class Waiting:
            """Waits at the first chunk."""

            def read(self, index: tuple[slice, ...]) -> Any:
                """Read."""
                if index[0].start == 0:
                    began.set()
                    assert go_on.wait(20)
                return DATA[index]

        kept = cache(Waiting(), limit=70)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(kept.read, (slice(4, 6), slice(6, 8)))
            assert began.wait(20)
            kept.read((slice(10, 23), slice(0, 31)))
            held = kept._bytes
            go_on.set()
            np.testing.assert_array_equal(first.result(), DATA[4:6, 6:8])
        assert held <= 70
