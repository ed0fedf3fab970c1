"""What the benchmarks share: models, images, and medians of interleaved runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

SHARED = Path(os.environ["BMZ_SHARED"]) if os.environ.get("BMZ_SHARED") else None


def model_folder(name: str) -> Path:
    """Return a real model; the benchmark ends where there is none."""
    if SHARED is None:
        sys.exit("BMZ_SHARED names no folder of shared test data: nothing to measure with")
    return SHARED / "models" / name


def write_noise(path: Path, size: int, *, chunk: int = 512, dtype: str = "float32") -> Path:
    """Write a square image of noise as zarr, row of chunks by row of chunks."""
    import zarr

    array = zarr.create_array(str(path), shape=(size, size), chunks=(chunk, chunk), dtype=dtype, overwrite=True, dimension_names=("y", "x"))
    for start in range(0, size, chunk):
        random = np.random.default_rng(start)
        array[start : start + chunk] = random.random((min(chunk, size - start), size), dtype=np.float32).astype(dtype)
    return path


def interleaved(ways: dict[str, Callable[[], Any]], *, rounds: int) -> dict[str, float]:
    """Run each way in turn, several times; return the median seconds of each. Interleaving lets a noisy machine hit all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begin)
    return {name: median(times) for name, times in seconds.items()}


def in_new_process(code: str, *arguments: str) -> dict[str, Any]:
    """Run code in a new interpreter; it prints JSON on its last line."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def report(what: str, **figures: float | str) -> None:
    """Print one line of figures."""
    print(f"{what}: " + ", ".join(f"{k} {v if isinstance(v, str) else format(v, '.4g')}" for k, v in figures.items()), flush=True)
