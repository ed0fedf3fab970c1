"""One prediction with a simulated device, as a process of its own.

Argument: JSON with ``model``, ``image``, ``small`` (an image with which workers warm up), ``output``, ``block`` (pixels by axis),
``way`` (``threads``, ``processes`` or ``cluster``) and ``probe`` (whether the network is measured before). Prints JSON: wall and processor
seconds of the prediction in this process, blocks, blocks per call, devices, seconds by stage.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bioimageio_core as bc


@contextmanager
def workers(way: str) -> Iterator[dict[str, Any]]:
    """Yield the options for threads of this process, or for two workers, each with a device of its own."""
    if way == "threads":
        yield {}
    elif way == "processes":
        from bioimageio_core.prediction.execution.executors.dask_clients import worker_processes

        with worker_processes(2) as client:
            yield {"client": client}
    else:
        from distributed import Client, LocalCluster

        with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster, Client(cluster) as client:
            yield {"client": client}


def main() -> None:
    """Predict and print."""
    case = json.loads(sys.argv[1])
    with workers(case["way"]) as options, bc.open_predictor(case["model"], block=case["block"], **options) as predictor:
        if options:  # workers import what they need
            predictor.predict(case["small"], case["output"] + ".small.zarr")
        if case.get("probe"):
            predictor.probe(case["image"])
        plan = predictor.plan(case["image"])
        begin, begin_cpu = time.perf_counter(), time.process_time()
        prediction = predictor.run(plan, case["output"])
        found = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - begin_cpu}
    print(
        json.dumps(
            {
                **found,
                "blocks": plan.regions.block_count,
                "batch": plan.batch_size,
                "devices": 2 if options else 1,
                "times": dict(prediction.times),
            }
        )
    )


if __name__ == "__main__":
    main()
