"""Worker processes, and very many regions.

Promised: two worker processes reach 0.95 of what two bare single-threaded processes reach; a million small regions (chunks of the output,
cheap ones grouped into one task) run through two worker processes at over 2,000 regions/s with a null model but real reads, writes and
markers, with the scheduler's memory bounded; planning 10^9 regions takes under a second and under 200 MB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from made_unet3d import save_null_model
from measuring import in_new_process, model_folder, report, write_noise

from bioimageio_core.resources import peak_memory

SIZE = 4096
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
    from distributed import Client, LocalCluster

    import bioimageio_core as bc

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
        bc.open_predictor(model, client=client, **options) as predictor,
    ):
        predictor.predict(np.zeros((64, 64), np.float32), axes="yx", block={})  # workers import what they need
        plan = predictor.plan(str(image))
        begin = time.perf_counter()
        prediction = predictor.run(plan, output, overwrite=True)
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "blocks": plan.regions.block_count, "regions": plan.regions.count, **prediction.times}


def two_bare_processes(weights: Path, block: int, calls: int) -> float:
    """Return seconds of two processes, each with half of the calls, at once."""
    script = Path(__file__).with_name("bare_calls.py")
    arguments = [sys.executable, str(script), str(weights), f"1,1,{block},{block}", "1", "1", str(calls // 2)]
    processes = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return max(json.loads(p.communicate()[0])["seconds"] for p in processes)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        model = model_folder("unet2d_nuclei_broad")
        image = write_noise(Path(folder) / "image.zarr", SIZE)
        ours = on_processes(model, image, str(Path(folder) / "o.zarr"), {"weights_format": "onnx"})
        bare = two_bare_processes(model / "weights.onnx", 512, int(ours["blocks"]))
        report("two workers", seconds=ours["seconds"], bare_seconds=bare, reached=bare / ours["seconds"])
        null = save_null_model(Path(folder) / "null", "yx")
        found = in_new_process(PLAN, str(null))
        report("planning", regions=found["blocks"], seconds=found["seconds"], peak_MB=found["peak"] / 1e6, more_MB=found["more"] / 1e6)
        side = int(REGIONS**0.5)
        small = write_noise(Path(folder) / "small.zarr", side * 64, chunk=512)
        before = peak_memory()
        ours = on_processes(null, small, str(Path(folder) / "small-o.zarr"), {"block": {"y": 72, "x": 72}, "codec": "none"})
        grown = peak_memory() - before
        report(
            "small regions",
            regions=ours["blocks"],
            tasks=ours["regions"],
            per_second=ours["blocks"] / ours["seconds"],
            grown_MB=grown / 1e6,
        )


if __name__ == "__main__":
    main()
