"""``bmz predict --scheduler`` while processes of the cluster are killed: a result or one sentence, and no wait without a word."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Timer

import numpy as np
import pytest

import bioimageio_core as bc

pytest.importorskip("distributed", reason="distributed is not installed")

import psutil
from killable_cluster import KillableCluster

COMMAND = """
from bioimageio_core.cli import main
from bioimageio_core.prediction.execution.executors import scheduler_calls

if __name__ == "__main__":
    scheduler_calls.REPORT_AFTER, scheduler_calls.REPORT_EVERY = 2.0, 4.0
    main()
"""
BLOCKS = {"y": 64, "x": 64}
MOST = 150
"""Seconds until a command counts as one that waits for ever."""


class Command:
    """A running ``bmz predict``."""

    def __init__(self, folder: Path, model: Path, image: Path, address: str, *options: str) -> None:
        self.output = folder / "o.zarr"
        script = folder / "command.py"
        script.write_text(COMMAND)
        arguments = ["predict", str(model), str(image), "-o", str(self.output), "--scheduler", address, "--block", "y=64,x=64", "--json"]
        arguments += options
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(script), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def wait_for_regions(self, count: int) -> None:
        """Wait until some tasks of regions are done."""
        while len([p for p in self.output.glob(".bmz-run/*-regions/*/*") if p.is_file()]) < count:
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.02)

    def wait_for_report(self, words: str) -> None:
        """Wait until the command reports something."""
        assert self.process.stderr is not None
        watch = Timer(MOST, self.process.kill)
        watch.start()
        for line in self.process.stderr:
            if words in line:
                break
        else:
            raise AssertionError(f"the command ended without a report of: {words}")
        watch.cancel()

    def ended(self) -> tuple[int, str]:
        """Return the exit status and what the command reported."""
        _, report = self.process.communicate(timeout=MOST)
        return self.process.returncode, report


@contextmanager
def predicting(folder: Path, model: Path, image: Path, cluster: KillableCluster, *options: str) -> Iterator[Command]:
    """Run the command, and kill it in the end."""
    command = Command(folder, model, image, cluster.address, *options)
    try:
        yield command
    finally:
        command.process.kill()
        command.process.wait()


def last_line(report: str) -> str:
    """Return the sentence with which a command ended."""
    return report.strip().splitlines()[-1]


def assert_resumes(output: Path, model: Path, image: Path) -> None:
    """Fail unless the run can be resumed in threads, with the result of an uninterrupted one."""
    resumed = bc.predict(model, image, output, block=BLOCKS, resume=True, client=False)
    expected = bc.predict(model, image, block=BLOCKS, client=False)
    for name in expected:
        np.testing.assert_array_equal(np.asarray(resumed[name]), np.asarray(expected[name]))


class TestLost:
    def test_scheduler(self, tmp_path: Path, model: Path, image: Path) -> None:
        """A scheduler that dies ends the command with one sentence that names the remedy, and the run can be resumed."""
        with (
            KillableCluster(tmp_path / "cluster", workers=1, nannies=False) as cluster,
            predicting(tmp_path, model, image, cluster) as command,
        ):
            command.wait_for_regions(3)
            cluster.scheduler.kill()
            status, report = command.ended()
        assert status == 1
        assert "scheduler of the cluster ended" in last_line(report)
        assert "--resume" in last_line(report)
        assert "Traceback" not in report, report
        assert_resumes(command.output, model, image)

    def test_scheduler_that_starts_again(self, tmp_path: Path, model: Path, image: Path) -> None:
        """A scheduler that starts again at its address knows no tasks: the command says so, and with ``--resume`` continues there."""
        with (
            KillableCluster(tmp_path / "cluster", workers=1, nannies=False) as cluster,
            predicting(tmp_path, model, image, cluster) as command,
        ):
            command.wait_for_regions(3)
            cluster.start_scheduler_again()
            status, report = command.ended()
            assert status == 1, report
            assert "even if it started again" in last_line(report)
            assert "--resume" in last_line(report)
            assert "Traceback" not in report, report
            cluster.start_worker("--no-nanny", "--nthreads", "1")
            with predicting(tmp_path, model, image, cluster, "--resume") as again:
                status, report = again.ended()
            assert status == 0, report
        assert_resumes(command.output, model, image)

    def test_all_workers(self, tmp_path: Path, model: Path, image: Path) -> None:
        """Without workers the command says so, and ends after the time that is given."""
        with (
            KillableCluster(tmp_path / "cluster", workers=1, nannies=False) as cluster,
            predicting(tmp_path, model, image, cluster, "--wait-for-workers", "6") as command,
        ):
            command.wait_for_regions(3)
            cluster.parents[0].kill()
            status, report = command.ended()
        assert status == 1
        assert "without workers" in report.strip().splitlines()[-2]
        assert "start workers" in last_line(report)
        assert "--resume" in last_line(report)
        assert "Traceback" not in report, report
        assert_resumes(command.output, model, image)


class TestStopped:
    """Processes that are stopped, as by Ctrl-Z, a debugger or a frozen machine: they neither die nor answer."""

    @pytest.mark.parametrize("then", [signal.SIGCONT, signal.SIGKILL])
    def test_worker(self, tmp_path: Path, model: Path, image: Path, then: signal.Signals) -> None:
        """The command names a worker that stops, and completes once it continues, or dies while another one lives."""
        with (
            KillableCluster(tmp_path / "cluster", workers=2, nannies=False) as cluster,
            predicting(tmp_path, model, image, cluster) as command,
        ):
            command.wait_for_regions(3)
            cluster.parents[0].send_signal(signal.SIGSTOP)
            command.wait_for_report("no answer from")
            cluster.parents[0].send_signal(then)
            status, report = command.ended()
        assert status == 0, report
        assert_resumes(command.output, model, image)

    def test_worker_before_the_run(self, tmp_path: Path, model: Path, image: Path) -> None:
        """A worker that does not answer while the job is sent is reported likewise."""
        with KillableCluster(tmp_path / "cluster", workers=2, nannies=False) as cluster:
            cluster.parents[0].send_signal(signal.SIGSTOP)
            with predicting(tmp_path, model, image, cluster) as command:
                command.wait_for_report("no answer from")
                cluster.parents[0].send_signal(signal.SIGCONT)
                status, report = command.ended()
        assert status == 0, report
        assert_resumes(command.output, model, image)

    def test_scheduler(self, tmp_path: Path, model: Path, image: Path) -> None:
        """A scheduler that stops is reported likewise, and the command completes once it continues."""
        with (
            KillableCluster(tmp_path / "cluster", workers=1, nannies=False) as cluster,
            predicting(tmp_path, model, image, cluster) as command,
        ):
            command.wait_for_regions(3)
            cluster.scheduler.send_signal(signal.SIGSTOP)
            command.wait_for_report("no answer from the cluster")
            cluster.scheduler.send_signal(signal.SIGCONT)
            status, report = command.ended()
        assert status == 0, report
        assert_resumes(command.output, model, image)


class TestAtRandom:
    @pytest.mark.large
    @pytest.mark.parametrize("seed", range(30))
    def test_large(self, tmp_path: Path, model: Path, image: Path, seed: int) -> None:
        """A worker, a nanny, the scheduler, all workers or all nannies are killed at any moment: a result or one sentence."""
        chance = random.Random(seed)
        victim = ("worker", "workers", "nanny", "nannies", "scheduler")[seed % 5]
        with (
            KillableCluster(tmp_path / "cluster", workers=2, nannies=True) as cluster,
            predicting(tmp_path, model, image, cluster, "--wait-for-workers", "20") as command,
        ):
            time.sleep(chance.uniform(1, 10))
            victims = {
                "worker": cluster.workers()[:1],
                "workers": cluster.workers(),
                "nanny": cluster.parents[:1],
                "nannies": cluster.parents,
                "scheduler": [cluster.scheduler],
            }
            for process in victims[victim]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            status, report = command.ended()
        if victim in ("nannies", "scheduler") and status:
            assert status in (1, 2)
            assert "start workers" in last_line(report) or "scheduler" in last_line(report)
        else:
            assert status == 0, report
        assert "Traceback" not in report, report
        assert_resumes(command.output, model, image)
