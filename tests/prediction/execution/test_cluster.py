"""Predictions on the worker processes of a dask cluster."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import cloudpickle
import numpy as np
import pytest
import yaml
from cluster_process import cluster_of
from distributed import Client, Security
from made_models import box_model, pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import ModelRunError, OutputError, UnknownExtensionError
from bioimageio_core.resources import large_pages

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

PLUGIN = """
from bioimageio_core.registry import Measure, Needs, ProcessingOpEntry, hookimpl
from bioimageio_core.spec.node import Node, node


@node
class CentreDescr(Node):
    id: str = "centre"


def mean(axes):
    return Measure(kind="mean", axes=tuple(a for a in axes if a != "batch"))


class Centre:
    def __init__(self, axes):
        self.axes = axes

    def __call__(self, tensor, measured):
        return (tensor - measured[mean(self.axes)]).astype("float32")


@hookimpl
def bioimageio_processing_ops():
    yield ProcessingOpEntry(
        name="centre", descr={"0.5": CentreDescr}, load=lambda: lambda kwargs, axes: Centre(axes),
        requirements=lambda kwargs, axes: Needs(measures=(mean(axes),), dtype="float32"),
    )
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a distribution that only workers see; it provides the op ``centre``."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "centre_plugin.py").write_text(PLUGIN)
    info = folder / "centre_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: centre-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bioimageio_core]\ncentre = centre_plugin\n")
    return folder


@pytest.fixture(scope="module")
def client(site: Path) -> Iterator[Any]:
    """A client of two worker processes with two threads each, which is not the default client."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "PYTHONPATH": path}
    with (
        cluster_of(sys.executable, site / "cluster.py", environment) as address,
        distributed.Client(address, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def image(tmp_path: Path) -> Any:
    """Noise of 200 x 300 pixels, in zarr with axes."""
    import zarr

    noise = np.random.default_rng(0).random((200, 300), dtype=np.float32)
    return zarr.create_array(str(tmp_path / "image.zarr"), data=noise, chunks=(64, 64), dimension_names=("y", "x"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a model."""
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


class RecordedReads:
    """An array in chunks, which records each read of a chunk as a file, from any process."""

    CHUNK = 64

    def __init__(self, array: Any, folder: Path) -> None:
        self.array, self.folder = array, folder
        self.shape, self.dtype, self.chunks = array.shape, array.dtype, (self.CHUNK,) * array.ndim
        folder.mkdir()

    def __getitem__(self, index: tuple[slice, ...]) -> Any:
        """Read chunks."""
        for _ in itertools.product(*(range(s.start // self.CHUNK, -(-s.stop // self.CHUNK)) for s in index)):
            (self.folder / f"{os.getpid()}-{uuid4().hex}").touch()
        return self.array[index]


BLOCKS: dict[str, Any] = {"block": {"y": 64, "x": 64}}


class TestSameAsThreads:
    def test_in_memory(self, client: Any, folder: Path, tmp_path: Path) -> None:
        """Arrays are sent to the workers and back; the result equals that of threads of this process."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        noise = np.random.default_rng(0).random((200, 300), dtype=np.float32)
        here = bc.predict(model, noise, axes="yx", **BLOCKS)
        there = bc.predict(model, noise, axes="yx", client=client, **BLOCKS)
        assert there.plan is not None
        assert there.plan.regions.count > 8
        np.testing.assert_array_equal(there["out"], here["out"])
        assert there.times["predict"] > 0

    def test_out_of_core(self, client: Any, folder: Path, tmp_path: Path, image: Any) -> None:
        """Workers read and write the stores."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        here = bc.predict(model, image, **BLOCKS)
        seen: list[tuple[str, int, int]] = []
        there = bc.predict(
            model, tmp_path / "image.zarr", tmp_path / "out.zarr", client=client, progress=lambda *now: seen.append(now), **BLOCKS
        )
        np.testing.assert_array_equal(there["out"], here["out"])
        assert seen[-1][1] == seen[-1][2] > 8

    def test_whole_output(self, client: Any, folder: Path, tmp_path: Path, image: Any) -> None:
        """Statistics of the input before, and of the output after all blocks."""
        normalise = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}
        model = pointwise_model(folder, pre=[normalise], post=[normalise])
        here = bc.predict(model, image, **BLOCKS)
        there = bc.predict(model, tmp_path / "image.zarr", tmp_path / "out.zarr", client=client, **BLOCKS)
        np.testing.assert_allclose(there["out"], here["out"], atol=1e-6)
        assert there.statistics == here.statistics

    def test_active_client(self, client: Any, folder: Path, tmp_path: Path) -> None:
        """The active client is used by default."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        with client.as_current():
            active = bc.open_predictor(model).plan(np.zeros((64, 64), np.float32), axes="yx")
        assert active.threads * active.workers <= 4

    def test_active_client_plans_as_the_named_one(self, client: Any, folder: Path) -> None:
        """Tasks have the size for a cluster, whether the client is active or given."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        image, block = np.broadcast_to(np.float32(0), (20_000, 20_000)), {"y": 200, "x": 200}
        named = bc.open_predictor(model, client=client, block=block).plan(image, axes="yx")
        with client.as_current():
            active = bc.open_predictor(model, block=block).plan(image, axes="yx")
        assert active.choices == named.choices
        assert named.regions_per_task == 4


class TestFailures:
    def test_network(self, client: Any, folder: Path, tmp_path: Path) -> None:
        """A failure on a worker raises the same error as here, and leaves no output that looks complete."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["outputs"][0]["axes"][-1]["size"]["offset"] = 4
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        noise = np.zeros((200, 300), np.float32)
        with pytest.raises(ModelRunError, match="pixels along axis 'x'"):
            bc.predict(model, noise, tmp_path / "out.zarr", axes="yx", client=client, **BLOCKS)
        with pytest.raises(OutputError):
            bc.predict(model, noise, tmp_path / "out.zarr", axes="yx", client=client, **BLOCKS)

    def test_missing_package(self, client: Any, folder: Path, tmp_path: Path) -> None:
        """Packages that an image needs have to be on the workers, too; the error names the worker and the missing package."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        image = RecordedReads(np.zeros((200, 300), np.float32), tmp_path / "reads")  # of this module, which workers cannot import
        with pytest.raises(ModelRunError, match=r"worker tcp:.*No module named"):
            bc.predict(model, image, axes="yx", client=client, **BLOCKS)

    def test_nothing_stays_on_workers(self, client: Any, folder: Path, tmp_path: Path) -> None:
        """The network is unloaded when the run is over."""
        model = box_model(folder, {"min": 16, "step": 8}, halo=4)
        bc.predict(model, np.zeros((64, 64), np.float32), axes="yx", client=client)
        kept = client.run(lambda dask_worker: [name for name in dask_worker.plugins if name.startswith("bioimageio")])
        assert not any(kept.values())


class TestPluginOfWorkers:
    def test_worker_plans(self, client: Any, folder: Path, tmp_path: Path, image: Any) -> None:
        """If only the workers have a plugin, one of them plans."""
        model = pointwise_model(folder, pre=[{"id": "centre"}])
        with pytest.raises(UnknownExtensionError, match="op 'centre'"):
            bc.predict(model, image)
        found = bc.predict(model, str(tmp_path / "image.zarr"), str(tmp_path / "out.zarr"), client=client, **BLOCKS)
        assert found.plan is None
        assert list(found.statistics) == ["raw: 2. centre: mean over channel, y, x"]
        pixels = image[:]
        np.testing.assert_allclose(np.asarray(found["out"])[0, 0], pixels - pixels.mean(dtype=np.float64), atol=1e-6)

    def test_no_worker_has_it(self, client: Any, folder: Path, tmp_path: Path, image: Any) -> None:
        """A plugin that the workers also lack is an error."""
        model = pointwise_model(folder, pre=[{"id": "no_such_op"}])
        with pytest.raises(UnknownExtensionError, match="op 'no_such_op'"):
            bc.predict(model, str(tmp_path / "image.zarr"), str(tmp_path / "out.zarr"), client=client)


class TestWorkerProcesses:
    """Worker processes that are started for a prediction."""

    def test_same_as_threads(self, folder: Path, tmp_path: Path) -> None:
        """Worker processes predict, are configured for it, and leave the configuration of dask and the environment unchanged."""
        import dask

        model = box_model(folder, {"min": 16, "step": 4}, halo=4)
        image = np.random.default_rng(0).random((100, 120), dtype=np.float32)
        before, environment_before = dict(dask.config.get("distributed.nanny.pre-spawn-environ")), dict(os.environ)
        with bc.worker_processes(2) as client:
            environments = client.run(lambda: (os.getpid(), dict(os.environ)))
            prediction = bc.predict(model, image, tmp_path / "o.zarr", axes="yx", block={"y": 48, "x": 48}, client=client)
        assert len({pid for pid, _ in environments.values()} - {os.getpid()}) == 2
        for _, environment in environments.values():
            assert "MALLOC_TRIM_THRESHOLD_" not in environment
            assert environment["OMP_NUM_THREADS"] == "1"
            assert environment.get("GLIBC_TUNABLES") == {**environment_before, **large_pages()}.get("GLIBC_TUNABLES")
        assert dask.config.get("distributed.nanny.pre-spawn-environ") == before
        assert dict(os.environ) == environment_before
        alone = bc.predict(model, image, axes="yx", block={"y": 48, "x": 48})
        np.testing.assert_array_equal(np.asarray(prediction["out"]), np.asarray(alone["out"]))

    def test_killed_worker_comes_back(self) -> None:
        """A worker that is killed is started again, however long that takes: dask would give it up after a while."""
        import dask

        with dask.config.set({"distributed.deploy.lost-worker-timeout": "1ms"}), bc.worker_processes(1) as client:
            (killed,) = client.run(os.getpid).values()
            os.kill(killed, signal.SIGKILL)
            assert client.submit(os.getpid, pure=False).result(timeout=60) != killed

    def test_closed_to_others(self) -> None:
        """No client without its certificates talks to the scheduler or a worker, or runs code there."""
        with bc.worker_processes(1) as client:
            (worker,) = client.scheduler_info()["workers"]
            for address in (client.scheduler.address, worker):
                assert address.startswith("tls://127.0.0.1:")
                stranger = Security.temporary()
                for other in (address, address.replace("tls://", "tcp://")):
                    with pytest.raises((OSError, TypeError)):
                        Client(other, security=stranger if other == address else None, timeout="3s", set_as_default=False)
            assert client.submit(sum, [1, 2]).result() == 3

    def test_chunks_are_read_once(self, folder: Path, tmp_path: Path) -> None:
        """A worker caches chunks of two statistics sweeps until it predicts."""
        normalise = {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99}}
        model = pointwise_model(folder, pre=[normalise])
        image = RecordedReads(np.random.default_rng(0).random((256, 256), dtype=np.float32), tmp_path / "reads")
        here = bc.predict(model, image.array, axes="yx", **BLOCKS)
        cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import this module
        try:
            with bc.worker_processes(1) as client:
                there = bc.predict(model, image, tmp_path / "out.zarr", axes="yx", client=client, **BLOCKS)
        finally:
            cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
        np.testing.assert_array_equal(there["out"], here["out"])
        assert there.plan is not None
        assert there.plan.regions.count > 1
        by_worker = [f for f in (tmp_path / "reads").iterdir() if not f.name.startswith(f"{os.getpid()}-")]
        assert len(by_worker) == (256 // RecordedReads.CHUNK) ** 2
