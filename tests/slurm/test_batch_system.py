"""The recipes of the documentation for batch systems, carried out by SLURM."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import zarr
from made_models import waiting_model
from slurm_daemons import NotStartedError, Slurm, missing, slurm

import bioimageio_core as bc

pytestmark = pytest.mark.skipif(
    "BMZ_SLURM" not in os.environ or bool(missing()), reason="run by 'nox -s slurm' as root, with SLURM (Debian: slurm-wlm, munge)"
)

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str) -> list[str]:
    """Return the blocks of shell code of a page of the documentation."""
    return re.findall(r"^```text\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def system() -> Iterator[Slurm]:
    """A running batch system, whose jobs find ``bmz``."""
    with ExitStack() as stack:
        try:
            system = stack.enter_context(slurm())
        except NotStartedError as error:
            pytest.skip(str(error))
        system.variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), system.variables["PATH"]])
        yield system


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the model and the image of the documentation."""
    (tmp_path / "my-model").mkdir()
    waiting_model(tmp_path / "my-model")
    noise = np.random.default_rng(0).random((900, 800), dtype=np.float32)
    zarr.create_array(str(tmp_path / "volume.zarr"), data=noise, chunks=(64, 64), dimension_names=("y", "x"))
    return tmp_path


def pause(folder: Path) -> None:
    """Pause the prediction in a folder, so that it does not end before the batch system interrupts it."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder) and "predict" in process.cmdline():
                process.suspend()


def assert_complete(folder: Path) -> None:
    """Fail unless the output equals that of a run in this process."""
    assert not (folder / "result.zarr" / ".bmz-unfinished.json").exists()
    expected = bc.predict(folder / "my-model", folder / "volume.zarr", client=False)
    found = zarr.open_group(str(folder / "result.zarr"), mode="r")
    for name, output in expected.items():
        image = np.asarray(found[f"{name}/0"])
        np.testing.assert_allclose(image, np.squeeze(np.asarray(output), output.axes.index("batch")), rtol=1e-5, atol=1e-6)


class TestRecipes:
    def test_array_of_shards(self, system: Slurm, folder: Path) -> None:
        """An array of jobs, each a shard; the last one completes the output."""
        script = next(block for block in blocks("resuming.md") if "--array" in block)
        (folder / "shards.sh").write_text(script)
        job = system.run("sbatch", "--parsable", "--array=1-4", "shards.sh", folder=folder)
        assert system.wait_for(job, "COMPLETED", "FAILED") == ["COMPLETED"] * 4
        assert_complete(folder)

    def test_statistics_shards_last_step(self, system: Slurm, folder: Path) -> None:
        """Three jobs, each after the one before: statistics, an array of shards, and whatever they left."""
        script, submit = [block for block in blocks("resuming.md") if "statistics.json" in block]
        (folder / "shards.sh").write_text(script)
        (folder / "submit.sh").write_text(submit.replace("--array=1-100", "--array=1-4"))
        jobs = system.run("bash", "-eu", "submit.sh", folder=folder).split()
        for job in jobs:
            assert set(system.wait_for(job, "COMPLETED", "FAILED")) == {"COMPLETED"}
        assert (folder / "statistics.json").is_file()
        assert_complete(folder)


class TestRequeued:
    """Jobs that the batch system stops and starts again later."""

    def test_preempted(self, system: Slurm, folder: Path) -> None:
        """An urgent job takes the node; the stopped job continues its run when it starts again."""
        command = "bmz predict my-model volume.zarr -o result.zarr --resume --block y=64,x=64"
        job = system.run("sbatch", "--parsable", "--requeue", "--cpus-per-task=16", "--wrap", command, folder=folder)
        give_up = time.monotonic() + 120
        while not any(path.is_file() for path in folder.glob("result.zarr/.bmz-run/*-regions/*/*")):
            assert time.monotonic() < give_up, system.run("scontrol", "show", "job", job)
            time.sleep(0.05)
        pause(folder)
        urgent = system.run("sbatch", "--parsable", "--partition=urgent", "--cpus-per-task=16", "--wrap", "sleep 1", folder=folder)
        system.wait_for(urgent, "COMPLETED")
        system.wait_for(job, "COMPLETED", "FAILED")
        assert "Restarts=1" in system.run("scontrol", "show", "job", job)
        assert_complete(folder)

    def test_requeued_shard(self, system: Slurm, folder: Path) -> None:
        """An operator requeues a running shard; the others continue, and it takes up its own part again."""
        script = next(block for block in blocks("resuming.md") if "--array" in block)
        (folder / "shards.sh").write_text(script)
        job = system.run("sbatch", "--parsable", "--array=1-2", "shards.sh", folder=folder)
        while "RUNNING" not in system.states(f"{job}_2"):
            time.sleep(0.1)
        system.run("scontrol", "requeue", f"{job}_2")
        assert system.wait_for(job, "COMPLETED", "FAILED") == ["COMPLETED"] * 2
        assert_complete(folder)


class TestJobqueue:
    def test_slurm_cluster(self, system: Slurm, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Workers in jobs of the batch system predict, those that join during the run included."""
        jobqueue: Any = pytest.importorskip("dask_jobqueue")
        from distributed import Client

        for name in ("PATH", "SLURM_CONF"):
            monkeypatch.setenv(name, system.variables[name])
        with (
            jobqueue.SLURMCluster(
                cores=1,
                processes=1,
                memory="2GB",
                walltime="00:10:00",
                interface="lo",
                python=sys.executable,
                log_directory=str(folder),
                local_directory=str(folder),
                scheduler_options={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):
            cluster.scale(jobs=1)
            joined = []

            def progress(stage: str, done: int, total: int) -> None:
                if stage.startswith("predict") and not joined:
                    cluster.scale(jobs=2)
                    joined.append(stage)

            bc.predict(
                folder / "my-model", folder / "volume.zarr", folder / "result.zarr", client=client, progress=progress, wait_for_workers=120
            )
        assert joined
        assert_complete(folder)
