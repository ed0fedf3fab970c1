"""Runs of ``bmz predict`` on a machine, in threads, worker processes and on a cluster."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import attrs
import numpy as np
import psutil
import zarr
from bmz_process import PRELOADED, ForkedBmz, Ran, Started
from fault_matrix.machine import Machine
from killable_cluster import KillableCluster
from made_models import box_model

__all__ = ["EXECUTORS", "Lab", "Prediction", "Running"]

EXECUTORS = ("threads", "processes", "cluster")

MOST = 240
"""Seconds until a run counts as one that never ends."""


class Lab:
    """A machine with a model and an image, and a cluster that is started when it is first used; a context manager.

    Args:
        folder: A new folder.

    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "model").mkdir()
        box_model(folder / "model", {"min": 16, "step": 4}, halo=4)
        noise = np.random.default_rng(0).random((240, 200), dtype=np.float32)
        zarr.create_array(str(folder / "image.zarr"), data=noise, chunks=(24, 24), dimension_names=("y", "x"))
        (folder / "machine").mkdir()
        self.machine = Machine(folder / "machine")

    def __enter__(self) -> Lab:
        self._stack = ExitStack()
        self._stack.enter_context(self.machine)
        self.bmz = ForkedBmz(started_by=self.machine.command(), preloaded=(*PRELOADED, "distributed", "onnxruntime"))
        self._stack.callback(self.bmz.close)
        self._clusters = self._stack.enter_context(ExitStack())
        self._cluster: KillableCluster | None = None
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    @property
    def cluster(self) -> KillableCluster:
        """A cluster of two workers."""
        if self._cluster is None:
            folder = self.folder / f"cluster-{len(list(self.folder.glob('cluster-*')))}"
            new = KillableCluster(folder, workers=2, nannies=False, started_by=self.machine.command())
            self._cluster = self._clusters.enter_context(new)
        return self._cluster

    def end_cluster(self) -> None:
        """Kill all processes of the cluster; the next use starts another one."""
        self._clusters.close()
        self._cluster = None

    def options(self, executor: str) -> list[str]:
        """Return the options of ``bmz predict`` for an executor."""
        if executor == "cluster":
            return ["--scheduler", self.cluster.address]
        return ["--processes", "2"] if executor == "processes" else ["--workers", "2"]


class Running:
    """A command that was started, and is killed if it never ends; a context manager that kills it at the end of the block."""

    def __init__(self, started: Started) -> None:
        self._started = started
        self._ran: Ran | None = None
        self.process = psutil.Process(started.process)
        self._watch = Timer(MOST, self.process.kill)
        self._watch.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._ran is None:
            self.process.kill()
            self.ended()

    def ended(self) -> Ran:
        """Wait for its end."""
        if self._ran is None:
            self._ran = self._started.ended()
            self._watch.cancel()
        return self._ran


@attrs.frozen(kw_only=True)
class Prediction:
    """A prediction with a new output on the disk of the machine; its image is slow to read, so that faults come in the middle."""

    lab: Lab
    name: str
    """Name of the folder of its output, on the disk."""

    executor: str
    protocol: str = ""
    """Protocol of the output; empty for its path."""

    @property
    def image(self) -> Path:
        """The image."""
        return self.lab.folder / "image.zarr"

    @property
    def output(self) -> Path:
        """The output, as processes outside of the machine see it."""
        return self.lab.machine.seen / self.name / "result.zarr"

    @property
    def arguments(self) -> list[str]:
        """Arguments of ``bmz``."""
        place = f"{self.lab.machine.disk}/{self.name}/result.zarr"
        output = f"{self.protocol}://{place}" if self.protocol else place
        images = (str(self.lab.folder / "model"), f"slowly://{self.image}")
        return ["predict", *images, "-o", output, "--block", "y=32,x=32", *self.lab.options(self.executor)]

    def start(self, *options: str) -> Running:
        """Start the command."""
        return Running(self.lab.bmz.start(*self.arguments, *options))

    def complete(self, *options: str) -> Ran:
        """Run the command to its end."""
        with self.start(*options) as running:
            return running.ended()

    def marked(self) -> int:
        """Return the number of tasks of regions that are marked as done."""
        return len([p for p in self.output.glob(".bmz-run/*-regions/*/*") if p.is_file() and p.name.isdigit()])

    def wait_for_tasks(self, count: int, running: Running) -> None:
        """Wait until some tasks are marked; fail if the command ends before."""
        give_up = time.monotonic() + MOST
        while self.marked() < count:
            assert running.process.is_running(), running.ended()
            assert time.monotonic() < give_up, "no tasks are marked"
            time.sleep(0.01)

    def files(self) -> dict[str, bytes]:
        """Return all files of the output, but the one that records the run, and when it was."""
        return {
            str(path.relative_to(self.output)): path.read_bytes()
            for path in sorted(self.output.rglob("*"))
            if path.is_file() and path != self.output / "zarr.json"
        }
