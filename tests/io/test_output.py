import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zarr

from bioimageio_core.errors import OutputError, SourceError
from bioimageio_core.io import ArraySpec, OutputStore, create_output, create_temporary, open_image
from bioimageio_core.typing import FrozenMapping

SPEC = ArraySpec(
    name="prob",
    shape=(1, 100, 70),
    dtype="float32",
    axes=("channel", "y", "x"),
    chunks=(1, 32, 32),
    attributes=FrozenMapping({"unit": "1"}),
)
BLOCK = np.random.default_rng(0).random((1, 64, 32), "float32")


class TestCreate:
    @pytest.mark.parametrize("url", [False, True])
    def test_round_trip(self, tmp_path: Path, url: bool) -> None:
        """Written blocks are read back, by us and by zarr; the rest is the fill value."""
        location = f"memory://{tmp_path}/o.zarr" if url else str(tmp_path / "new" / "o.zarr")
        store = create_output(location, [SPEC])
        store.write("prob", (0, 32, 32), BLOCK)
        pickle.loads(pickle.dumps(store)).write("prob", (0, 96, 64), np.ones((1, 4, 6), "float32"))
        store.finish({"made_by": "test"})
        assert not store.unfinished
        group = zarr.open_group(location, mode="r")
        assert dict(group.attrs) == {"made_by": "test"}
        assert [name for name, _ in group.arrays()] == ["prob"]
        array = group["prob"]
        assert array.metadata.dimension_names == ("channel", "y", "x")
        assert dict(array.attrs) == {"unit": "1"}
        expected = np.zeros((1, 100, 70), "float32")
        expected[:, 32:96, 32:64] = BLOCK
        expected[:, 96:, 64:] = 1
        assert np.array_equal(array[:], expected)
        assert np.array_equal(store.read("prob", (slice(0, 1), slice(30, 50), slice(30, 40))), expected[:, 30:50, 30:40])
        assert open_image(location).axes == ("channel", "y", "x")

    def test_shards(self, tmp_path: Path) -> None:
        """Chunks may be gathered in shards, which are then the unit of writing."""
        spec = ArraySpec(name="a", shape=(128,), dtype="uint8", axes=("x",), chunks=(8,), shards=(64,))
        store = create_output(str(tmp_path / "o.zarr"), [spec])
        store.write("a", (64,), np.full(64, 7, "uint8"))
        assert len([f for f in (tmp_path / "o.zarr" / "a").rglob("*") if f.is_file()]) == 2
        with pytest.raises(ValueError, match=r"whole chunks \(64,\)"):
            store.write("a", (8,), np.zeros(8, "uint8"))

    def test_many_threads(self, tmp_path: Path) -> None:
        """Every chunk that any thread writes arrives."""
        spec = ArraySpec(name="a", shape=(64, 64), dtype="int32", axes=("y", "x"), chunks=(8, 8))
        store = create_output(str(tmp_path / "o.zarr"), [spec])
        data = np.arange(64 * 64, dtype="int32").reshape(64, 64)

        def write(k: int) -> None:
            y, x = divmod(k, 8)
            store.write("a", (8 * y, 8 * x), data[8 * y : 8 * y + 8, 8 * x : 8 * x + 8])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(64)))
        assert np.array_equal(store.read("a", (slice(None), slice(None))), data)

    @pytest.mark.parametrize(
        ("start", "shape"), [((0, 1, 0), (1, 32, 32)), ((0, 0, 0), (1, 16, 32)), ((0, 96, 64), (1, 8, 6)), ((0, 0), (1, 32, 32))]
    )
    def test_no_whole_chunks(self, tmp_path: Path, start: tuple[int, ...], shape: tuple[int, ...]) -> None:
        """A block that would share a chunk with another is refused."""
        store = create_output(str(tmp_path / "o.zarr"), [SPEC])
        with pytest.raises(ValueError, match="prob"):
            store.write("prob", start, np.zeros(shape, "float32"))

    def test_wrong_dtype(self, tmp_path: Path) -> None:
        """Nothing is converted silently."""
        store = create_output(str(tmp_path / "o.zarr"), [SPEC])
        with pytest.raises(ValueError, match="float64"):
            store.write("prob", (0, 0, 0), np.zeros((1, 32, 32)))

    def test_names(self, tmp_path: Path) -> None:
        """Two outputs of one name are refused."""
        with pytest.raises(OutputError, match="different names"):
            create_output(str(tmp_path / "o.zarr"), [SPEC, SPEC])


class TestUnfinished:
    def test_is_no_image(self, tmp_path: Path) -> None:
        """Neither the output nor an array in it can be taken for whole."""
        location = str(tmp_path / "o.zarr")
        create_output(location, [SPEC])
        with pytest.raises(FileNotFoundError):
            zarr.open_group(location, mode="r")
        for place in (location, location + "/prob"):
            with pytest.raises(SourceError, match="never finished"):
                open_image(place)

    def test_no_such_array(self, tmp_path: Path) -> None:
        """An array that is not in the output is named."""
        with pytest.raises(OutputError, match="no array 'labels'"):
            create_output(str(tmp_path / "o.zarr"), [SPEC]).array("labels")


class TestOverwrite:
    @pytest.mark.parametrize("url", [False, True])
    def test_finished(self, tmp_path: Path, url: bool) -> None:
        """A finished output stays unless asked."""
        location = f"memory://{tmp_path}/o.zarr" if url else str(tmp_path / "o.zarr")
        store = create_output(location, [SPEC])
        store.write("prob", (0, 0, 0), BLOCK)
        store.finish({})
        with pytest.raises(OutputError, match=r"o\.zarr exists; give overwrite=True \(--overwrite\) or another name"):
            create_output(location, [SPEC])
        assert store.read("prob", (slice(0, 1), slice(0, 64), slice(0, 32))).any()
        again = create_output(location, [SPEC], overwrite=True)
        assert again.unfinished
        assert not again.read("prob", (slice(0, 1), slice(0, 64), slice(0, 32))).any()

    def test_unfinished(self, tmp_path: Path) -> None:
        """An unfinished output is called that."""
        location = str(tmp_path / "o.zarr")
        create_output(location, [SPEC])
        with pytest.raises(OutputError, match="exists and is an unfinished output; give overwrite=True"):
            create_output(location, [SPEC])
        create_output(location, [SPEC], overwrite=True)

    def test_other_things_are_never_removed(self, tmp_path: Path) -> None:
        """A folder of other things and a file stay, whatever is asked."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "thesis.txt").write_text("years of work")
        (tmp_path / "file.zarr").write_text("more work")
        for name in ("folder", "file.zarr"):
            with pytest.raises(OutputError, match="will not be overwritten"):
                create_output(str(tmp_path / name), [SPEC], overwrite=True)
            with pytest.raises(OutputError, match="exists; give another name"):
                create_output(str(tmp_path / name), [SPEC])
        assert (tmp_path / "folder" / "thesis.txt").read_text() == "years of work"

    def test_empty_folder(self, tmp_path: Path) -> None:
        """An empty folder is as good as none."""
        (tmp_path / "o.zarr").mkdir()
        create_output(str(tmp_path / "o.zarr"), [SPEC]).finish({})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        sys.platform != "linux"
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("no small file system can be mounted here")
    yield folder
    subprocess.run(["umount", folder], check=True)


class TestFailures:
    def test_full_disk(self, small_disk: Path) -> None:
        """A full disk is one sentence; what was written stays, and writing goes on when there is space."""
        (small_disk / "ballast").write_bytes(b"x" * 150_000)
        spec = ArraySpec(name="a", shape=(4, 65536), dtype="uint8", axes=("y", "x"), chunks=(1, 65536))
        store = create_output(str(small_disk / "o.zarr"), [spec])
        noise = np.random.default_rng(1).integers(0, 256, (4, 65536), "uint8")
        store.write("a", (0, 0), noise[:1])
        with pytest.raises(OutputError, match="full: free some space, then write it anew"):
            store.write("a", (1, 0), noise[1:2])  # one chunk: none is still being written when the error comes
        (small_disk / "ballast").unlink()
        store.write("a", (1, 0), noise[1:2])
        assert np.array_equal(store.read("a", (slice(0, 2), slice(None))), noise[:2])

    def test_limit_of_file_size(self, tmp_path: Path) -> None:
        """Any other failed write is an OutputError with its reason, and leaves no broken chunk."""
        pytest.importorskip("resource")
        code = (
            "import resource, sys, numpy as np\n"
            "from bioimageio_core.errors import OutputError\n"
            "from bioimageio_core.io import ArraySpec, create_output\n"
            "spec = ArraySpec(name='a', shape=(65536,), dtype='uint8', axes=('x',), chunks=(65536,))\n"
            "store = create_output(sys.argv[1], [spec])\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
            "try: store.write('a', (0,), np.random.default_rng(1).integers(0, 256, 65536, 'uint8'))\n"
            "except OutputError as error: print(error)\n"
            "print(store.read('a', (slice(0, 9),)).max())\n"
        )
        done = subprocess.run([sys.executable, "-c", code, tmp_path / "o.zarr"], capture_output=True, text=True, check=True)
        assert "can't be written: File too large." in done.stdout
        assert done.stdout.endswith("\n0\n")

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs a folder that not even root may write")
    def test_no_permission(self) -> None:
        """A folder that can't be made is an OutputError."""
        with pytest.raises(OutputError, match="can't be written"):
            create_output("/proc/nope/o.zarr", [SPEC])

    def test_pickled_error(self) -> None:
        """Workers raise these errors."""
        error = pickle.loads(pickle.dumps(OutputError("full")))
        assert (type(error), str(error)) == (OutputError, "full")


class TestTemporary:
    def test_lives_beside_the_output(self, tmp_path: Path) -> None:
        """It is made where the space is, and removed at the end."""
        with create_temporary([SPEC], near=str(tmp_path / "o.zarr")) as store:
            assert Path(store.location).parent == tmp_path
            copy = pickle.loads(pickle.dumps(store))
            copy.write("prob", (0, 0, 0), BLOCK)
            copy.close()
            assert np.array_equal(store.read("prob", (slice(0, 1), slice(0, 64), slice(0, 32))), BLOCK)
        assert list(tmp_path.iterdir()) == []

    def test_remote_output(self) -> None:
        """Beside a remote output it is a local folder all the same."""
        with create_temporary([SPEC], near="memory://x/o.zarr") as store:
            assert Path(store.location).is_dir()
        assert not Path(store.location).exists()


def test_equal_stores_pickle_to_their_location() -> None:
    """Nothing but the location travels."""
    assert len(pickle.dumps(OutputStore("/somewhere/o.zarr"))) < 200
