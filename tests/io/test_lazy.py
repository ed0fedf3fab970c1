import multiprocessing
import pickle
import subprocess
import sys
import threading

from bioimageio_core.io.lazy import Lazy


class Handle:
    made = 0
    closed = 0

    def __init__(self) -> None:
        type(self).made += 1

    def close(self) -> None:
        type(self).closed += 1


class TestLazy:
    def test_made_once(self) -> None:
        """Threads that come together share one value, which is closed with its owner."""
        Handle.made = Handle.closed = 0
        lazy = Lazy(Handle)
        threads = [threading.Thread(target=lazy) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Handle.made == 1
        del lazy, threads, thread
        assert Handle.closed == 1

    def test_pickled_without_its_value(self) -> None:
        """The recipe travels, the value does not."""
        lazy = Lazy(dict, [("a", 1)])
        assert lazy() == {"a": 1}
        copy = pickle.loads(pickle.dumps(lazy))
        assert copy() == {"a": 1}
        assert copy() is not lazy()

    def test_spawned_process(self) -> None:
        """Another process makes its own."""
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            assert pool.apply(Lazy(dict, [("a", 1)])) == {"a": 1}


def test_import_is_light() -> None:
    """Nothing heavy is imported before it is used."""
    code = (
        "import sys, bioimageio_core.io\n"
        "heavy = {'zarr', 'tifffile', 'dask', 'xarray', 'fsspec', 'torch', 'onnxruntime', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
