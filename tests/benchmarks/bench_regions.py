"""What a region costs beside the network: milliseconds of one core for each stage, which calculations about large runs begin with.

Regions of 256^3 voxels out of chunks of 128^3, read with a halo of 16, from uint16 to uint8, by one thread.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

import attrs
import numpy as np
from made_models import null_model
from measuring import camera_counts, report

import bioimageio_core as bc
from bioimageio_core.io import RunState
from bioimageio_core.prediction.planning.plan import CachePolicy

SHAPE, CHUNK, CORE, HALO = (512, 512, 1024), 128, 256, 16
NORMALISED = {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 1000.0, "std": 250.0}}


def write_image(path: Path) -> Path:
    """Write a volume of counts as cameras give them."""
    import zarr

    array = zarr.create_array(str(path), shape=SHAPE, chunks=(CHUNK,) * 3, dtype="uint16", dimension_names=("z", "y", "x"))
    for start in range(0, SHAPE[0], CHUNK):
        array[start : start + CHUNK] = camera_counts(start, (CHUNK, *SHAPE[1:]))
    return path


def main() -> None:
    """Measure and print."""
    os.environ["SLURM_CPUS_PER_TASK"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        image = write_image(Path(folder) / "image.zarr")
        model = null_model(Path(folder) / "null", pre=(NORMALISED,), halo=HALO)
        block = dict.fromkeys("zyx", CORE + 2 * HALO)
        with bc.open_predictor(model, block=block, workers=1, dtype="uint8", value_range=(-4, 4), memory="20 GB") as predictor:
            plan = predictor.plan(str(image))
            for name, cache in (("chunks kept", plan.cache), ("nothing kept", (CachePolicy(),))):
                chosen = attrs.evolve(plan, cache=cache, in_flight=1)
                times = predictor.run(chosen, str(Path(folder) / "o.zarr"), overwrite=True).times
                stages = ("read", "preprocess", "predict", "postprocess", "write")
                report(name, regions=plan.regions.count, **{s: 1e3 * times[s] / plan.regions.count for s in stages})
        stored = sum(p.stat().st_size for p in image.rglob("*") if p.is_file())
        report("chunks", stored_MB=stored / 1e6 / np.prod([n // CHUNK for n in SHAPE]), MB=2 * CHUNK**3 / 1e6)
        markers, count = RunState(str(Path(folder) / "marked")), 10_000
        begin = time.perf_counter()
        for number in range(count):
            markers.mark("regions", number)
        report("markers", each=1e3 * (time.perf_counter() - begin) / count)


if __name__ == "__main__":
    main()
