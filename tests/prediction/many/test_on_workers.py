"""Small images on the workers of a cluster: each is one task, with a network that stays loaded."""

from __future__ import annotations

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
from bioimageio_core.prediction.output.result import Prediction

pytest.importorskip("distributed", reason="distributed is not installed")

from distributed import Client

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
