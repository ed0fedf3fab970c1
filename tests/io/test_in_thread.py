"""Reading and writing in the thread that asks: the same as zarr does elsewhere."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.io import ArraySpec, ChunkStore
from bioimageio_core.io.inline_zarr import InlineZarrIO, known_internals

DATA = np.random.default_rng(0).random((40, 60), dtype=np.float32)


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return an array of small chunks."""
    made = zarr.create_array(str(tmp_path_factory.mktemp("zarr") / "a"), shape=DATA.shape, chunks=(7, 9), dtype="float32")
    made[...] = DATA
    return made


def threads_of(monkeypatch: pytest.MonkeyPatch, array: Any, call: Callable[[], Any]) -> set[int]:
    """Return the threads that touch files during a call."""
    seen: set[int] = set()
    opened = Path.open

    def noting(path: Path, *args: Any, **kwargs: Any) -> Any:
        seen.add(threading.get_ident())
        return opened(path, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", noting)
        call()
    return seen


class TestInThread:
    """The law: what zarr reads and writes."""

    @given(data=st.data())
    def test_any_region(self, array: Any, data: st.DataObject) -> None:
        """Any region is what numpy has there."""
        index = []
        for size in DATA.shape:
            start = data.draw(st.integers(0, size - 1))
            index.append(slice(start, data.draw(st.integers(start + 1, size))))
        np.testing.assert_array_equal(InlineZarrIO().read(array, tuple(index)), DATA[tuple(index)])

    def test_many_threads(self, tmp_path: Path) -> None:
        """Threads write chunks of their own at once, on loops that are lent from one to the next."""
        made = zarr.create_array(str(tmp_path / "b"), shape=DATA.shape, chunks=(4, 60), dtype="float32")
        here = InlineZarrIO()
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda y: here.write(made, (slice(y, y + 4), slice(0, 60)), DATA[y : y + 4]), range(0, 40, 4)))
        np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "b"))[...], DATA)

    def test_it_is_this_thread(self, array: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Files are read by the thread that asks."""
        seen = threads_of(monkeypatch, array, lambda: InlineZarrIO().read(array, (slice(0, 40), slice(0, 60))))
        assert seen == {threading.get_ident()}

    def test_other_releases(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a release of zarr whose internals are not known, the public interface reads and writes the same, in zarr's own threads."""
        monkeypatch.setattr(zarr, "__version__", "4.0.0")
        assert not known_internals()
        store = ChunkStore(str(tmp_path))
        store.create(ArraySpec(name="a", shape=DATA.shape, dtype="float32", axes=("y", "x"), chunks=(7, 9)))
        seen = threads_of(monkeypatch, None, lambda: store.write("a", (0, 0), DATA))
        assert threading.get_ident() not in seen
        np.testing.assert_array_equal(store.read("a", (slice(0, 40), slice(0, 60))), DATA)

    @pytest.mark.parametrize("version", ["3.1.4", "4.0.0"])
    def test_releases_without_a_config(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
        """Where arrays lack `with_config`, as before zarr 3.1.6, blocks with and without fill values are written alike."""
        monkeypatch.delattr(zarr.Array, "with_config", raising=False)
        monkeypatch.setattr(zarr, "__version__", version)
        store = ChunkStore(str(tmp_path))
        store.create(ArraySpec(name="a", shape=DATA.shape, dtype="float32", axes=("y", "x"), chunks=(20, 20)))
        block = np.where(DATA < 0.5, 0, DATA)
        for y in (0, 20):
            store.write("a", (y, 0), block[y : y + 20] + (y == 0))
        np.testing.assert_array_equal(zarr.open_array(str(tmp_path / "a"))[...], block + (np.arange(40) < 20)[:, None])

    def test_under_a_running_loop(self, array: Any) -> None:
        """As in a notebook, whose thread runs a loop already: zarr's own way."""

        async def read() -> Any:
            return InlineZarrIO().read(array, (slice(0, 40), slice(0, 60)))

        np.testing.assert_array_equal(asyncio.run(read()), DATA)

    def test_errors_come_out(self, array: Any, tmp_path: Path) -> None:
        """What fails to be written is raised as it is."""
        made = zarr.create_array(str(tmp_path / "c"), shape=(8, 8), chunks=(4, 4), dtype="float32")
        (tmp_path / "c" / "c").write_text("a file where a folder has to be")
        with pytest.raises(OSError, match="c"):
            InlineZarrIO().write(made, (slice(0, 8), slice(0, 8)), np.ones((8, 8), np.float32))

    def test_loops_are_closed(self, array: Any) -> None:
        """Nothing is left open."""
        here = InlineZarrIO()
        here.read(array, (slice(0, 40), slice(0, 60)))
        (loop,) = here._idle
        del here
        gc.collect()
        assert loop.is_closed()
