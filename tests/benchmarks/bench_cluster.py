"""Worker processes, and very many regions.

Promised: two worker processes reach 0.95 of what two bare single-threaded processes reach; a million small regions (blocks of the network,
cheap ones grouped into one task and one chunk) run through two worker processes at over 2,000 regions/s with a null model but real reads,
writes and markers, with the scheduler's memory bounded; planning 10^9 regions takes under a second and under 200 MB.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

from made_models import null_model
from measuring import in_new_process, model_folder, report, write_noise

from bioimageio_core.resources import large_pages, peak_memory

SIZE = 8192
ROUNDS = 3
REGIONS = int(os.environ.get("BMZ_BENCH_REGIONS", str(1_000_000)))
PLAN = """
import json, sys, time
import numpy as np
import bioimageio_core as bc
from bioimageio_core.resources import peak_memory
predictor = bc.open_predictor(sys.argv[1])
image = np.broadcast_to(np.float32(1), (1000, 64 * 1000, 64 * 1000))
predictor.plan(image[0, :64, :64], axes="yx", block={"y": 72, "x": 72})  # imports
before = peak_memory()
begin = time.perf_counter()
plan = predictor.plan(image, axes="tyx", block={"y": 72, "x": 72})
seconds = time.perf_counter() - begin
list(plan.regions.blocks(plan.regions.count - 1))
peak = peak_memory()
print(json.dumps({"seconds": seconds, "blocks": plan.regions.block_count, "peak": peak, "more": peak - before}))
"""


def on_processes(model: Path, image: Path, output: str, options: dict[str, Any]) -> dict[str, float]:
    """Predict on two worker processes of one thread each; return seconds and memory of this process, which has the scheduler."""
    import bioimageio_core as bc
    from bioimageio_core.prediction.execution.executors.dask_clients import worker_processes

    with worker_processes(2) as client, bc.open_predictor(model, client=client, **options) as predictor:
        warming = write_noise(Path(output).with_name("warming.zarr"), 2048)  # enough for both workers, which import what they need
        predictor.predict(str(warming), str(warming.with_suffix(".out.zarr")), overwrite=True, block={})
        plan = predictor.plan(str(image))
        begin = time.perf_counter()
        prediction = predictor.run(plan, output, overwrite=True)
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "blocks": plan.regions.block_count, "tasks": plan.task_count, **prediction.times}


SHARD = """
import json, sys, time
import numpy as np
import bioimageio_core as bc
model, image, output, statistics, number = sys.argv[1:]
with bc.open_predictor(model, weights_format="onnx", workers=1, shard=(int(number), 2), statistics=statistics) as predictor:
    plan = predictor.plan(image)
    with predictor.network(plan.weights, plan.run_mode, threads=1, calls=1).acquire() as adapter:
        adapter([np.zeros([g.block_size(0) for g in plan.grids], np.float32)])  # which takes its memory
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.perf_counter()
    predictor.run(plan, output)
    print(json.dumps({"seconds": time.perf_counter() - begin}))
"""


def as_shards(model: Path, image: Path, output: str) -> dict[str, float]:
    """Return the seconds of two processes of one core that share a prediction without a scheduler, and of the statistics before.

    Networks are loaded before.
    """
    import bioimageio_core as bc

    shutil.rmtree(output, ignore_errors=True)
    statistics = Path(output).with_name("statistics.json")
    begin = time.perf_counter()
    bc.compute_statistics(str(image), model).save(statistics, overwrite=True)
    measured = time.perf_counter() - begin
    arguments = [sys.executable, "-c", SHARD, str(model), str(image), output, str(statistics)]
    environment = {**os.environ, "SLURM_CPUS_PER_TASK": "1"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    processes: list[Any] = [subprocess.Popen([*arguments, number], **pipes) for number in "12"]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return {"statistics": measured, "shards": max(float(json.loads(p.communicate()[0])["seconds"]) for p in processes)}


def two_bare_processes(weights: Path, block: int, calls: int, **more: str) -> float:
    """Return seconds of two processes, each with half of the calls, at once, with more variables in their environment."""
    script = Path(__file__).with_name("bare_calls.py")
    arguments = [sys.executable, str(script), str(weights), f"1,1,{block},{block}", "1", "1", str(calls // 2)]
    processes = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env={**os.environ, **more}) for _ in range(2)]
    return max(json.loads(p.communicate()[0])["seconds"] for p in processes)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        model = model_folder("unet2d_nuclei_broad")
        image = write_noise(Path(folder) / "image.zarr", SIZE)
        found: dict[str, list[float]] = {"bare": [], "bare_in_large_pages": [], "cluster": [], "statistics": [], "shards": []}
        for _ in range(ROUNDS):
            ours = on_processes(model, image, str(Path(folder) / "o.zarr"), {"weights_format": "onnx"})
            found["cluster"].append(ours["seconds"])
            for name, seconds_of in as_shards(model, image, str(Path(folder) / "s.zarr")).items():
                found[name].append(seconds_of)
            weights, calls = model / "weights.onnx", int(ours["blocks"])
            found["bare"].append(two_bare_processes(weights, 512, calls))
            found["bare_in_large_pages"].append(two_bare_processes(weights, 512, calls, **large_pages()))
        seconds = {name: median(times) for name, times in found.items()}
        report(
            "two workers",
            **seconds,
            cluster_reached=seconds["bare"] / seconds["cluster"],
            cluster_reached_in_large_pages=seconds["bare_in_large_pages"] / seconds["cluster"],  # both use them
            shards_reached=seconds["bare"] / (seconds["statistics"] + seconds["shards"]),
        )
        null = null_model(Path(folder) / "null", "yx")
        plan = in_new_process(PLAN, str(null))
        report("planning", regions=plan["blocks"], seconds=plan["seconds"], peak_MB=plan["peak"] / 1e6, more_MB=plan["more"] / 1e6)
        options = {"block": {"y": 80, "x": 80}, "codec": "none"}  # cores of 64
        ways = (("small regions", REGIONS, {}), ("small regions, a file each", REGIONS // 16, {"chunks": {"y": 64, "x": 64}}))
        for name, count, more in ways:
            small = write_noise(Path(folder) / f"{count}.zarr", int(count**0.5) * 64, chunk=512, dtype="uint8")
            before = peak_memory()
            ours = on_processes(null, small, str(Path(folder) / "small-o.zarr"), {**options, **more})
            report(
                name,
                regions=ours["blocks"],
                tasks=ours["tasks"],
                per_second=ours["blocks"] / ours["seconds"],
                grown_MB=(peak_memory() - before) / 1e6,
            )


if __name__ == "__main__":
    main()
