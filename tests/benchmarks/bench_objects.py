"""Objects of many boxes joined and numbered, out of core; what the windows know is made up.

Promised: 10^7 objects in under 60 s and 2 GB. A third of the labels are in two boxes each, and one object is in all boxes.

Then a prediction that labels connected components, from zarr to zarr, beside ``scipy.ndimage.label`` of the same image in memory.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

import numpy as np
from labelling_ops import blobs, labelling_registry, loaded
from made_models import pointwise_model
from measuring import in_new_process, report

from bioimageio_core.prediction.options import PredictOptions
from bioimageio_core.prediction.predictor import Predictor

SIZE = 8192

OBJECTS = int(float(os.environ.get("BMZ_BENCH_OBJECTS", "1e7")))
CODE = """
import json, sys, time
import numpy as np
from bioimageio_core.objects import BoxObjects, WindowObjects, number_objects
from bioimageio_core.resources import peak_memory

objects, per_box = int(sys.argv[1]), 10_000

def boxes():
    # Each box has per_box labels with pixels in its core, and shares a third of them with the box before it.
    shared, count = per_box // 3, objects * 3 // 2 // per_box
    for box in range(count):
        rng = np.random.default_rng(box)
        pixels = rng.integers(1, 1000, per_box)
        first = box * 10**6 + np.sort(rng.choice(10**6, per_box, replace=False))
        ones = np.ones(per_box, bool)
        pairs = np.stack((rng.permutation(per_box)[:shared], np.arange(shared)), axis=1) + 1
        pairs[0] = 1  # an object in all boxes
        found = WindowObjects(pixels=pixels, first=first, owned=ones, cut=~ones)
        yield BoxObjects(objects=found, pairs={box - 1: pairs} if box else {})

before = time.perf_counter()
for _ in boxes():
    pass
made = time.perf_counter() - before
begin = time.perf_counter()
numbering = number_objects(boxes(), rule="touch")
seconds = time.perf_counter() - begin - made
print(json.dumps({"seconds": seconds, "peak": peak_memory(), "labels": numbering.tables.size, "objects": numbering.count}))
"""


def beside_scipy() -> None:
    """Label an image in blocks, and in memory; print the ratio of the times."""
    from scipy import ndimage

    tile = blobs((SIZE // 8, SIZE // 8))
    image = np.tile(tile, (8, 8))
    with tempfile.TemporaryDirectory() as folder:
        model = loaded(pointwise_model(Path(folder)), labelling_registry())
        with Predictor(model, PredictOptions(axes="yx", block={"y": 1024, "x": 1024}, postprocessing=("components",))) as predictor:
            prediction = predictor.predict(image, Path(folder) / "labels.zarr")
        begin = time.perf_counter()
        _, count = ndimage.label(image > 0.5, np.ones((3, 3)))
        seconds = time.perf_counter() - begin
    times = prediction.times
    labelling = sum(times.get(stage, 0.0) for stage in ("label", "join", "whole output"))
    report(
        f"{count} components of {SIZE} x {SIZE} pixels",
        found=prediction.objects["out"].count,
        in_memory=seconds,
        prediction=times["total"],
        labelling=labelling,
        labelling_ratio=labelling / seconds,
        ratio=times["total"] / seconds,
    )


def main() -> None:
    """Measure and print."""
    found = in_new_process(CODE, str(OBJECTS))
    beside_scipy()
    report(
        f"{found['objects']:.3g} objects of {found['labels']:.3g} labels joined and numbered",
        seconds=found["seconds"],
        peak_MB=found["peak"] / 1e6,
    )


if __name__ == "__main__":
    main()
