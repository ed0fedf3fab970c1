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

from bioimageio_core.resources import large_pages

SHARED = Path(os.environ["BMZ_SHARED"]) if os.environ.get("BMZ_SHARED") else None


def model_folder(name: str) -> Path:
    """Return a real model; the benchmark ends where there is none."""
    if SHARED is None:
        sys.exit("BMZ_SHARED names no folder of shared test data: nothing to measure with")
    return SHARED / "models" / name


def camera_counts(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    """Return counts as cameras give them: noise of 10 bits in 16, which compress by about a third."""
    return np.random.default_rng(seed).normal(1000, 250, shape).clip(0).astype("uint16")


def write_noise(path: Path, size: int, *, chunk: int = 512, dtype: str = "float32") -> Path:
    """Write a square image of noise as zarr, row of chunks by row of chunks."""
    import zarr

    array = zarr.create_array(str(path), shape=(size, size), chunks=(chunk, chunk), dtype=dtype, overwrite=True, dimension_names=("y", "x"))
    for start in range(0, size, chunk):
        values = np.random.default_rng(start).random((min(chunk, size - start), size), dtype=np.float32)
        array[start : start + chunk] = values if dtype == "float32" else (values * np.iinfo(dtype).max).astype(dtype)
    return path


def write_volume(path: Path, size: int, *, chunk: int = 64) -> Path:
    """Write a cube of noise as zarr, slab of chunks by slab of chunks."""
    import zarr

    array = zarr.create_array(
        str(path), shape=(size,) * 3, chunks=(chunk,) * 3, dtype="float32", overwrite=True, dimension_names=("z", "y", "x")
    )
    for start in range(0, size, chunk):
        array[start : start + chunk] = np.random.default_rng(start).random((min(chunk, size - start), size, size), dtype=np.float32)
    return path


def bare_calls(
    weights: Path, shape: tuple[int, ...], *, at_once: int, threads: int, calls: int, variables: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return what bare calls of ONNX Runtime take, in a process with more environment variables."""
    arguments = (str(weights), ",".join(map(str, shape)), str(at_once), str(threads), str(calls))
    return script_result(sys.executable, Path(__file__).with_name("bare_calls.py"), *arguments, variables=variables)


def way(
    name: str,
    model: Path,
    image: Path,
    output: str,
    options: dict[str, Any],
    *,
    probe: bool = False,
    variables: dict[str, str] | None = None,
) -> Any:
    """Return what a way to predict takes; None where no Python has the reference.

    The environment variable BMZ_REFERENCE_PYTHON names one, with ``bioimageio.core==0.11.0`` and ``pydantic<2.14``.

    Its process has further environment variables. If none are given, the library's uses large pages of memory, as ``bmz predict`` does.
    """
    if variables is None and name == "library":
        variables = large_pages()
    python = sys.executable
    if name == "reference":
        python = os.environ.get("BMZ_REFERENCE_PYTHON", "")
        if not python:
            return None
    if probe:
        import bioimageio_core as bc

        with bc.open_predictor(model, **options) as predictor:
            if not predictor.plan(str(image)).profile.measured:
                predictor.probe(str(image))
    arguments = (name, str(model), str(image), output, json.dumps(options))
    return script_result(python, Path(__file__).with_name("ways.py"), *arguments, variables=variables)


def script_result(python: str, script: Path, *arguments: str, variables: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a script, which prints JSON on its last line."""
    environment = {**os.environ, **(variables or {})}
    done = subprocess.run([python, str(script), *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{script.name} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def report_way(found: dict[str, list[dict[str, float]]], *, limit: str) -> None:
    """Print medians of all ways, their ratios to one of them, and those of the library to the others."""
    medians = {name: {key: median(r[key] for r in results) for key in results[0]} for name, results in found.items()}
    for name, values in medians.items():
        figures = {key if key == "seconds" else f"{key}_MB": v if key == "seconds" else v / 1e6 for key, v in values.items()}
        report(f"  {name}", **figures, ratio_to_bare=values["seconds"] / medians[limit]["seconds"], runs=len(found[name]))
    for name, values in medians.items():
        if name not in (limit, "library") and "library" in medians:
            report(f"  library to {name}", ratio=medians["library"]["seconds"] / values["seconds"])


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
