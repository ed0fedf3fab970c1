"""Clusters whose worker or scheduler dies."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

import bioimageio_core as bc

pytest.importorskip("distributed", reason="distributed is not installed")

SCRIPT = """
import json, os, signal, sys
from pathlib import Path
import zarr
import bioimageio_core as bc
from distributed import Client, LocalCluster

class KillsFirstReader:
    def __init__(self, array, mark):
        self.array, self.mark, self.shape, self.dtype, self.chunks = array, mark, array.shape, array.dtype, array.chunks

    def __getitem__(self, index):
        return self.array[index]

    def __setstate__(self, state):
        self.__dict__.update(state)
        if not Path(self.mark).exists():
            Path(self.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    model, image, output, text = sys.argv[1:5]
    options = json.loads(text)
    victim, after, wanted = options.pop("victim", None), options.pop("after", 0), options.pop("stage", "predict")
    if "dies_with" in options:
        image = KillsFirstReader(zarr.open_array(image, mode="r"), options.pop("dies_with"))
        options["axes"] = "yx"
    count = options.pop("workers", 2)
    with LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster, Client(cluster) as client:
        workers = [nanny.pid for nanny in cluster.workers.values()]
        killed = []

        def progress(stage, done, total):
            if victim and not killed and stage.startswith(wanted) and (done == total if after is None else done >= after):
                killed.append(1)
                if victim == "worker":
                    os.kill(workers[0], signal.SIGKILL)
                else:
                    os.kill(os.getpid(), signal.SIGKILL)  # the scheduler lives in this process, and so does the client

        found = bc.predict(model, image, output, client=client, progress=progress, **options)
        print(json.dumps({"finished": found.finished, "done_before": found.done_before, "killed": len(killed)}))
"""
BLOCKS: dict[str, Any] = {"block": {"y": 64, "x": 64}, "ome": "none"}


def run(tmp_path: Path, model: Path, image: Path, output: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Predict in a separate process with two worker processes."""
    script = tmp_path / "predict_on_cluster.py"
    script.write_text(SCRIPT)
    arguments = [sys.executable, "-P", str(script), str(model), str(image), str(output), json.dumps({**BLOCKS, **options})]
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=180)


def assert_same(output: Path, undisturbed: Path) -> None:
    """Fail unless two outputs are equal bit by bit."""
    found, expected = zarr.open_group(str(output), mode="r"), zarr.open_group(str(undisturbed), mode="r")
    for name in ("smooth", "energy"):
        np.testing.assert_array_equal(found[name][...].view("uint32"), expected[name][...].view("uint32"))  # type: ignore[index, union-attr]


class TestKilled:
    """Finished tasks stay done, whatever dies."""

    @pytest.fixture
    def undisturbed(self, tmp_path: Path, model: Path, image: Path) -> Path:
        """The output of an uninterrupted run on threads of this process."""
        output = tmp_path / "undisturbed.zarr"
        bc.predict(model, image, output, **BLOCKS)
        return output

    @pytest.mark.parametrize(("stage", "after"), [("statistics of raw", 0), ("predict", 3), ("postprocess", 1)])
    def test_worker(self, tmp_path: Path, model: Path, image: Path, undisturbed: Path, stage: str, after: int) -> None:
        """The run continues, and its result equals that of threads, bit by bit."""
        done = run(tmp_path, model, image, tmp_path / "o.zarr", victim="worker", stage=stage, after=after)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == {"finished": True, "done_before": 0, "killed": 1}
        assert_same(tmp_path / "o.zarr", undisturbed)

    def test_only_worker(self, tmp_path: Path, model: Path, image: Path, undisturbed: Path) -> None:
        """If no worker is left for a moment, the tasks of the dead one go to the one that its nanny starts."""
        done = run(tmp_path, model, image, tmp_path / "o.zarr", victim="worker", after=3, workers=1)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1]) == {"finished": True, "done_before": 0, "killed": 1}
        assert_same(tmp_path / "o.zarr", undisturbed)

    def test_while_the_job_is_sent(self, tmp_path: Path, model: Path, image: Path, undisturbed: Path) -> None:
        """The first worker that unpickles a job dies; the job is sent again to those that live."""
        done = run(tmp_path, model, image, tmp_path / "o.zarr", dies_with=str(tmp_path / "died"))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "died").exists()
        assert_same(tmp_path / "o.zarr", undisturbed)

    def test_while_the_job_is_removed(self, tmp_path: Path, model: Path, image: Path, undisturbed: Path) -> None:
        """A worker dies as the last region is done, and the job is removed from the workers that live."""
        done = run(tmp_path, model, image, tmp_path / "o.zarr", victim="worker", after=None)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout.splitlines()[-1])["killed"] == 1
        assert_same(tmp_path / "o.zarr", undisturbed)

    @pytest.mark.parametrize(("stage", "after"), [("predict", 10), ("statistics of energy", 0), ("postprocess", 1)])
    def test_scheduler(self, tmp_path: Path, model: Path, image: Path, undisturbed: Path, stage: str, after: int) -> None:
        """The run ends, and can be resumed on a different cluster."""
        output = tmp_path / "o.zarr"
        assert run(tmp_path, model, image, output, victim="scheduler", stage=stage, after=after).returncode == -signal.SIGKILL
        again = run(tmp_path, model, image, output, resume=True)
        assert again.returncode == 0, again.stderr
        result = json.loads(again.stdout.splitlines()[-1])
        assert result["finished"]
        assert result["done_before"] >= (after if stage == "predict" else 1)
        assert_same(output, undisturbed)

    @pytest.mark.large
    @pytest.mark.parametrize("seed", range(20))
    def test_large_at_random(self, tmp_path: Path, model: Path, image: Path, undisturbed: Path, seed: int) -> None:
        """All processes are killed at a random moment, then the run is resumed."""
        output = tmp_path / "o.zarr"
        chance = random.Random(seed)
        script = tmp_path / "predict_on_cluster.py"
        script.write_text(SCRIPT)
        options = json.dumps({**BLOCKS, "resume": True})
        arguments = [sys.executable, "-P", str(script), str(model), str(image), str(output), options]
        for _ in range(2):
            with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as process:
                time.sleep(chance.uniform(2, 9))
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        assert run(tmp_path, model, image, output, resume=True).returncode == 0
        assert_same(output, undisturbed)
