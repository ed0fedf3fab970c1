"""What a resumed run has in common with the one that it continues, and given statistics with the image that they are of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from made_models import half_micrometer_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import OutputError

FIRST = np.random.default_rng(0).random((24, 24), dtype=np.float32)
SECOND = FIRST + 5
NORMALISED = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}]


class Own:
    """An array of a class of its own."""

    dtype = np.dtype("float32")

    def __init__(self, values: Any) -> None:
        self.values, self.shape = values, values.shape

    def __getitem__(self, index: Any) -> Any:
        return self.values[index].astype("float32")


def in_hdf5(values: Any, folder: Path) -> Any:
    """Return a dataset of a file of its own."""
    h5py = pytest.importorskip("h5py")
    path = folder / f"{values.sum()}.h5"
    if not path.exists():
        with h5py.File(path, "w") as file:
            file["data"] = values
    return h5py.File(path, "r")["data"]


def in_xarray(values: Any, folder: Path) -> Any:
    """Return an array of xarray."""
    return pytest.importorskip("xarray").DataArray(values, dims=("y", "x"))


WAYS: dict[str, Callable[[Any, Path], Any]] = {
    "numpy": lambda values, _: values.copy(),
    "xarray": in_xarray,
    "xarray over dask": lambda values, folder: in_xarray(da.from_array(values.copy(), chunks=12), folder),
    "dask": lambda values, _: da.from_array(values.copy(), chunks=12),
    "zarr in memory": lambda values, _: zarr.array(values, chunks=(12, 12)),
    "HDF5": in_hdf5,
    "own": lambda values, _: Own(values),
}
ALL_WAYS = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The image itself, in pixels of 0.5 micrometers."""
    (tmp_path / "model").mkdir()
    return half_micrometer_model(tmp_path / "model")


class TestResumed:
    """Results of another image, or of other options, are neither kept nor mixed."""

    @ALL_WAYS
    def test_another_image(self, tmp_path: Path, model: Path, way: Callable[[Any, Path], Any]) -> None:
        """The same image is complete already, another one is refused; so is another mask."""
        options: dict[str, Any]
        for name, options in (("image", {}), ("resampled", {"rescale": True, "pixel_size": 0.4})):
            out = tmp_path / f"{name}.zarr"
            first, again, second = (way(values, tmp_path) for values in (FIRST, FIRST, SECOND))
            complete = np.asarray(bc.predict(model, first, out, axes="yx", **options)["out"])
            resumed = bc.predict(model, again, out, axes="yx", resume=True, **options)
            np.testing.assert_array_equal(np.asarray(resumed["out"]), complete)
            with pytest.raises(OutputError, match="different images"):
                bc.predict(model, second, out, axes="yx", resume=True, **options)
        masks = [way(values, tmp_path) for values in ((FIRST > 0.5).astype("u1"), (FIRST <= 0.3).astype("u1"))]
        out = tmp_path / "masked.zarr"
        bc.predict(model, FIRST, out, axes="yx", mask=masks[0])
        bc.predict(model, FIRST, out, axes="yx", mask=masks[0], resume=True)
        with pytest.raises(OutputError, match="different options"):
            bc.predict(model, FIRST, out, axes="yx", mask=masks[1], resume=True)

    @pytest.mark.parametrize(
        ("before", "now"),
        [
            ({"axes": "cyx", "channel": 0}, {"axes": "cyx", "channel": 1}),
            ({"axes": "tyx"}, {"axes": "txy"}),
            ({"axes": "tyx", "ome": "0.5"}, {"axes": "tyx", "ome": "0.4"}),
            ({"axes": "tyx", "ome": "0.5"}, {"axes": "tyx", "ome": "0.5", "pixel_size": 2.0}),
            ({"axes": "tyx", "ome": "0.5"}, {"axes": "tyx", "ome": "0.5", "pyramid": False}),
            ({"axes": "tyx"}, {"axes": "tyx", "codec": "zstd:9"}),
            ({"axes": "tyx", "rescale": True, "pixel_size": 0.252}, {"axes": "tyx", "rescale": True, "pixel_size": 0.2525}),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("stored", [False, True])
    def test_other_options(self, tmp_path: Path, model: Path, before: dict[str, Any], now: dict[str, Any], stored: bool) -> None:
        """Whatever changes results, or how they are stored."""
        image: Any = np.random.default_rng(0).random((2, 600, 600), dtype=np.float32)
        if stored:
            np.save(tmp_path / "image.npy", image)
            image = tmp_path / "image.npy"
        bc.predict(model, image, tmp_path / "o.zarr", **before)
        bc.predict(model, image, tmp_path / "o.zarr", resume=True, **before)
        with pytest.raises(OutputError, match=r"different (options|images)"):
            bc.predict(model, image, tmp_path / "o.zarr", resume=True, **now)


class TestStatisticsOfAnImage:
    """They apply to this image only."""

    @ALL_WAYS
    def test_another_image(self, tmp_path: Path, way: Callable[[Any, Path], Any]) -> None:
        """Other images are measured again."""
        model = pointwise_model(tmp_path, pre=NORMALISED)
        statistics = bc.compute_statistics([way(FIRST, tmp_path)], model=model, axes="yx")
        assert len(statistics.images) == 1
        for values in (FIRST, SECOND):
            prediction = bc.predict(model, way(values, tmp_path), axes="yx", statistics=statistics)
            assert np.asarray(prediction["out"]).mean() == pytest.approx(0, abs=1e-4)

    def test_another_part(self, tmp_path: Path) -> None:
        """Another channel of the same array."""
        model = pointwise_model(tmp_path, pre=NORMALISED)
        both = np.stack([FIRST, SECOND * 3])
        statistics = bc.compute_statistics([both], model=model, axes="cyx", channel=0)
        found = np.asarray(bc.predict(model, both, axes="cyx", channel=1, statistics=statistics)["out"])
        assert found.mean() == pytest.approx(0, abs=1e-4)
