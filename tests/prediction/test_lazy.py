"""Outputs as dask arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import zarr
from made_models import BATCH, box_model, channels, follows, pointwise_model, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError

ANY = {"min": 16, "step": 4}
BLOCKS: dict[str, Any] = {"block": {"y": 40, "x": 40}}
PRE = [
    {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99}},
    {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}},
]


def noise(*shape: int) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)


class TestSameAsPredict:
    """Computed lazy outputs equal those of `predict`."""

    @pytest.mark.parametrize("source", ["numpy", "dask", "zarr"])
    @pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
    def test_statistics_and_items(self, tmp_path: Path, source: str, scheduler: str) -> None:
        """Statistics of each time point, of the raw image and of the result of an op, with two sweeps and one."""
        model = box_model(tmp_path, ANY, halo=4, preprocessing=PRE)
        data = noise(3, 90, 70)
        image: Any = data
        if source == "dask":
            image = da.from_array(data, chunks=(2, 32, 32))
        if source == "zarr":
            image = zarr.create_array(str(tmp_path / "i.zarr"), data=data, chunks=(1, 32, 32), dimension_names=("t", "y", "x"))
        with bc.open_predictor(model, **BLOCKS) as predictor:
            lazy = predictor.lazy(image, axes="tyx")["out"]
            assert isinstance(lazy.data, da.Array)
            assert lazy.sizes == {"time": 3, "batch": 1, "channel": 1, "y": 90, "x": 70}
            with dask.config.set(scheduler=scheduler):
                found = lazy.data.compute()
            np.testing.assert_allclose(found, np.asarray(predictor.predict(data, axes="tyx")["out"]), rtol=1e-5, atol=1e-6)

    def test_pooled_statistics(self, tmp_path: Path) -> None:
        """Statistics of all time points together, where options say so."""
        model = box_model(tmp_path, ANY, halo=4, preprocessing=PRE)
        movie = noise(3, 90, 70) * np.array([1, 2, 3], np.float32).reshape(3, 1, 1)
        with bc.open_predictor(model, **BLOCKS, stats_over="time") as predictor:
            lazy = np.asarray(predictor.lazy(movie, axes="tyx")["out"])
            np.testing.assert_allclose(lazy, np.asarray(predictor.predict(movie, axes="tyx")["out"]), rtol=1e-5, atol=1e-5)

    def test_supplied_statistics(self, tmp_path: Path) -> None:
        """Statistics of a dataset take the place of those of the image; others are measured."""
        steps = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["batch", "y", "x"]}}, *PRE]
        model = box_model(tmp_path, ANY, halo=4, preprocessing=steps)
        image, dataset = noise(90, 70), [3 * noise(64, 64) + 1, noise(64, 64)]
        supplied = bc.compute_statistics(dataset, model, axes="yx")
        with bc.open_predictor(model, **BLOCKS, axes="yx", statistics=supplied) as predictor:
            lazy = np.asarray(predictor.lazy(image)["out"])
            assert len(predictor.plan(image).supplied) == 2
            np.testing.assert_allclose(lazy, np.asarray(predictor.predict(image)["out"]), rtol=1e-5, atol=1e-5)

    def test_composes(self, tmp_path: Path) -> None:
        """Operations before and after form one graph with the prediction; nothing runs early, and a part computes only what it needs."""
        model = box_model(tmp_path, ANY, halo=4)
        data = noise(200, 200)
        made: list[int] = []

        def count(block: np.ndarray) -> np.ndarray:
            made.append(1)
            return block * 2

        image = da.from_array(data, chunks=40).map_blocks(count, dtype="float32", meta=np.empty((0, 0), "float32"))
        lazy = bc.open_predictor(model, **BLOCKS).lazy(image, axes="yx")["out"]
        total = (lazy.data + 1).sum()
        assert not made
        expected = np.asarray(bc.predict(model, 2 * data, **BLOCKS)["out"])
        assert float(total.compute()) == pytest.approx(float(expected.sum() + expected.size), rel=1e-5)
        made.clear()
        np.testing.assert_allclose(lazy.data[0, 0, :10, :10].compute(), expected[0, 0, :10, :10], rtol=1e-5)
        assert len(made) <= 4

    def test_several_outputs_mask_and_dtype(self, tmp_path: Path) -> None:
        """One call of the network computes all outputs; options are those of `predict`."""
        nodes = [helper.make_node("Identity", ["raw"], ["a"]), helper.make_node("Neg", ["raw"], ["b"])]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"a": 4, "b": 4})
        follow = [space(x, follows(x)) for x in "yx"]
        size = {"min": 4, "step": 4}
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(x, size) for x in "yx"))],
            [tensor("a", BATCH, channels(), *follow), tensor("b", BATCH, channels(), *follow)],
        )
        data, mask = noise(64, 50), np.eye(64, 50)
        options: dict[str, Any] = {"mask": mask, "dtype": "uint8", "block": {"y": 16, "x": 16}}
        lazy = bc.open_predictor(tmp_path).lazy(data, axes="yx", **options)
        found = dask.compute(lazy["a"].data, lazy["b"].data)
        expected = bc.predict(tmp_path, data, axes="yx", **options)
        for name, array in zip("ab", found, strict=True):
            assert array.dtype == np.uint8
            np.testing.assert_array_equal(array, np.asarray(expected[name]))

    def test_on_a_cluster(self, tmp_path: Path) -> None:
        """Each worker loads the network."""
        distributed = pytest.importorskip("distributed", reason="distributed is not installed")
        model = box_model(tmp_path, ANY, halo=4, preprocessing=PRE)
        data = noise(90, 70)
        with (
            distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0") as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            lazy = bc.open_predictor(model, **BLOCKS).lazy(data, axes="yx")["out"]
            found = client.compute(lazy.data).result()
        np.testing.assert_allclose(found, np.asarray(bc.predict(model, data, **BLOCKS)["out"]), rtol=1e-5, atol=1e-6)


class TestRefused:
    """Outputs that cannot be lazy are refused immediately."""

    def test_waits_for_the_output(self, tmp_path: Path) -> None:
        """Postprocessing by statistics of the whole output cannot be lazy."""
        model = pointwise_model(tmp_path, post=PRE[1:])
        with pytest.raises(InputError, match=r"output 'out' .*cannot be lazy"):
            bc.open_predictor(model).lazy(noise(20, 20), axes="yx")
