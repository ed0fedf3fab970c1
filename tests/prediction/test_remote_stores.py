"""Images from S3 and HTTP servers, outputs to S3: real servers on this machine."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from made_models import box_model
from run_markers import done_regions
from served import Served

import bioimageio_core as bc
from bioimageio_core.io import RunState, open_image

ANY = {"min": 16, "step": 4}
BLOCKS: dict[str, Any] = {"block": {"y": 40, "x": 40}}


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Noise of 130 x 150 pixels."""
    path = tmp_path / "image.zarr"
    noise = np.random.default_rng(0).random((130, 150), dtype=np.float32)
    zarr.create_array(str(path), data=noise, chunks=(32, 32), dimension_names=("y", "x"))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A mean filter with statistics of its input and its output."""
    (tmp_path / "model").mkdir()
    passes = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]
    return box_model(tmp_path / "model", ANY, halo=4, preprocessing=passes)


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("s3fs", "moto", "flask", "flask_cors")),
    reason="s3fs, or moto with its server, is not installed",
)
class TestS3:
    """A store on a real S3 server."""

    @pytest.fixture
    def bucket(self, monkeypatch: pytest.MonkeyPatch, image: Path) -> Iterator[str]:
        """An S3 server with a bucket that holds the image."""
        import s3fs
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        files = s3fs.S3FileSystem()
        files.mkdir("lab")
        files.put(str(image), "lab/image.zarr", recursive=True)
        yield "s3://lab"
        files.rm("lab", recursive=True)  # buckets outlive the server
        s3fs.S3FileSystem.clear_instance_cache()
        server.stop()

    def test_in_and_out(self, bucket: str, model: Path, image: Path) -> None:
        """From the bucket to the bucket, with coarser levels; in the end, the markers are removed and the image is complete."""
        found = bc.predict(model, f"{bucket}/image.zarr", f"{bucket}/o.zarr", ome="0.5", pyramid=True, **BLOCKS)["out"]
        expected = np.asarray(bc.predict(model, image, **BLOCKS)["out"])
        np.testing.assert_array_equal(np.asarray(found), expected)
        assert open_image(f"{bucket}/o.zarr").axes == ("channel", "y", "x")
        assert not RunState(f"{bucket}/o.zarr").exists()

    def test_shards_and_resume(self, bucket: str, model: Path, image: Path) -> None:
        """Shards mark finished tasks in the bucket; a further call computes nothing."""
        output = f"{bucket}/o.zarr"
        first = bc.predict(model, f"{bucket}/image.zarr", output, shard=(2, 2), **BLOCKS)
        assert not first.finished
        assert sum(done_regions(output, first.plan)) > 0
        assert bc.predict(model, f"{bucket}/image.zarr", output, resume=True, **BLOCKS).finished
        again = bc.predict(model, f"{bucket}/image.zarr", output, resume=True, **BLOCKS)
        assert again.done_before == again.plan.regions.count
        np.testing.assert_array_equal(np.asarray(again["out"]), np.asarray(bc.predict(model, image, **BLOCKS)["out"]))


@pytest.mark.skipif(importlib.util.find_spec("aiohttp") is None, reason="aiohttp, which reads from HTTP servers, is not installed")
class TestHttp:
    """An image on a web server."""

    def test_in(self, tmp_path: Path, model: Path, image: Path) -> None:
        """Each chunk is fetched once, since blocks share chunks."""
        served = Served(tmp_path)
        try:
            found = bc.predict(model, f"{served.url}/image.zarr", **BLOCKS)["out"]
        finally:
            served.close()
        np.testing.assert_array_equal(np.asarray(found), np.asarray(bc.predict(model, image, **BLOCKS)["out"]))
        chunks = {path: n for path, n in served.fetched.items() if "/c/" in path}
        assert len(chunks) == 5 * 5
        assert max(chunks.values()) <= 3  # for the statistics, to learn the dtype, and for the blocks

    def test_more_regions_wait(self, tmp_path: Path, model: Path, image: Path) -> None:
        """More regions are read at the same time than of a local image, as far as the budget allows: reading is mostly waiting."""
        served = Served(tmp_path)
        try:
            with bc.open_predictor(model, **BLOCKS) as predictor:
                local, remote = predictor.plan(str(image)), predictor.plan(f"{served.url}/image.zarr")
            with bc.open_predictor(model, **BLOCKS, memory=local.floor) as predictor:
                least = predictor.plan(f"{served.url}/image.zarr")
        finally:
            served.close()
        assert remote.workers == local.workers
        assert remote.in_flight > local.in_flight
        assert least.in_flight < remote.in_flight
