"""Which client predicts: the active one, a given one, or none, also within tasks of a cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError

distributed = pytest.importorskip("distributed", reason="distributed is not installed")

SECONDS = 60
"""Seconds until a prediction within a task counts as one that waits for ever."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mean filter."""
    return box_model(tmp_path_factory.mktemp("model"), {"min": 16, "step": 8}, halo=4)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """The active client of a cluster with a single worker thread, in this process."""
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as client:
        yield client


IMAGE = np.random.default_rng(0).random((100, 120), dtype=np.float32)


def predict(model: Path, **options: Any) -> Any:
    """Return the prediction of the image as numpy."""
    return np.asarray(bc.predict(model, IMAGE, axes="yx", block={"y": 48, "x": 48}, **options)["out"])


@pytest.fixture(scope="module")
def expected(model: Path) -> Any:
    """The prediction in threads."""
    return predict(model, client=False)


class TestWithinATask:
    """Tasks that wait for tasks of their own cluster must not keep its only thread."""

    def test_threads_by_default(self, client: Any, model: Path, expected: Any) -> None:
        """The prediction runs in threads of the worker process."""
        found = client.submit(predict, model).result(timeout=SECONDS)
        np.testing.assert_array_equal(found, expected)

    def test_given_client(self, client: Any, model: Path, expected: Any) -> None:
        """A client that is given within tasks predicts on the cluster, and the threads of the tasks are free meanwhile."""

        def within_task(model: Path) -> Any:
            return predict(model, client=distributed.get_client())

        for future in client.map(within_task, [model] * 3, pure=False):
            np.testing.assert_array_equal(future.result(timeout=SECONDS), expected)

    def test_worker_client(self, client: Any, model: Path, expected: Any) -> None:
        """A thread that the task gave back already is not given back twice."""

        def within_task(model: Path) -> Any:
            with distributed.worker_client() as own:
                return predict(model, client=own)

        np.testing.assert_array_equal(client.submit(within_task, model).result(timeout=SECONDS), expected)

    def test_statistics(self, client: Any) -> None:
        """Statistics are measured likewise."""
        found = client.submit(bc.compute_statistics, IMAGE, axes="yx").result(timeout=SECONDS)
        assert found.dataset["mean over y, x"] == [[pytest.approx(IMAGE.mean(dtype=np.float64))]]


class TestChoice:
    def test_active(self, client: Any, model: Path, expected: Any) -> None:
        """None stands for the active client: workers load the network, and this process does not."""
        with bc.open_predictor(model) as predictor:
            predictor.predict(IMAGE, axes="yx")
            assert predictor._loaded is None

    def test_false(self, client: Any, model: Path) -> None:
        """False stands for threads of this process, although a client is active."""
        with bc.open_predictor(model, client=False) as predictor:
            predictor.predict(IMAGE, axes="yx")
            assert predictor._loaded is not None

    def test_closed(self, client: Any, model: Path) -> None:
        """A closed client is an error in one sentence."""
        closed = distributed.Client(client.scheduler.address, set_as_default=False)
        closed.close()
        with pytest.raises(InputError, match=r"not connected .*client=False"):
            predict(model, client=closed)

    def test_asynchronous(self, client: Any, model: Path) -> None:
        """An asynchronous client is an error in one sentence, given or active."""

        async def check() -> None:
            async with distributed.Client(client.scheduler.address, asynchronous=True, set_as_default=False) as own:
                with pytest.raises(InputError, match=r"asynchronous.*client=False"):
                    predict(model, client=own)
                with own.as_current(), pytest.raises(InputError, match="asynchronous"):
                    predict(model)

        import asyncio

        asyncio.run(check())

    def test_cluster(self, client: Any, model: Path) -> None:
        """A cluster is not a client; the error tells how to make one."""
        with pytest.raises(InputError, match=r"LocalCluster.*Client\(cluster\)"):
            predict(model, client=client.cluster)

    def test_without_distributed(self, model: Path) -> None:
        """Whatever is no client is an error where distributed is not imported, too."""
        script = "import sys, numpy as np, bioimageio_core as bc\nbc.predict(sys.argv[1], np.zeros((64, 64)), axes='yx', client='x')"
        done = subprocess.run([sys.executable, "-P", "-c", script, str(model)], capture_output=True, text=True, check=False)
        assert "InputError: client is of type str: expected a distributed.Client" in done.stderr
