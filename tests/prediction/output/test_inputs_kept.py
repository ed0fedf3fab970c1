"""Existing outputs, and images of which it is not known where they are read from."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import dask
import dask.array as da
import fsspec
import numpy as np
import pytest
import tifffile
import xarray as xr
import zarr
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import OutputError
from bioimageio_core.io.places_of_arrays import places_of, unknown_origin
from bioimageio_core.places import place_of

IMAGE = np.random.default_rng(0).random((40, 30), dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Twice the image."""
    (tmp_path / "model").mkdir()
    return pointwise_model(tmp_path / "model", gain=2.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command runs, with the group ``v.zarr`` and its array ``raw``, and an older output ``old.zarr``."""
    monkeypatch.chdir(tmp_path)
    np.save(tmp_path / "v.npy", IMAGE)
    tifffile.imwrite(tmp_path / "in.tif", IMAGE)
    for name in ("v", "old"):
        group = zarr.open_group(str(tmp_path / f"{name}.zarr"), mode="w")
        group.create_array("raw", data=IMAGE, chunks=(20, 30), dimension_names=("y", "x"))
    return tmp_path


def stored() -> Any:
    """Return the array."""
    return zarr.open_array("v.zarr/raw", mode="r")


class Wrapper:
    """An array of a class that nobody knows."""

    shape, dtype, ndim = IMAGE.shape, IMAGE.dtype, 2

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __getitem__(self, index: Any) -> Any:
        return zarr.open_array("v.zarr/raw", mode="r")[index]


class SlottedWrapper(Wrapper):
    """The same, with a slot."""

    __slots__ = ("hidden",)

    def __init__(self, hidden: Any) -> None:
        self.hidden = hidden


def load(path: str) -> Any:
    """Return all pixels of an array."""
    return zarr.open_array(path, mode="r")[:]


def load_block(block: Any, path: str, block_info: Any = None) -> Any:
    """Return the pixels of a block, which come from a file."""
    return load(path)[tuple(slice(*span) for span in block_info[0]["array-location"])]


def from_delayed(path: Any) -> da.Array:
    """Return a dask array whose only task loads it."""
    return da.from_delayed(dask.delayed(load)(path), shape=IMAGE.shape, dtype=IMAGE.dtype)


def of_blocks(**options: Any) -> da.Array:
    """Return a dask array whose tasks load blocks in place of zeros."""
    return da.map_blocks(load_block, da.zeros(IMAGE.shape, chunks=(20, 30), dtype="f4"), dtype="f4", **options)


def of_closure() -> da.Array:
    """Return a dask array whose tasks know the path only in their code."""
    location = "v.zarr/raw"
    return da.zeros(IMAGE.shape, chunks=(20, 30), dtype="f4").map_blocks(lambda block: block + load(location)[: block.shape[0]])


def minus_other(block: Any) -> Any:
    """Return a block less pixels of an array that the function opens itself."""
    return block - zarr.open_array("v.zarr/raw", mode="r")[: block.shape[0], : block.shape[1]]


def load_v(*blocks: Any) -> Any:
    """Return all pixels of the array."""
    return load("v.zarr/raw")


FOUND: dict[str, Callable[[], Any]] = {
    "attribute": lambda: Wrapper(anything=stored()),
    "slot": lambda: SlottedWrapper(stored()),
    "nested": lambda: Wrapper(reader=Wrapper(levels=[{"finest": Wrapper(source=stored())}])),
    "path": lambda: Wrapper(path="v.zarr"),
    "Path": lambda: Wrapper(path=Path("v.zarr/raw")),
    "dask of a wrapper": lambda: da.from_array(Wrapper(anything=stored()), chunks=(20, 30)),
    "dask of a path": lambda: da.from_array(Wrapper(path="v.zarr"), chunks=(20, 30)) + 1,
    "delayed": lambda: from_delayed("v.zarr/raw"),
    "delayed Path": lambda: from_delayed(Path("v.zarr/raw")),
    "blocks": lambda: of_blocks(path="v.zarr/raw"),
    "bound": lambda: da.map_blocks(partial(load_block, path="v.zarr/raw"), da.zeros(IMAGE.shape, chunks=(20, 30)), dtype="f4"),
    "closure": of_closure,
    "computed": lambda: (of_blocks(path="v.zarr/raw") * 2).rechunk((7, 9)).T.T,
    "joined names": lambda: da.from_delayed(dask.delayed(load)(dask.delayed(os.path.join)("v.zarr", "raw")), IMAGE.shape, IMAGE.dtype),
    "wrapped dask": lambda: Wrapper(lazy=da.from_zarr(stored())),
    "lazy prediction": lambda: bc.open_predictor("model").lazy("v.zarr")["out"].data[0, 0],
}


class TestFound:
    """Stores and paths behind attributes and in tasks."""

    @pytest.mark.parametrize("kind", FOUND)
    def test_kept(self, model: Path, folder: Path, kind: str) -> None:
        """The store is found, so no output replaces it or lies within its array; beside it, a new one is written."""
        image = FOUND[kind]()
        for output in ("v.zarr", f"file://{folder}/v.zarr", "v.zarr/raw", "v.zarr/raw/new"):
            with pytest.raises(OutputError, match="would overwrite"):
                bc.predict(model, image, output, overwrite=True, axes="yx")
        np.testing.assert_array_equal(load("v.zarr/raw"), IMAGE)
        assert bc.predict(model, image, "new.zarr", overwrite=True, axes="yx").finished

    def test_urls(self) -> None:
        """URLs need not exist; texts that name nothing are no places."""
        wrapper = Wrapper(url="s3://bucket/v.zarr", text="nothing", empty="", code="a::b", lines="a\nb://c", odd="http://[")
        assert places_of(wrapper) == (place_of("s3://bucket/v.zarr"),)

    def test_objects_with_every_attribute(self) -> None:
        """Objects that stand for remote ones answer to any name; they are not taken for arrays of dask or zarr."""

        class Remote:
            def __getattr__(self, name: str) -> Any:
                if name.startswith("__array"):
                    raise AttributeError(name)
                return lambda *args: 1

        wrapper = Wrapper(remote=Remote(), path="s3://bucket/v.zarr")
        assert places_of(wrapper) == (place_of("s3://bucket/v.zarr"),)

    def test_arrays_that_hold_each_other(self) -> None:
        """Cycles end."""
        one, other = Wrapper(), Wrapper()
        one.__dict__["other"], other.__dict__["one"] = other, one
        assert places_of(one) == ()


UNKNOWN: dict[str, Callable[[], Any]] = {
    "wrapper": lambda: Wrapper(number=3),
    "dask of a wrapper": lambda: da.from_array(Wrapper(number=3), chunks=(20, 30)),
    "delayed": lambda: da.from_delayed(dask.delayed(load_v)(), shape=IMAGE.shape, dtype=IMAGE.dtype),
    "of blocks": lambda: da.zeros(IMAGE.shape, chunks=(40, 30), dtype="f4").map_blocks(load_v),
}

KNOWN: dict[str, Callable[[], Any]] = {
    "numpy": lambda: IMAGE,
    "view": lambda: IMAGE[:, ::-1],
    "masked": lambda: np.ma.masked_array(IMAGE, IMAGE > 2),
    "dask": lambda: da.from_array(IMAGE, chunks=(20, 30)),
    "dask of zarr": lambda: da.from_zarr(stored()),
    "computed": lambda: da.tanh(da.from_zarr(stored()).astype("f4") - da.from_array(IMAGE).mean()).rechunk(9)[::-1].map_blocks(np.abs),
    "own function of numpy": lambda: da.from_array(IMAGE, chunks=20).map_blocks(lambda block: np.clip(block - IMAGE.mean(), 0, None)),
    "own function of xarray": lambda: xr.apply_ufunc(
        lambda a: a * 2, xr.DataArray(da.from_array(IMAGE, chunks=20), dims=("y", "x")), dask="parallelized", output_dtypes=["f4"]
    ),
    "delayed reader of a library": lambda: da.from_delayed(dask.delayed(tifffile.imread)("in.tif"), IMAGE.shape, IMAGE.dtype),
    "own function of zarr": lambda: da.from_zarr(stored()).map_blocks(lambda block: block * 2),
    "random": lambda: da.random.default_rng(0).random(IMAGE.shape, chunks=20),
    "stacked": lambda: da.stack([da.zeros(IMAGE.shape), da.from_zarr(stored())]).max(axis=0),
    "delayed numpy": lambda: da.from_delayed(dask.delayed(np.ones)(IMAGE.shape), shape=IMAGE.shape, dtype="f8"),
    "zarr in memory": lambda: zarr.create_array(zarr.storage.MemoryStore(), data=IMAGE),
    "group": lambda: "v.zarr",
}


class TestUnknown:
    """Arrays of unknown classes, and functions of users in dask graphs."""

    @pytest.mark.parametrize("kind", UNKNOWN)
    def test_nothing_is_removed(self, model: Path, folder: Path, kind: str) -> None:
        """An existing output is not replaced, since it may be the image; a new one, and an empty folder, are written."""
        image = UNKNOWN[kind]()
        for output in ("v.zarr", "old.zarr"):
            with pytest.raises(OutputError, match=r"(would overwrite|exists, and may be what the image for 'raw' is read from)") as refused:
                bc.predict(model, image, output, overwrite=True, axes="yx")
        assert str(refused.value).endswith("give the image as a path or zarr array, or remove the output yourself")
        np.testing.assert_array_equal(load("v.zarr/raw"), IMAGE)
        (folder / "empty.zarr").mkdir()
        for output in ("new.zarr", "empty.zarr"):
            assert bc.predict(model, image, output, overwrite=True, axes="yx").finished

    def test_function_of_a_known_array(self, model: Path, folder: Path) -> None:
        """It may read further arrays."""
        image = da.from_zarr(zarr.open_array("old.zarr/raw", mode="r")).map_blocks(minus_other)
        with pytest.raises(OutputError, match="not known of the function minus_other"):
            bc.predict(model, image, "v.zarr", overwrite=True, axes="yx")
        np.testing.assert_array_equal(load("v.zarr/raw"), IMAGE)

    def test_file_system_of_references(self, model: Path, folder: Path) -> None:
        """Its chunks lie in other stores."""
        files = {f"raw/{f.relative_to('v.zarr/raw')}": [str(f)] for f in Path("v.zarr/raw").rglob("*") if f.is_file()}
        references = fsspec.filesystem("reference", fo=files, remote_protocol="file", asynchronous=True)
        image = zarr.open_array(zarr.storage.FsspecStore(references, read_only=True), path="raw", mode="r")
        with pytest.raises(OutputError, match="not known of the file system reference"):
            bc.predict(model, image, "v.zarr", overwrite=True, axes="yx")
        np.testing.assert_array_equal(load("v.zarr/raw"), IMAGE)

    def test_mask(self, model: Path, folder: Path) -> None:
        """A mask is read like an image."""
        with pytest.raises(OutputError, match=r"old\.zarr exists, and may be what the mask is read from"):
            bc.predict(model, IMAGE, "old.zarr", overwrite=True, axes="yx", mask=Wrapper(number=3))

    def test_batch(self, model: Path, folder: Path) -> None:
        """An output of one image may be where another image is read from; nothing is predicted."""
        images = [IMAGE, Wrapper(number=3)]
        (folder / "v.zarr").rename(folder / "0.zarr")
        with pytest.raises(OutputError, match=r"output 0\.zarr exists, and may be what image 1 is read from"):
            list(bc.predict_many(model, images, "{number}.zarr", overwrite=True, axes="yx"))
        assert sorted(path.name for path in folder.glob("*.zarr")) == ["0.zarr", "old.zarr"]

    def test_open_file(self, folder: Path) -> None:
        """A file object may be open for anything."""
        with (folder / "v.npy").open("rb") as file:
            image = da.from_delayed(dask.delayed(np.load)(file), shape=IMAGE.shape, dtype=IMAGE.dtype)
            assert unknown_origin(image) == "an object of the class _io.BufferedReader"

    @pytest.mark.parametrize("kind", KNOWN)
    def test_known(self, model: Path, folder: Path, kind: str) -> None:
        """Arrays in memory, and dask arrays that libraries compute from known ones, replace an older output."""
        image = KNOWN[kind]()
        assert unknown_origin(image) is None
        assert bc.predict(model, image, "old.zarr", overwrite=True, axes="yx").finished
        assert list(zarr.open_group("old.zarr", mode="r")) == ["0"]


class TestRun:
    """What a run reads besides images."""

    def test_statistics_file(self, model: Path, folder: Path) -> None:
        """The file of statistics is kept, also by a run of a plan that was made for no output, and by a batch."""
        statistics = attrs.evolve(bc.compute_statistics(IMAGE), dataset={}, path=str(folder / "old0.zarr" / "s.json"))
        (folder / "old.zarr").rename("old0.zarr")
        (folder / "old0.zarr" / "s.json").touch()
        with bc.open_predictor(model, axes="yx") as predictor:
            plan = predictor.plan(IMAGE, statistics=statistics)
            with pytest.raises(OutputError, match="would overwrite the statistics"):
                predictor.run(plan, "old0.zarr", overwrite=True)
        with pytest.raises(OutputError, match="would overwrite the statistics"):
            list(bc.predict_many(model, [IMAGE], "old{number}.zarr", statistics=statistics, overwrite=True, axes="yx"))
        assert (folder / "old0.zarr" / "s.json").exists()
