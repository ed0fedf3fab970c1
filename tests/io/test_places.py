"""Places: one identity for a location, however it is spelt, and whatever an array is wrapped in."""

from __future__ import annotations

import mmap
import os
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import dask
import dask.array as da
import fsspec
import numpy as np
import pytest
import zarr
from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper
from hypothesis import given
from hypothesis import strategies as st
from own_mounts import disk_folder, in_own_mounts
from packaging.version import Version
from xarray_images import xarray_of_zarr
from zarr.storage import FsspecStore, LocalStore, LoggingStore, MemoryStore, ZipStore

from bioimageio_core.errors import OutputError
from bioimageio_core.io import open_image
from bioimageio_core.io.places_of_arrays import places_of, unknown_origin
from bioimageio_core.io.reading.rescaled import rescaled
from bioimageio_core.places import absolute_path, check_apart, local_target, nested_places, place_of

NAMES = st.sampled_from(["a", "b", "A", "x.zarr", "x.zarr.zarr", "2024.05.01_s1", "with space", "per%20cent", "ä", "plus+", "0"])
HOSTS = ("example.org", "example.org:8080", "other.org")


@attrs.frozen
class Made:
    """A location to spell: its storage and the names in it; for archives also the names within."""

    storage: str
    parts: tuple[str, ...]
    inner: tuple[str, ...] = ()


def made() -> st.SearchStrategy[Made]:
    """Return locations of all storages."""
    some = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
    web = [f"{scheme}://{host}" for scheme in ("http", "https") for host in HOSTS]
    return st.one_of(
        st.builds(Made, st.sampled_from(["file", "memory", "s3", "gs", *web]), some), st.builds(Made, st.just("file"), some, some)
    )


@pytest.fixture(scope="class")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of the user, with ``a/b`` (where commands run), and the links ``link`` to ``a`` and ``link-b`` to ``a/b``."""
    home = tmp_path_factory.mktemp("home").resolve()
    (home / "a" / "b").mkdir(parents=True)
    (home / "link").symlink_to("a")
    (home / "link-b").symlink_to(home / "a" / "b")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.chdir(home / "a" / "b")
        yield home


CACHES = ("simplecache::", "filecache::", "blockcache::", "simplecache://::")


def local_spellings(home: Path, parts: tuple[str, ...]) -> list[str]:
    """Return spellings of ``home / parts``."""
    rest = "/".join(parts)
    plain = f"{home}/{rest}"
    paths = [
        plain,
        f"{plain}/",
        f"{plain}//",
        f"{home}//{'//'.join(parts)}",
        f"{home}/./{'/./'.join(parts)}/.",
        f"{home}/a/../{rest}",
        f"{home}/a/b/../../{rest}",
        f"{home}/none/../{rest}",
        f"{home}/link/../{rest}",
        f"{home}/link-b/../../{rest}",  # above the target of the link, not above the link
        f"{home}/../{home.name}/{rest}",
        f"/..{plain}",
    ]
    if parts[0] == "a":
        paths.append("/".join([str(home), "link", *parts[1:]]))
    if parts[:2] == ("a", "b"):
        paths.append("/".join([str(home), "link-b", *parts[2:]]))
    urls = [f"{scheme}{path}" for path in paths for scheme in ("file://", "file://localhost", "FILE://", "local://")]
    relative = [f"../../{rest}", f"./../../{rest}", os.path.relpath(plain), f"~/{rest}", f"~/a/../{rest}/", f"file://~/{rest}"]
    found = [*paths, *urls, *relative]
    return [
        *(f"{scheme}{path}" for path in paths for scheme in ("file:", "local:")),
        *found,
        *(f"{cache}{location}" for location in found for cache in CACHES),
    ]


def spellings(home: Path, what: Made) -> list[str]:
    """Return spellings of a location."""
    rest = "/".join(what.parts)
    if what.inner:
        inner = "/".join(what.inner)
        archives = local_spellings(home, what.parts)
        return [f"zip://{spelt}::{archive}" for archive in archives[:40] for spelt in (inner, f"/{inner}", f"{inner}/", f"{inner}//")]
    if what.storage == "file":
        return local_spellings(home, what.parts)
    if what.storage in ("memory", "s3", "gs"):
        schemes = {"s3": ("s3", "s3a"), "gs": ("gs", "gcs")}.get(what.storage, (what.storage,))
        found = [f"{scheme}://{slash}{rest}{end}" for scheme in schemes for slash in ("", "/") for end in ("", "/", "//")]
        return [*found, *(f"{cache}{location}" for location in found for cache in CACHES)]
    scheme, _, host = what.storage.partition("://")
    hosts = [host, host.upper(), f"user:word@{host}"] + ([f"{host}:{80 if scheme == 'http' else 443}"] if ":" not in host else [])
    quoted = "/".join("".join(f"%{byte:02x}" for byte in name.encode()) for name in what.parts)
    plain = "/".join(name.replace("%", "%25").replace(" ", "%20") for name in what.parts)
    paths = [plain, quoted, f"{plain}/", f"./{plain}", f"none/../{plain}"]
    found = [f"{scheme}://{one}/{path}" for one in hosts for path in paths]
    return [*found, *(f"{cache}{location}" for location in found for cache in CACHES)]


class TestSpellings:
    """Laws of all spellings."""

    @given(what=made(), data=st.data())
    def test_one_place(self, folder: Path, what: Made, data: st.DataObject) -> None:
        """Any two spellings of a location are one place, as text and as path."""
        choices = st.sampled_from(spellings(folder, what))
        one, other = data.draw(choices), data.draw(choices)
        assert place_of(one) == place_of(other)
        assert hash(place_of(one)) == hash(place_of(other))
        assert place_of(one).holds(place_of(other))
        if what.storage == "file" and "://" not in one and "::" not in one:
            assert place_of(Path(one)) == place_of(other)

    @given(what=made(), other=made(), data=st.data())
    def test_different_places(self, folder: Path, what: Made, other: Made, data: st.DataObject) -> None:
        """No spellings of two locations are one place; one holds the other exactly if its names begin with those of the other."""
        first = place_of(data.draw(st.sampled_from(spellings(folder, what))))
        second = place_of(data.draw(st.sampled_from(spellings(folder, other))))
        names, others = what.parts + what.inner, other.parts + other.inner
        same_storage = what.storage == other.storage
        assert (first == second) == (same_storage and names == others)
        assert first.holds(second) == (same_storage and others[: len(names)] == names)
        assert first.overlaps(second) == second.overlaps(first) == (first.holds(second) or second.holds(first))

    @given(st.lists(made(), max_size=6), st.lists(made(), max_size=6))
    def test_of_many(self, folder: Path, outer: list[Made], inner: list[Made]) -> None:
        """The fast comparison of many places finds the pairs that one by one comparison finds."""
        holders, within = ([place_of(spellings(folder, one)[0]) for one in some] for some in (outer, inner))
        expected = sorted((o.location, i.location) for o in holders for i in within if o.holds(i))
        assert sorted((o.location, i.location) for o, i in nested_places(holders, within)) == expected

    def test_number_of_tricks(self, folder: Path) -> None:
        """The laws are about many spellings of each kind of location."""
        assert len(spellings(folder, Made("file", ("a", "b", "c")))) > 100
        for storage in ("memory", "s3", "http://example.org"):
            assert len(set(spellings(folder, Made(storage, ("b", "c"))))) > 20

    def test_links_and_names_that_do_not_exist(self, folder: Path) -> None:
        """A link that points nowhere is the place that it points to; below it, too."""
        (folder / "dangling").symlink_to(folder / "later")
        assert place_of(folder / "dangling" / "x") == place_of(folder / "later" / "x")

    def test_queries_are_different_places(self) -> None:
        """Servers may select content by the query."""
        assert place_of("https://example.org/a?version=1") != place_of("https://example.org/a?version=2")

    def test_one_folder_with_two_paths(self, tmp_path: Path) -> None:
        """A folder that is mounted twice is one, and so is what lies in it, whether that exists or not; its neighbours are others."""
        disk = disk_folder(tmp_path)
        (disk / "there.zarr").mkdir()
        (tmp_path / "again").mkdir()
        found = in_own_mounts(MOUNTED_TWICE, str(disk), str(tmp_path / "again"), sys.executable, "-c", COMPARED)
        assert found.stdout.split() == ["True", "True", "False", "True", "2"], found.stderr


MOUNTED_TWICE = 'mount --bind "$0" "$1" && cd "$0" && shift && exec "$@"'

COMPARED = """
from bioimageio_core.places import nested_places, place_of
for one, other in ("there.zarr", "there.zarr/x"), ("new.zarr", "new.zarr/x"), ("new.zarr", "new.zarr.zarr"), (".", "new"):
    print(place_of(one).holds(place_of(f"../again/{other}")))
outputs = [place_of("new.zarr"), place_of("../again/new.zarr")]
print(sum(one != other for one, other in nested_places(outputs, outputs)))
"""


class TestPaths:
    """Local paths."""

    @pytest.mark.parametrize(
        ("path", "expected"),
        [("link/../x", "x"), ("link-b/../x", "a/x"), ("a/./b//x/", "a/b/x"), ("link/x", "link/x"), ("a/b/../../a..b/x", "a..b/x")],
    )
    def test_absolute(self, folder: Path, path: str, expected: str) -> None:
        """Links stay, but ``..`` after a link is the folder above its target, as the system has it."""
        assert absolute_path(f"{folder}/{path}") == f"{folder}/{expected}"
        assert Path(absolute_path(f"{folder}/{path}")).resolve() == (folder / path).resolve()

    def test_target(self, folder: Path) -> None:
        """URLs of files are paths of this machine; other URLs are refused."""
        assert local_target(f"file://localhost{folder}/m.zip") == folder / "m.zip"
        assert local_target("~/m.zip") == folder / "m.zip"
        with pytest.raises(OutputError, match=r"^s3://bucket/m.zip is no local path: expected"):
            local_target("s3://bucket/m.zip")


class TestApart:
    """Outputs and what they are made of."""

    def test_names_both_spellings(self, folder: Path) -> None:
        """The error names the output and what it would overwrite, as they were written."""
        with pytest.raises(OutputError) as refused:
            check_apart("~/link", [("the image", f"file://{folder}/a/b/x.zarr")])
        assert str(refused.value) == f"output ~/link would overwrite the image, file://{folder}/a/b/x.zarr: give a different name"

    def test_beside_and_within(self, folder: Path) -> None:
        """Names beside a source and within a folder are free."""
        check_apart("~/a/y.zarr", [("the image", "~/a/x.zarr"), ("the image", "~/a/y.zarr.zarr")])
        check_apart("~/a/x.zarr/labels/nuclei", [("the image", "~/a/x.zarr")])


ARRAY = np.arange(64, dtype=np.float32).reshape(8, 8)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A zarr group with the array ``raw``."""
    group = zarr.open_group(str(tmp_path / "x.zarr"), mode="w")
    group.create_array("raw", data=ARRAY, chunks=(4, 4), dimension_names=("y", "x"))
    return tmp_path / "x.zarr"


class TestArrays:
    """Arrays that read from a store, whatever they are wrapped in."""

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda a: a,
            da.from_zarr,
            lambda a: da.from_array(a, inline_array=True),
            lambda a: da.from_array(a, asarray=False, lock=True),
            lambda a: (da.from_zarr(a)[1:, ::2] + da.ones((7, 4))).rechunk(3).T,
            lambda a: da.stack([da.zeros((8, 8)), da.from_zarr(a)]).map_overlap(lambda x: x, depth=1),
            lambda a: dask.optimize(da.from_zarr(a) * 2)[0],
            lambda a: da.Array(dict(da.from_zarr(a).dask), da.from_zarr(a).name, ((4, 4), (4, 4)), dtype="f4"),
        ],
    )
    def test_zarr_and_dask(self, stored: Path, wrap: Callable[[Any], Any]) -> None:
        """zarr arrays, and dask arrays that are computed from them."""
        assert places_of(wrap(zarr.open_array(str(stored / "raw"), mode="r"))) == (place_of(stored / "raw"),)

    def test_images(self, stored: Path) -> None:
        """An image is its group and its array, also resampled, cropped or from an array."""
        expected = {place_of(stored), place_of(stored / "raw")}
        image = open_image(stored)
        assert set(places_of(image)) == expected
        assert set(places_of(image.crop((slice(2, 4), slice(0, 3))))) == expected
        assert set(places_of(rescaled(image, {"y": 0.5}))) == expected
        lazy = open_image(da.from_zarr(zarr.open_array(str(stored / "raw"), mode="r")), axes="yx")
        assert places_of(lazy) == places_of(rescaled(lazy, {"y": 0.5})) == (place_of(stored / "raw"),)

    def test_levels(self, tmp_path: Path) -> None:
        """An OME-Zarr image is all of its levels."""
        group = zarr.open_group(str(tmp_path / "i.zarr"), mode="w", zarr_format=3)
        for name in ("0", "1"):
            group.create_array(name, data=ARRAY)
        axes = [{"name": n, "type": "space"} for n in "yx"]
        group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}]}]}
        found = places_of(open_image(tmp_path / "i.zarr", level=1))
        assert set(found) == {place_of(tmp_path / "i.zarr" / name) for name in ("", "0", "1")}

    def test_stores(self, stored: Path, tmp_path: Path) -> None:
        """Stores of zarr and fsspec, with what wraps them."""
        expected = (place_of(stored / "raw"),)
        local = fsspec.filesystem("file")
        cached = fsspec.filesystem("simplecache", fs=local)
        below = fsspec.filesystem("dir", path=str(tmp_path), fs=local)
        stores: list[tuple[Any, str]] = [
            (LocalStore(stored), "raw"),
            (LoggingStore(LocalStore(stored, read_only=True)), "raw"),
            (FsspecStore.from_url(f"file://{stored}"), "raw"),
            (FsspecStore.from_url(f"simplecache::file://{stored}"), "raw"),
            (FsspecStore.from_mapper(cached.get_mapper(str(stored))), "raw"),
            (FsspecStore(AsyncFileSystemWrapper(below, asynchronous=True), path="x.zarr"), "raw"),
        ]
        for store, path in stores:
            assert places_of(zarr.open_array(store, path=path, mode="r")) == expected, store

    def test_zip(self, stored: Path, tmp_path: Path) -> None:
        """What is in a zip is within the place of the zip."""
        archive = tmp_path / "x.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for path in stored.rglob("*"):
                if path.is_file():
                    file.write(path, path.relative_to(stored))
        with ZipStore(archive, mode="r") as store:
            (place,) = places_of(zarr.open_array(store, path="raw", mode="r"))
        assert place == place_of(f"zip://raw::{archive}")
        assert place_of(archive).holds(place)
        if Version(fsspec.__version__) < Version("2025.1"):  # whose zips raise KeyError for a name that is missing
            return
        (again,) = places_of(zarr.open_array(FsspecStore.from_url(f"zip://::file://{archive}"), path="raw", mode="r"))
        assert again == place

    def test_memory(self) -> None:
        """A store in memory with a URL has a place; one without, and an array, have none."""
        zarr.create_array(FsspecStore.from_url("memory://places/x.zarr"), name="raw", data=ARRAY)
        array = zarr.open_array(FsspecStore.from_url("memory://places/x.zarr"), path="raw", mode="r")
        assert places_of(array) == (place_of("memory:///places/x.zarr/raw/"),)
        assert places_of(zarr.create_array(MemoryStore(), data=ARRAY)) == ()
        assert places_of(ARRAY) == places_of(da.ones((3, 3))) == places_of(None) == ()

    def test_mapped_files(self, tmp_path: Path) -> None:
        """numpy arrays that are a file, and views of them."""
        np.save(tmp_path / "x.npy", ARRAY)
        mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
        for array in (mapped, mapped[2:, ::2], np.asarray(mapped).T):
            assert places_of(array) == (place_of(tmp_path / "x.npy"),)
        assert places_of(mapped.copy()) == ()

    def test_buffers_of_mapped_files(self, tmp_path: Path) -> None:
        """An array over the memory of a file may read from a place that is not known; one over bytes reads from none."""
        (tmp_path / "raw").write_bytes(bytes(64))
        with (tmp_path / "raw").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
            for buffer in (mapped, memoryview(mapped)[8:]):
                array = np.frombuffer(buffer, np.uint8).reshape(-1, 8)
                assert unknown_origin(array) == "an object of the class mmap.mmap"
                del array, buffer  # which keep the file mapped
        assert unknown_origin(np.frombuffer(bytes(64), np.uint8)) is None

    def test_xarray(self, stored: Path) -> None:
        """xarray over zarr, loaded lazily by itself or by dask; what is loaded has no place any more."""
        xr = pytest.importorskip("xarray")
        expected = (place_of(stored / "raw"),)
        array = zarr.open_array(str(stored / "raw"), mode="r")
        assert places_of(xr.DataArray(da.from_zarr(array), dims=("y", "x"))) == expected
        for chunks in (None, {}, {"y": 4}):
            opened = xarray_of_zarr(stored, chunks=chunks)
            for one in (opened, opened.isel(y=slice(1, 5)), opened.transpose("x", "y")):
                assert places_of(one) == expected, chunks
        assert places_of(opened.load()) == ()

    def test_h5py(self, tmp_path: Path) -> None:
        """A dataset of HDF5 is its file."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "x.h5", "w") as file:
            assert places_of(file.create_dataset("raw", data=ARRAY)) == (place_of(tmp_path / "x.h5"),)
