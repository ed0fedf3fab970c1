import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import attrs
import numpy as np
import pytest
import zarr

from bioimageio_core.errors import InputError, OutputError, SourceError
from bioimageio_core.io import ArraySpec, OutputStore, RunState, continue_output, create_output, open_image, run_of_output
from bioimageio_core.io.writing.group_metadata import write_group
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

    @pytest.mark.parametrize("fill", [0, 3])
    def test_chunks_of_fill_value_are_no_files(self, tmp_path: Path, fill: int) -> None:
        """A chunk is stored if any of its values is another one, wherever it lies."""
        spec = ArraySpec(name="a", shape=(8, 24), dtype="uint8", axes=("y", "x"), chunks=(8, 8), fill_value=fill)
        block = np.full((8, 24), fill, np.uint8)
        block[7, 7], block[:, 16:] = fill + 1, fill + 2
        for number, part in enumerate((block, block[:, 16:])):
            store = create_output(str(tmp_path / f"{number}.zarr"), [spec])
            store.write("a", (0, 24 - part.shape[1]), part)
            files = sorted(f.name for f in (tmp_path / f"{number}.zarr" / "a" / "c").rglob("*") if f.is_file())
            assert files == (["0", "2"] if number == 0 else ["2"])
            np.testing.assert_array_equal(store.read("a", (slice(0, 8), slice(24 - part.shape[1], 24))), part)

    def test_shards(self, tmp_path: Path) -> None:
        """Chunks may be gathered in shards, which are then the unit of writing."""
        spec = ArraySpec(name="a", shape=(128,), dtype="uint8", axes=("x",), chunks=(8,), shards=(64,))
        store = create_output(str(tmp_path / "o.zarr"), [spec])
        store.write("a", (64,), np.full(64, 7, "uint8"))
        assert len([f for f in (tmp_path / "o.zarr" / "a").rglob("*") if f.is_file()]) == 2
        with pytest.raises(ValueError, match=r"complete chunks.*\(64,\)"):
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
        with pytest.raises(OutputError, match="distinct names"):
            create_output(str(tmp_path / "o.zarr"), [SPEC, SPEC])


class TestUnfinished:
    def test_is_no_image(self, tmp_path: Path) -> None:
        """Neither the output nor an array in it can be taken for whole."""
        location = str(tmp_path / "o.zarr")
        create_output(location, [SPEC])
        with pytest.raises(FileNotFoundError):
            zarr.open_group(location, mode="r")
        for place in (location, location + "/prob"):
            with pytest.raises(SourceError, match="incomplete output"):
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
        with pytest.raises(OutputError, match=r"o\.zarr exists: give overwrite=True"):
            create_output(location, [SPEC])
        assert store.read("prob", (slice(0, 1), slice(0, 64), slice(0, 32))).any()
        again = create_output(location, [SPEC], overwrite=True)
        assert again.unfinished
        assert not again.read("prob", (slice(0, 1), slice(0, 64), slice(0, 32))).any()

    def test_unfinished(self, tmp_path: Path) -> None:
        """An unfinished output is called that."""
        location = str(tmp_path / "o.zarr")
        create_output(location, [SPEC])
        with pytest.raises(OutputError, match="exists and is incomplete: resume=True"):
            create_output(location, [SPEC])
        create_output(location, [SPEC], overwrite=True)

    def test_other_things_are_never_removed(self, tmp_path: Path) -> None:
        """A folder of other things and a file stay, whatever is asked."""
        (tmp_path / "folder").mkdir()
        (tmp_path / "folder" / "thesis.txt").write_text("years of work")
        (tmp_path / "file.zarr").write_text("more work")
        for name in ("folder", "file.zarr"):
            with pytest.raises(OutputError, match="not overwritten"):
                create_output(str(tmp_path / name), [SPEC], overwrite=True)
            with pytest.raises(OutputError, match="exists: give another name"):
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
        with pytest.raises(OutputError, match="full; free some space"):
            store.write("a", (1, 0), noise[1:2])  # one chunk: none is still being written when the error comes
        (small_disk / "ballast").unlink()
        store.write("a", (1, 0), noise[1:2])
        assert np.array_equal(store.read("a", (slice(0, 2), slice(None))), noise[:2])
        store.close()

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
        assert "cannot be written: File too large" in done.stdout
        assert done.stdout.endswith("\n0\n")

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs a folder that not even root may write")
    def test_no_permission(self) -> None:
        """A folder that can't be made is an OutputError."""
        with pytest.raises(OutputError, match="cannot be written"):
            create_output("/proc/nope/o.zarr", [SPEC])

    def test_pickled_error(self) -> None:
        """Workers raise these errors."""
        error = pickle.loads(pickle.dumps(OutputError("full")))
        assert (type(error), str(error)) == (OutputError, "full")


class TestRunFolder:
    """Notes of a run inside its output."""

    @pytest.mark.parametrize("url", [False, True])
    def test_markers(self, tmp_path: Path, url: bool) -> None:
        """What was marked is found, by copies of it too, of each stage for itself, whichever folder it lies in."""
        folder = RunState(f"memory://{tmp_path}/o.zarr" if url else str(tmp_path / "o.zarr"))
        assert not any(folder.done("regions", 10))
        for number in (0, 3, 5000, 9999):
            pickle.loads(pickle.dumps(folder)).mark("regions", number)
        folder.mark("late", 1)
        assert [n for n, done in enumerate(folder.done("regions", 10_000)) if done] == [0, 3, 5000, 9999]
        assert list(folder.done("late", 3)) == [0, 1, 0]
        assert list(folder.done("regions", 2)) == [1, 0]
        folder.remove()
        assert not any(folder.done("regions", 10_000))
        folder.remove()

    def test_removal_that_was_interrupted(self, tmp_path: Path) -> None:
        """What a process left that was killed while it removed the state is removed by the next one."""
        state = RunState(str(tmp_path))
        state.mark("2-regions", 1)
        (tmp_path / ".bmz-run").rename(tmp_path / ".bmz-run-0123")
        state.remove()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("url", [False, True])
    def test_notes(self, tmp_path: Path, url: bool) -> None:
        """Numbers come back bit by bit."""
        folder = RunState(f"memory://{tmp_path}/n.zarr" if url else str(tmp_path / "n.zarr"))
        assert folder.recorded("statistics") is None
        value = {"values": [0.1 + 0.2, float("inf"), 5e-324]}
        folder.record("statistics", value)
        folder.record("statistics", value)
        assert folder.recorded("statistics") == value


class TestContinued:
    """An unfinished output is opened again."""

    def test_run_is_noted(self, tmp_path: Path) -> None:
        """What is noted of a run is found while it is unfinished, and when it is whole."""
        location = str(tmp_path / "o.zarr")
        assert run_of_output(location) == (False, None)
        create_output(location, [SPEC], run={"identity": 1})
        assert run_of_output(location) == (False, {"identity": 1})
        again = continue_output(location, [SPEC])
        again.write("prob", (0, 0, 0), BLOCK)
        again.finish({"bioimageio_core": {"run": {"identity": 1}}})
        assert run_of_output(location) == (True, {"identity": 1})

    def test_finished_twice(self, tmp_path: Path) -> None:
        """Two processes may find that all is done at once."""
        location = str(tmp_path / "o.zarr")
        create_output(location, [SPEC], run={})
        RunState(location).mark("regions", 0)
        OutputStore(location).finish({"a": 1})
        OutputStore(location).finish({"a": 1})
        assert sorted(p.name for p in Path(location).iterdir()) == ["prob", "zarr.json"]

    def test_killed_while_tidying(self, tmp_path: Path) -> None:
        """An output whose group is written is whole, whatever notes are left; they are removed by whoever comes next."""
        location = str(tmp_path / "o.zarr")
        store = create_output(location, [SPEC], run={"identity": 1})
        zarr.open_group(location, mode="a").update_attributes({"bioimageio_core": {"run": {"identity": 1}}})
        RunState(location).mark("regions", 0)
        assert run_of_output(location) == (True, {"identity": 1})
        store.tidy()
        store.tidy()
        assert sorted(p.name for p in Path(location).iterdir()) == ["prob", "zarr.json"]

    def test_missing_arrays_are_made(self, tmp_path: Path) -> None:
        """A run that was killed before its arrays were made goes on all the same; an array of another kind is refused."""
        location = str(tmp_path / "o.zarr")
        create_output(location, [], run={})
        continue_output(location, [SPEC]).write("prob", (0, 0, 0), BLOCK)
        with pytest.raises(OutputError, match="exists with shape"):
            continue_output(location, [SPEC.of_dtype("uint8")])


class TestCodecs:
    """Compression by name."""

    @pytest.mark.parametrize("zarr_format", [2, 3])
    @pytest.mark.parametrize("codec", ["none", "zstd", "zstd:9", "gzip:1", "blosc"])
    def test_smaller(self, tmp_path: Path, codec: str, zarr_format: Literal[2, 3]) -> None:
        """What is written is read back, and takes less space where it is compressed."""
        spec = ArraySpec(
            name="a", shape=(256, 256), dtype="uint16", axes=("y", "x"), chunks=(256, 256), codec=codec, zarr_format=zarr_format
        )
        store = create_output(str(tmp_path / "o.zarr"), [spec])
        data = np.arange(65536, dtype="uint16").reshape(256, 256) // 64
        store.write("a", (0, 0), data)
        store.finish({}, zarr_format=zarr_format)
        size = sum(f.stat().st_size for f in (tmp_path / "o.zarr" / "a").rglob("*"))
        assert (size > data.nbytes) == (codec == "none")
        image = open_image(str(tmp_path / "o.zarr"))
        assert image.axes == ("y", "x")
        assert np.array_equal(image.read((slice(None), slice(None))), data)

    @pytest.mark.parametrize("codec", ["lz77", "zstd:99", "none:1", "gzip:fast"])
    def test_unknown(self, tmp_path: Path, codec: str) -> None:
        """The error says what there is."""
        with pytest.raises(InputError, match=f"codec is '{codec}'"):
            create_output(str(tmp_path / "o.zarr"), [attrs.evolve(SPEC, codec=codec)])


def test_equal_stores_pickle_to_their_location() -> None:
    """Nothing but the location travels."""
    assert len(pickle.dumps(OutputStore("/somewhere/o.zarr"))) < 200


class TestRunOfOutput:
    """What tells a complete output from what an interrupted process left."""

    def test_halves(self, tmp_path: Path) -> None:
        """Attributes without a group are no output, nor is an array, a broken file, or a group of somebody else."""
        record = {"bioimageio_core": {"run": {"id": "1"}}}
        folder = tmp_path / "out.zarr"
        assert run_of_output(str(folder)) == (False, None)
        folder.mkdir()
        (folder / ".zattrs").write_text(json.dumps(record))
        assert run_of_output(str(folder)) == (False, None)
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        assert run_of_output(str(folder)) == (True, {"id": "1"})
        for content in ("{", json.dumps({"node_type": "array", "attributes": record}), '{"node_type": "group"}'):
            (tmp_path / "v3.zarr").mkdir(exist_ok=True)
            (tmp_path / "v3.zarr" / "zarr.json").write_text(content)
            assert not run_of_output(str(tmp_path / "v3.zarr"))[0]
        (tmp_path / "v3.zarr" / "zarr.json").write_text(json.dumps({"node_type": "group", "attributes": record}))
        assert run_of_output(str(tmp_path / "v3.zarr")) == (True, {"id": "1"})

    @pytest.mark.parametrize("zarr_format", [2, 3])
    def test_groups_are_those_of_zarr(self, tmp_path: Path, zarr_format: Literal[2, 3]) -> None:
        """A group that is written in one step is what zarr reads, and replaces one that is there."""
        for attributes in ({"a": 1, "b": [1.5, "x"]}, {"c": None}):
            write_group(str(tmp_path / "group"), attributes, zarr_format)
            group = zarr.open_group(str(tmp_path / "group"), mode="r", zarr_format=zarr_format)
            assert group.attrs.asdict() == attributes
            assert group.metadata.zarr_format == zarr_format
        write_group(f"memory://tests/group{zarr_format}", {"d": 1}, zarr_format)
        write_group(f"memory://tests/group{zarr_format}", {"e": 1}, zarr_format)
        assert zarr.open_group(f"memory://tests/group{zarr_format}", mode="r").attrs.asdict() == {"e": 1}
