"""Small images on the workers of a cluster: each is one task, with a network that stays loaded."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from killable_cluster import KillableCluster
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.io import open_image
from bioimageio_core.prediction.many.images_job import is_new
from bioimageio_core.prediction.many.requests import PredictionRequest
from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.output.result import Prediction
from bioimageio_core.prediction.predictor import Predictor

pytest.importorskip("distributed", reason="distributed is not installed")

import cloudpickle
from distributed import Client, WorkerPlugin

LARGE = 5


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The mean of 9 x 9 pixels, of an image that is normalised by its own mean and deviation."""
    (tmp_path / "model").mkdir()
    normalise = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}]
    return box_model(tmp_path / "model", {"min": 16, "step": 4}, halo=4, filter_size=9, preprocessing=normalise)


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Twenty small images, and a large one among them."""
    folder = tmp_path / "images"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(21):
        size = 1500 if number == LARGE else 40
        np.save(folder / f"{number:02}.npy", random.normal(number, 3, (size, size)).astype(np.float32))
    return sorted(folder.iterdir())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[KillableCluster]:
    """Two workers, which are started again when they die."""
    with KillableCluster(tmp_path / "cluster", workers=2, nannies=True) as found:
        yield found


@pytest.fixture
def client(cluster: KillableCluster) -> Iterator[Client]:
    """Their client."""
    with Client(cluster.address, set_as_default=False) as found:
        yield found


def written(path: Path) -> Any:
    """Return the pixels of an output."""
    image = open_image(path)
    return image.read((slice(None),) * len(image.shape))


def test_same_results(tmp_path: Path, model: Path, images: list[Path], client: Client) -> None:
    """Results come in the order of the images, and are those of this process, of small images and of the one that is cut into blocks."""
    options: dict[str, Any] = {"axes": "yx", "memory": "500 MB"}
    here = list(bc.predict_many(model, images, tmp_path / "here", **options))
    there = list(bc.predict_many(model, images, tmp_path / "there", client=client, **options))
    for image, one, other in zip(images, here, there, strict=True):
        assert isinstance(one, Prediction)
        assert isinstance(other, Prediction)
        assert other.plan is not None
        assert other.plan.inputs[0].bound.image.name == image.stem
        expected, found = (written(tmp_path / place / f"{image.stem}.zarr") for place in ("here", "there"))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)  # float32; blocks may be cut elsewhere
        np.testing.assert_array_equal(np.asarray(other["out"]).ravel(), found.ravel())
    assert there[LARGE].plan.regions.count > 1  # type: ignore[union-attr]


def test_failures_keep_their_places(tmp_path: Path, model: Path, images: list[Path], client: Client) -> None:
    """A damaged image and an output that exists fail in their places, with the words of this process; what exists stays."""
    images = [image for image in images if image.stem != "05"]
    images[3].write_bytes(images[3].read_bytes()[:100])
    zarr.create_group(str(tmp_path / "out" / f"{images[7].stem}.zarr"), attributes={"mine": 1})
    found = list(bc.predict_many(model, images, tmp_path / "out", axes="yx", client=client))
    assert [n for n, one in enumerate(found) if isinstance(one, bc.Failed)] == [3, 7]
    assert zarr.open_group(str(tmp_path / "out" / f"{images[7].stem}.zarr"), mode="r").attrs["mine"] == 1
    here = bc.predict_many(model, [images[3], images[7]], tmp_path / "out", axes="yx")
    assert [str(one.error) for one in here] == [str(found[n].error) for n in (3, 7)]  # type: ignore[union-attr]


@pytest.mark.parametrize("ending", ["zarr", "tif"])
def test_dying_worker(tmp_path: Path, model: Path, images: list[Path], cluster: KillableCluster, client: Client, ending: str) -> None:
    """Images of a worker that dies are predicted by others, although it had begun their outputs."""
    images = [image for image in images if image.stem != "05"]
    results = bc.predict_many(model, images, tmp_path / "out" / f"{{name}}.{ending}", axes="yx", client=client)
    found = [next(results)]
    cluster.workers()[0].kill()
    found += list(results)
    assert [one for one in found if isinstance(one, bc.Failed)] == []
    for image in images:
        values = np.load(image).astype(np.float64)
        normalised = (values - values.mean()) / (values.std() + 1e-6)
        middle = np.squeeze(written(tmp_path / "out" / f"{image.stem}.{ending}"))[20, 20]
        np.testing.assert_allclose(middle, normalised[16:25, 16:25].mean(), rtol=1e-4, atol=1e-5)


def test_second_run(tmp_path: Path, model: Path, images: list[Path], client: Client) -> None:
    """A second run fails for each output, and with ``resume`` leaves all as they are."""
    few = images[:4]
    assert all(isinstance(one, Prediction) for one in bc.predict_many(model, few, tmp_path / "out", axes="yx", client=client))
    before = [path.stat().st_mtime_ns for path in sorted((tmp_path / "out").rglob("*"))]
    again = list(bc.predict_many(model, few, tmp_path / "out", axes="yx", client=client))
    assert all(isinstance(one, bc.Failed) and "exists" in str(one.error) for one in again)
    resumed = list(bc.predict_many(model, few, tmp_path / "out", axes="yx", client=client, resume=True))
    assert [one.done_before for one in resumed] == [1] * 4  # type: ignore[union-attr]
    assert [path.stat().st_mtime_ns for path in sorted((tmp_path / "out").rglob("*"))] == before


def test_relative_paths(tmp_path: Path, model: Path, images: list[Path], client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths are those of this process, although workers have a folder of their own."""
    monkeypatch.chdir(tmp_path)
    few = [image.relative_to(tmp_path) for image in images[:3]]
    found = list(bc.predict_many(model, few, "out/{name}.zarr", axes="yx", client=client))
    assert [one for one in found if isinstance(one, bc.Failed)] == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["00.zarr", "01.zarr", "02.zarr"]
    assert written(tmp_path / "out" / "02.zarr").any()


def test_outputs_that_are_not_seen(tmp_path: Path, model: Path, images: list[Path], client: Client) -> None:
    """An output in the memory of a process is none of a worker: each image says so."""
    found = list(bc.predict_many(model, images[:3], "memory://out/{name}.zarr", axes="yx", client=client))
    assert all(isinstance(one, bc.Failed) for one in found)


def test_workers_option(tmp_path: Path, model: Path, images: list[Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    """The number of calls at a time is what the user gave, else one for each thread of a worker."""
    with KillableCluster(tmp_path / "cluster", workers=0, nannies=False) as cluster:
        cluster.start_worker("--nthreads", "4", "--no-nanny")
        with Client(cluster.address, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
            for workers, expected in ((None, (4, 1)), (1, (1, 4)), (2, (2, 2))):
                found = bc.predict_many(model, images[:3], tmp_path / f"out{workers}", axes="yx", client=client, workers=workers)
                plans = [one.plan for one in found]  # type: ignore[union-attr]
                assert {(plan.workers, plan.threads) for plan in plans if plan is not None} == {expected}


class Killer(WorkerPlugin):  # type: ignore[misc]  # distributed has no types
    """Kills the worker that predicts an image."""

    def __init__(self, name: str) -> None:
        self.name = name

    def setup(self, worker: Any) -> None:
        """Change the predictor of the worker."""
        predict = Predictor._run

        def run(predictor: Predictor, plan: Any, output: str | None, chosen: Any) -> Any:
            if output is not None and self.name in output:
                time.sleep(0.3)
                os._exit(1)
            return predict(predictor, plan, output, chosen)

        Predictor._run = run  # type: ignore[method-assign]


def test_image_that_kills_workers(tmp_path: Path, model: Path, images: list[Path], client: Client) -> None:
    """An image on which workers die is predicted by this process's run on all of them; the others are not harmed, and most stay tasks."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    client.register_plugin(Killer("03.zarr"))
    small = [image for image in images if image.stem != "05"]
    found = list(bc.predict_many(model, small, tmp_path / "out", axes="yx", client=client))
    assert [one for one in found if isinstance(one, bc.Failed)] == []
    for image in small:
        assert open_image(tmp_path / "out" / f"{image.stem}.zarr").shape[-1] == 40


def test_a_cluster_without_workers(tmp_path: Path, model: Path, images: list[Path]) -> None:
    """Each image is a failure that says that no worker came."""
    options: dict[str, Any] = {"axes": "yx", "wait_for_workers": 1}
    with (
        KillableCluster(tmp_path / "cluster", workers=0, nannies=False) as cluster,
        Client(cluster.address, set_as_default=False) as client,
    ):
        found = list(bc.predict_many(model, images[:2], tmp_path / "out", client=client, **options))
    assert all(isinstance(one, bc.Failed) and "worker" in str(one.error) for one in found)


def test_what_is_new(tmp_path: Path) -> None:
    """Nothing that is written exists: neither the output, whatever its name, nor the table."""
    options = PredictOptions()
    (tmp_path / "table.csv").touch()
    for output in ("a.zarr", "a[1].tif", "a_{output}.npy"):
        request = PredictionRequest(inputs="image.tif", output=str(tmp_path / output))
        assert is_new(request, None, ["one", "two"] if "{" in output else ["one"], options)
        assert is_new(request, str(tmp_path / "other.csv"), ["one"], options)
        assert not is_new(request, str(tmp_path / "table.csv"), ["one"], options)
    for output, made in (("b.zarr", "b.zarr/zarr.json"), ("b[1].tif", "b[1].tif"), ("b_{output}.npy", "b_two.npy")):
        (tmp_path / made).parent.mkdir(exist_ok=True)
        (tmp_path / made).touch()
        request = PredictionRequest(inputs="image.tif", output=str(tmp_path / output))
        assert not is_new(request, None, ["one", "two"] if "{" in output else ["one"], options)
