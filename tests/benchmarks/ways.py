"""Ways to predict an image, each in a process of its own: this library, a careful dask script, the reference runtime.

As a script: ``ways.py WAY MODEL IMAGE OUTPUT OPTIONS``, with options as JSON; prints JSON: seconds of the prediction alone (models are
loaded before), peak resident bytes, bytes read and written by the process.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from process_memory import peak_bytes


def io_bytes() -> tuple[int, int]:
    """Return bytes that this process has read and written, by way of system calls, so far."""
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(counts["rchar"]), int(counts["wchar"])


def with_this_library(model: str, image: str, output: str, options: dict[str, Any]) -> Callable[[], Any]:
    """Predict zarr to zarr."""
    import numpy as np

    import bioimageio_core as bc

    predictor = bc.open_predictor(model, **options)
    plan = predictor.plan(image, output)
    with predictor.network(plan.weights, plan.run_mode, threads=plan.threads, calls=plan.workers).acquire() as adapter:
        adapter([np.zeros([g.block_size(0) for g in plan.grids], np.float32)])  # which takes its memory, as before bare calls
    return lambda: predictor.run(plan, output, overwrite=True)


def with_map_overlap(model: str, image: str, output: str, options: dict[str, Any]) -> Callable[[], Any]:
    """Predict as a careful user of dask would: mirrored overlap, one network, two single-threaded calls at once, zarr to zarr.

    Options: block (with halo), halo, normalise (the mean and deviation of the whole image before).
    """
    import dask
    import dask.array as da
    import numpy as np
    import onnxruntime as ort
    import zarr

    settings = ort.SessionOptions()
    settings.intra_op_num_threads = 1
    session = ort.InferenceSession(str(Path(model) / "weights.onnx"), settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    halo, block = options["halo"], options["block"]

    def predict(part: np.ndarray) -> np.ndarray:
        (out,) = session.run(None, {name: part[None, None]})
        result: np.ndarray = 1 / (1 + np.exp(-out[0, 0])) if options.get("sigmoid") else out[0, 0]
        return result

    def run() -> None:
        x = da.from_zarr(image).astype("float32")
        if options.get("normalise"):
            mean, std = dask.compute(x.mean(dtype="float64"), x.std(dtype="float64"))
            x = ((x - mean) / (std + 1e-6)).astype("float32")
        core = block - 2 * halo
        shape = x.shape
        # Every block needs the one size that the network takes, so the image is filled up to whole cores.
        x = da.pad(x, [(0, -n % core) for n in shape], mode="symmetric").rechunk(core)
        y = da.map_overlap(predict, x, depth=halo, boundary="reflect", dtype="float32", trim=True)
        y = y[tuple(slice(0, n) for n in shape)].rechunk(core)
        store = zarr.create_array(output, shape=y.shape, chunks=y.chunksize, dtype="float32", overwrite=True)
        with dask.config.set(scheduler="threads", num_workers=2):
            da.store(y, store, lock=False)

    return run


def with_the_reference(model: str, image: str, output: str, options: dict[str, Any]) -> Callable[[], Any]:
    """Predict with the reference runtime, which takes an image in memory and gives one; reading and writing are not counted."""
    import numpy as np
    import zarr
    from bioimageio.core import create_prediction_pipeline, load_model_description
    from bioimageio.core.digest_spec import create_sample_for_model
    from bioimageio.spec import ValidationContext

    array = np.asarray(zarr.open_array(image, mode="r")[...])
    with ValidationContext(perform_io_checks=False):  # which would ask for URLs
        description = load_model_description(model)
    pipeline = create_prediction_pipeline(description, weight_format="onnx")
    raw = array[(None,) * (len(description.inputs[0].axes) - array.ndim)]
    sample = create_sample_for_model(pipeline.model_description, inputs={str(description.inputs[0].id): raw})
    blocks = options.get("blocks")
    if blocks is not None:
        return lambda: pipeline.predict_sample_with_blocking(sample, ns=blocks)
    return lambda: pipeline.predict_sample_with_blocking(sample)


WAYS = {"library": with_this_library, "map_overlap": with_map_overlap, "reference": with_the_reference}


def main() -> None:
    """Measure one way."""
    way, model, image, output, options = sys.argv[1:]
    run = WAYS[way](model, image, output, json.loads(options))
    shutil.rmtree(output, ignore_errors=True)  # which takes its time, and is no part of a prediction
    read, written = io_bytes()
    begin = time.perf_counter()
    run()
    seconds = time.perf_counter() - begin
    after = io_bytes()
    peak = peak_bytes()
    print(json.dumps({"seconds": seconds, "peak": peak, "read": after[0] - read, "written": after[1] - written}))


if __name__ == "__main__":
    main()
