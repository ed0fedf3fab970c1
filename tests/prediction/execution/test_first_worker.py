"""Plans and predictions on clusters whose workers join later, as jobs of batch systems do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import ModelRunError
from bioimageio_core.resources import allotted_cores

pytest.importorskip("distributed", reason="distributed is not installed")

import distributed
from killable_cluster import KillableCluster

from bioimageio_core.prediction.execution.executors import scheduler_calls

IMAGE = np.random.default_rng(0).random((200, 300), dtype=np.float32)
GIB = 2**30


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that takes any size."""
    folder = tmp_path / "model"
    folder.mkdir()
    return box_model(folder, {"min": 16, "step": 8}, halo=4)


class TestJobsInAQueue:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Report waits after half a second."""
        monkeypatch.setattr(scheduler_calls, "REPORT_AFTER", 0.5)

    def test_plan(self, tmp_path: Path, model: Path, caplog: pytest.LogCaptureFixture) -> None:
        """A plan waits for the first worker, says so, and takes its threads and memory."""
        with (
            KillableCluster(tmp_path / "cluster", workers=0, nannies=False) as cluster,
            distributed.Client(cluster.address, set_as_default=False) as client,
            bc.open_predictor(model, client=client) as predictor,
            ThreadPoolExecutor() as threads,
        ):
            planned = threads.submit(predictor.plan, IMAGE, axes="yx", block=32)
            while not caplog.messages:
                time.sleep(0.1)
            assert not planned.done()
            cluster.start_worker("--no-nanny", "--nthreads", "3", "--memory-limit", "1GiB")
            plan = planned.result(timeout=60)
        assert "without workers" in caplog.messages[0]
        assert "waits for workers until one joins" in caplog.messages[0]
        assert plan.workers == 3
        assert plan.memory == int(0.7 * GIB)

    def test_adaptive(self, model: Path) -> None:
        """A cluster that adapts to its load has no workers until there is a task."""
        with (
            distributed.LocalCluster(n_workers=0, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
        ):
            cluster.adapt(minimum=0, maximum=1, interval="200ms")
            found = bc.predict(model, IMAGE, axes="yx", block=64, client=client)
        assert found.plan is not None
        assert found.plan.workers == 2
        np.testing.assert_array_equal(found["out"], bc.predict(model, IMAGE, axes="yx", block=64, client=False)["out"])

    def test_limit(self, model: Path) -> None:
        """The wait ends with an error after the time that is given."""
        with (
            distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
            pytest.raises(ModelRunError, match=r"without workers .*wait_for_workers="),
        ):
            bc.predict(model, IMAGE, axes="yx", client=client, wait_for_workers=1)


class TestMemory:
    def test_small_workers_of_this_machine(self, model: Path) -> None:
        """Memory limits of worker processes on this machine limit the budget."""
        with (
            distributed.LocalCluster(n_workers=2, threads_per_worker=1, memory_limit="400MiB", dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
            bc.open_predictor(model, client=client) as predictor,
        ):
            assert predictor.plan(IMAGE, axes="yx").memory == int(0.7 * 800 * 2**20)
            assert predictor.plan(IMAGE, axes="yx", memory="3 GiB").memory == 3 * GIB
            assert predictor.plan(IMAGE, axes="yx", client=False).threads <= allotted_cores()

    def test_large_workers_of_this_machine(self, model: Path) -> None:
        """Memory that worker processes on this machine could use, but that this job may not, does not count."""
        with (
            distributed.LocalCluster(n_workers=1, threads_per_worker=1, memory_limit="100GiB", dashboard_address="127.0.0.1:0") as cluster,
            distributed.Client(cluster, set_as_default=False) as client,
            bc.open_predictor(model) as predictor,
        ):
            assert predictor.plan(IMAGE, axes="yx", client=client).memory == predictor.plan(IMAGE, axes="yx", client=False).memory
