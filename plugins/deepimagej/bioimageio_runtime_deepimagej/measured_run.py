"""How long a run of a model takes, and how much memory, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.python_process import python_command

__all__ = ["MeasuredRun", "measure_run"]

TIMEOUT = 1800
"""Seconds."""


@attrs.frozen(kw_only=True)
class MeasuredRun:
    """One run on test inputs."""

    seconds: float
    memory: int
    """Peak memory of the process in bytes."""

    def memory_text(self) -> tuple[float, str]:
        """Return number and unit as deepImageJ writes them."""
        return round(self.memory / 2**20, 1), "Mb"


def measure_run(folder: Path, inputs: dict[str, str], make: dict[str, list[int]], save: dict[str, str], *, bare: list[str]) -> MeasuredRun:
    """Run a model once.

    Args:
        folder: Holds the model.
        inputs: Files of test inputs, by tensor id.
        make: Shapes of inputs that are made of noise first, by tensor id; written to the files in ``inputs``.
        save: Files that outputs are written to, by tensor id.
        bare: Axes with a halo, along which nothing is padded: test tensors are what the bare network gives.

    Raises:
        ValueError: It cannot be run, or its memory is not known on this system.

    """
    job = json.dumps({"folder": str(folder), "inputs": inputs, "make": make, "save": save, "bare": bare})
    command = python_command("-m", __name__)
    try:
        done = subprocess.run(command, input=job, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise ValueError(f"the model could not be measured: it ran for more than {TIMEOUT} s") from None
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise ValueError(f"the model could not be measured: {reason[0]}")
    found = json.loads(done.stdout.splitlines()[-1])
    if found["memory"] is None:
        raise ValueError("the model could not be measured: this system does not record the memory of processes")
    return MeasuredRun(seconds=found["seconds"], memory=found["memory"])


def _run(job: dict[str, Any]) -> dict[str, Any]:
    import time

    import numpy as np

    import bioimageio_core as bc
    from bioimageio_core.resources import peak_memory

    folder = Path(job["folder"])
    for name, shape in job["make"].items():
        np.save(folder / job["inputs"][name], np.random.default_rng(0).random(shape, dtype=np.float32))
    given = {name: np.load(folder / file) for name, file in job["inputs"].items()}
    begin = time.perf_counter()
    found = bc.predict(folder, given, halo=dict.fromkeys(job["bare"], 0))
    seconds = time.perf_counter() - begin
    for name, file in job["save"].items():
        np.save(folder / file, np.asarray(found[name]))
    return {"seconds": seconds, "memory": peak_memory()}


if __name__ == "__main__":
    print(json.dumps(_run(json.load(sys.stdin))))
