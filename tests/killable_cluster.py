"""A dask cluster whose scheduler, workers and nannies are processes that a test can kill."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
from distributed import Client


class KillableCluster:
    """A scheduler and workers, each started by its own command; a context manager that kills what is left.

    Args:
        folder: A new folder for their files.
        workers: Number of workers, with one thread each.
        nannies: Whether each worker is the child of a process that starts it again when it dies.
        started_by: The beginning of a command that runs the rest of it.

    """

    def __init__(self, folder: Path, *, workers: int, nannies: bool, started_by: Sequence[str] = ()) -> None:
        self._folder, self._count, self._nannies, self._started_by = folder, workers, nannies, started_by
        self._file = folder / "scheduler.json"
        self.parents: list[subprocess.Popen[bytes]] = []
        """Processes that were started for the workers: their nannies, or the workers themselves."""

    def __enter__(self) -> KillableCluster:
        self._folder.mkdir(parents=True)
        self.scheduler = self._start("scheduler", "--port", "0", "--no-jupyter")
        options = ("--nanny", "--nworkers", "1") if self._nannies else ("--no-nanny",)
        self.parents = []
        for _ in range(self._count):
            self.start_worker("--nthreads", "1", *options)
        give_up = time.monotonic() + 60
        while not (self._file.is_file() and self._file.read_text()):  # it is made before it is written
            assert time.monotonic() < give_up, "the scheduler did not start"
            time.sleep(0.1)
        self.address = str(json.loads(self._file.read_text())["address"])
        with Client(self.address, set_as_default=False) as client:
            if self._count:
                client.wait_for_workers(self._count, timeout=60)
        return self

    def __exit__(self, *exc: object) -> None:
        workers = self.workers()
        for process in (*self.parents, self.scheduler):
            process.kill()
            process.wait()
        for worker in workers:
            with suppress(psutil.NoSuchProcess):
                worker.kill()

    def start_worker(self, *options: str) -> None:
        """Start another worker, with options of ``dask worker``."""
        self.parents.append(self._start("worker", *options))

    def start_scheduler_again(self) -> None:
        """Kill the scheduler, and start another one at its address."""
        self.scheduler.kill()
        self.scheduler.wait()
        self.scheduler = self._start("scheduler", "--port", self.address.rpartition(":")[2], "--no-jupyter")

    def workers(self) -> list[psutil.Process]:
        """Return the processes of the workers that are alive."""
        found = []
        for parent in self.parents:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(parent.pid)
                children = [child for child in process.children() if "spawn_main" in " ".join(child.cmdline())]
                found += children if self._nannies else [process] * (parent.poll() is None)
        return found

    def _start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        command = [*self._started_by, sys.executable, "-P", "-m", "dask", what, "--host", "127.0.0.1", "--no-dashboard", *options]
        with (self._folder / "log.txt").open("ab") as log:
            return subprocess.Popen([*command, "--scheduler-file", str(self._file)], cwd=self._folder, stdout=log, stderr=log)
