"""Arrays that workers cannot read as they are: results on a cluster, open files, unknown sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import dask.array as da
import numpy as np
import pytest
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError, OutputError, SourceError

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

IMAGE = np.random.default_rng(0).integers(0, 60_000, (120, 100)).astype(np.uint16)
BLOCKS: dict[str, Any] = {"axes": "yx", "block": {"y": 48, "x": 48}}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """The active client of two worker processes."""
    with bc.worker_processes(2) as client, client.as_current():
        yield client


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean filter."""
    folder = tmp_path / "model"
    folder.mkdir()
    return box_model(folder, {"min": 16, "step": 8}, halo=4)


@pytest.fixture
def expected(model: Path) -> Any:
    """The prediction of the image, by threads."""
    return np.asarray(bc.predict(model, IMAGE, client=False, **BLOCKS)["out"])


class TestPersisted:
    """Arrays after ``persist()``: their chunks are results on the cluster."""

    @pytest.fixture
    def persisted(self, client: Any) -> Any:
        """The image minus and plus 1, with a step before and a step after ``persist()``."""
        return (da.from_array(IMAGE, chunks=50) - 1).persist(scheduler=client) + 1

    def test_threads(self, model: Path, expected: Any, persisted: Any) -> None:
        """Threads of this process read them through their client."""
        np.testing.assert_array_equal(bc.predict(model, persisted, client=False, **BLOCKS)["out"], expected)
        mean = bc.compute_statistics(persisted, axes="yx", client=False).dataset["mean over y, x"]
        assert mean == [[pytest.approx(IMAGE.mean(dtype=np.float64))]]

    def test_xarray(self, model: Path, expected: Any, persisted: Any) -> None:
        """Within xarray, too."""
        xarray = pytest.importorskip("xarray")
        found = bc.predict(model, xarray.DataArray(persisted, dims=("y", "x")), client=False, block=BLOCKS["block"])
        np.testing.assert_array_equal(found["out"], expected)

    def test_overwriting(self, model: Path, tmp_path: Path, persisted: Any) -> None:
        """What they were computed from is not known, so they replace no existing output; a new one is written."""
        bc.predict(model, persisted, tmp_path / "out.zarr", client=False, overwrite=True, **BLOCKS)
        with pytest.raises(OutputError, match=r"exists, and may be what .* not known of results on a cluster"):
            bc.predict(model, persisted, tmp_path / "out.zarr", client=False, overwrite=True, **BLOCKS)

    def test_workers(self, model: Path, tmp_path: Path, persisted: Any) -> None:
        """Workers cannot: one sentence, before anything is written."""
        with pytest.raises(InputError, match=r"before persist\(\).*client=False"):
            bc.predict(model, persisted, tmp_path / "out.zarr", **BLOCKS)
        assert not (tmp_path / "out.zarr").exists()
        with pytest.raises(InputError, match=r"before persist\(\)"):
            bc.compute_statistics(persisted, axes="yx")


class _Locked:
    """An array that cannot be pickled."""

    def __init__(self, array: Any) -> None:
        self.array, self.lock = array, Lock()
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index: Any) -> Any:
        with self.lock:
            return self.array[index]


class TestNotPicklable:
    def test_threads(self, client: Any, model: Path, expected: Any) -> None:
        """Threads read any array."""
        np.testing.assert_array_equal(bc.predict(model, _Locked(IMAGE), client=False, **BLOCKS)["out"], expected)

    @pytest.mark.parametrize("wrap", [_Locked, lambda array: da.from_array(_Locked(array), chunks=50)])
    def test_workers(self, client: Any, model: Path, tmp_path: Path, wrap: Any) -> None:
        """The error names the remedy, before anything is written."""
        with pytest.raises(InputError, match=r"cannot be sent to the workers .*lock.*client=False"):
            bc.predict(model, wrap(IMAGE), tmp_path / "out.zarr", **BLOCKS)
        assert not (tmp_path / "out.zarr").exists()


class TestHdf5:
    """Datasets of HDF5 files: workers open the files themselves."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """A file with the image in a group."""
        h5py = pytest.importorskip("h5py")
        with h5py.File(tmp_path / "image.h5", "w") as file:
            file.create_dataset("group/image", data=IMAGE, chunks=(32, 32), compression="gzip")
        return tmp_path / "image.h5"

    @pytest.mark.parametrize("wrap", [lambda dataset: dataset, lambda dataset: da.from_array(dataset, chunks=50)])
    def test_workers(self, client: Any, model: Path, expected: Any, path: Path, wrap: Any) -> None:
        """Alone, and in a dask array."""
        import h5py

        with h5py.File(path, "r") as file:
            found = bc.predict(model, wrap(file["group/image"]), **BLOCKS)
            np.testing.assert_array_equal(found["out"], expected)

    def test_open_for_writing(self, client: Any, model: Path, path: Path) -> None:
        """Workers would not see what is not flushed yet."""
        import h5py

        with h5py.File(path, "r+") as file, pytest.raises(InputError, match="open for writing"):
            bc.predict(model, file["group/image"], **BLOCKS)

    def test_in_memory(self, client: Any, model: Path) -> None:
        """A file that exists in memory only."""
        h5py = pytest.importorskip("h5py")
        with h5py.File("none.h5", "w", driver="core", backing_store=False) as file:
            dataset = file.create_dataset("image", data=IMAGE)
            with pytest.raises(InputError, match="not in a file on disk"):
                bc.predict(model, dataset, **BLOCKS)


class TestUnknownSizes:
    @pytest.mark.parametrize("client_option", [None, False])
    def test_refused(self, client: Any, model: Path, client_option: Any) -> None:
        """Sizes that depend on values are NaN until they are computed."""
        array = da.from_array(IMAGE, chunks=50)
        selected = array[array.mean(axis=1) > 0]
        with pytest.raises(SourceError, match=r"unknown sizes .*nan.*compute_chunk_sizes"):
            bc.predict(model, selected, client=client_option, **BLOCKS)

    def test_after_computing_them(self, client: Any, model: Path, expected: Any) -> None:
        """The remedy works."""
        array = da.from_array(IMAGE, chunks=50)
        selected = array[array.mean(axis=1) > 0].compute_chunk_sizes()
        np.testing.assert_array_equal(bc.predict(model, selected, client=False, **BLOCKS)["out"], expected)
