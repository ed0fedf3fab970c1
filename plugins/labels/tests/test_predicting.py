"""Counting nuclei from an image to a table, as users do: on threads, on a cluster, and after being killed."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from scipy import ndimage
from skimage.segmentation import watershed

import bioimageio_core as bc
from bioimageio_core.demo.run import model_folder, run_demo
from bioimageio_core.demo.synthetic import nuclei_block
from bioimageio_core.errors import InputError

POST = "connected_components:threshold=0.5,min_size=20"
OPTIONS: dict[str, Any] = {"postprocessing": POST, "block": 256, "chunks": 128, "memory": "240 MiB"}
ARGUMENTS = ("--post", POST, "--block", "256", "--chunks", "y=128,x=128", "--memory", "240 MiB")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nuclei on 640 x 512 pixels."""
    path = tmp_path_factory.mktemp("image") / "image.zarr"
    zarr.create_array(str(path), data=nuclei_block(0, 0, 0, 640, 512)[0], chunks=(128, 128), dimension_names=("y", "x"))
    return path


@pytest.fixture(scope="module")
def probability(image: Path) -> np.ndarray[Any, Any]:
    """Probabilities of the complete image."""
    return np.squeeze(np.asarray(bc.predict(model_folder(), image, block=256)["probability"]))


@pytest.fixture(scope="module")
def truth(probability: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Labels of the probabilities of the complete image, numbered in the order of their first pixels."""
    labels = ndimage.label(probability > 0.5, np.ones((3, 3)))[0]
    kept = np.flatnonzero(np.bincount(labels.ravel()) >= 20)[1:]
    ids = np.zeros(labels.max() + 1, np.uint32)
    ids[kept] = np.arange(1, kept.size + 1)
    return np.asarray(ids[labels])


def labels_of(output: Path) -> np.ndarray[Any, Any]:
    return np.squeeze(np.asarray(zarr.open_group(str(output), mode="r")["0"]))


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Label in windows of one chunk."""
    monkeypatch.setattr("bioimageio_core.prediction.planning.plan_passes.LATE_ELEMENTS", 1)


class TestCounting:
    """The same ids everywhere."""

    def test_threads(self, image: Path, truth: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """Labels and table."""
        result = bc.predict(model_folder(), image, tmp_path / "o.zarr", table=tmp_path / "cells.csv", **OPTIONS)
        np.testing.assert_array_equal(labels_of(tmp_path / "o.zarr"), truth)
        assert result.objects["probability"].count == truth.max() > 50
        with (tmp_path / "cells.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [int(row["pixels"]) for row in rows] == np.bincount(truth.ravel())[1:].tolist()
        pixels = zarr.open_array(str(image), mode="r")[...]
        means = ndimage.mean(pixels, truth, np.arange(1, truth.max() + 1))
        np.testing.assert_allclose([float(row["mean-nuclei"]) for row in rows], means, rtol=1e-9)

    def test_demo(self, tmp_path: Path) -> None:
        """The demonstration counts the nuclei that it drew."""
        count = run_demo(tmp_path / "demo", size=512, memory="280 MiB", overwrite=False).count
        assert count is not None
        assert 0.97 * count.drawn < count.found <= count.drawn
        assert len(count.table.read_text().splitlines()) == count.objects + 1

    def test_cluster(self, image: Path, truth: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """Workers label, join and write."""
        distributed = pytest.importorskip("distributed")
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster) as client,
        ):
            bc.predict(model_folder(), image, tmp_path / "o.zarr", table=tmp_path / "cells.csv", client=client, **OPTIONS)
        np.testing.assert_array_equal(labels_of(tmp_path / "o.zarr"), truth)
        assert len((tmp_path / "cells.csv").read_text().splitlines()) == truth.max() + 1

    def test_shards(self, image: Path, truth: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """The shard that finds all regions computed labels them."""
        for number in (1, 2):
            bc.predict(model_folder(), image, tmp_path / "o.zarr", table=tmp_path / "cells.csv", shard=(number, 2), **OPTIONS)
        np.testing.assert_array_equal(labels_of(tmp_path / "o.zarr"), truth)

    def test_killed(self, image: Path, truth: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """Killed at several moments and resumed, a run ends with the same labels and table."""
        output, table = tmp_path / "o.zarr", tmp_path / "cells.csv"
        command = [sys.executable, "-m", "bioimageio_core.cli", "predict", str(model_folder()), str(image), "-o", str(output)]
        command += [*ARGUMENTS, "--table", str(table), "--resume"]
        bc.predict(model_folder(), image, tmp_path / "undisturbed.zarr", table=tmp_path / "undisturbed.csv", **OPTIONS)
        for _ in range(20):
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            moment = np.random.default_rng().uniform(0, 1.5)
            while process.poll() is None and not output.exists():
                time.sleep(0.01)
            time.sleep(moment)
            process.kill()
            process.communicate()
            if process.returncode == 0:
                break
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stderr
        np.testing.assert_array_equal(labels_of(output), truth)
        assert table.read_bytes() == (tmp_path / "undisturbed.csv").read_bytes()


class TestOtherOps:
    """The further ops."""

    @pytest.mark.parametrize(
        ("post", "least"),
        [
            ("connected_components:channel=5", 6),
            ("seeded_watershed:seeds=0 > 0.8 and 3 < 0.5", 4),
            ("seeded_watershed:seeds=0 > 0.8,flood=1", 2),
        ],
    )
    def test_missing_channel(self, image: Path, tmp_path: Path, post: str, least: int) -> None:
        """A channel that the model lacks is found while planning."""
        with (
            bc.open_predictor(model_folder()) as predictor,
            pytest.raises(InputError, match=rf"'probability': \w+ needs at least {least} along axis 'channel', found 1"),
        ):
            predictor.plan(image, tmp_path / "o.zarr", postprocessing=post)

    def test_watershed(self, image: Path, probability: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """Nuclei that touch: as many as in the complete image, and the same pixels but for ties."""
        smooth = ndimage.gaussian_filter(probability, 2)
        seeds = ndimage.label((smooth > 0.8) & (probability > 0.5), np.ones((3, 3)))[0]
        expected = watershed(-smooth, seeds, mask=probability > 0.5)
        post = "seeded_watershed:seeds=0 > 0.8,smoothing=2"
        bc.predict(model_folder(), image, tmp_path / "o.zarr", **{**OPTIONS, "postprocessing": post}, object_size=60)
        found = labels_of(tmp_path / "o.zarr")
        assert found.dtype == np.uint32
        assert found.max() == expected.max() > 50
        np.testing.assert_array_equal(found > 0, expected > 0)
        # Both number objects in the order of rows; those that start in the same row may come in another order.
        pairs, pixels = np.unique(np.stack([found.ravel(), expected.ravel()]), axis=1, return_counts=True)
        largest = [pixels[pairs[0] == label].max() for label in range(1, found.max() + 1)]
        assert sum(largest) > 0.999 * np.count_nonzero(found)

    def test_argmax(self, image: Path, probability: np.ndarray[Any, Any], tmp_path: Path) -> None:
        """Of one channel, the class is the first."""
        bc.predict(model_folder(), image, tmp_path / "o.zarr", **{**OPTIONS, "postprocessing": "argmax"})
        found = labels_of(tmp_path / "o.zarr")
        assert found.dtype == np.uint16
        assert found.shape == probability.shape
        assert not found.any()
