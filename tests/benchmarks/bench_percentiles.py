"""Exact percentiles of a float32 image out of core, against numpy in memory.

Promised: the order statistics of 10^9 pixels bit for bit those of numpy, in under 400 MB, at least as fast per byte.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import zarr
from measuring import in_new_process, report

PIXELS = int(float(os.environ.get("BMZ_BENCH_PIXELS", "1e9")))
QS = (1.0, 50.0, 99.8)
CODE = """
import json, sys, time
import bioimageio_core as bc
from bioimageio_core.resources import peak_memory
names = [f"percentile {q} {m}" for q in (1.0, 50.0, 99.8) for m in ("inverted_cdf", "linear")]
begin = time.perf_counter()
found = bc.compute_statistics(sys.argv[1], measures=names, axes="yx")
seconds = time.perf_counter() - begin
values = {k: v[0][0] for k, v in found.dataset.items()}
print(json.dumps({"seconds": seconds, "peak": peak_memory(), "values": values}))
"""


def main() -> None:
    """Measure and print."""
    rows = PIXELS // 10_000
    with tempfile.TemporaryDirectory() as folder:
        # Not a memory-mapped file, whose pages would be counted as memory; not compressed, since numpy has the values in memory.
        path = Path(folder) / "image.zarr"
        image = zarr.create_array(str(path), shape=(rows, 10_000), chunks=(100, 10_000), dtype="float32", compressors=None)
        for start in range(0, rows, 1000):
            image[start : start + 1000] = np.random.default_rng(start).normal(0, 1, (min(1000, rows - start), 10_000)).astype("float32")
        ours = in_new_process(CODE, str(path))
        whole = np.asarray(image[...]).ravel()
        begin = time.perf_counter()
        linear = np.percentile(whole, QS)
        seconds = time.perf_counter() - begin
        order = np.percentile(whole, QS, method="inverted_cdf")
    equal = all(
        np.float32(ours["values"][f"percentile {q:g} over y, x, inverted_cdf"]).tobytes() == np.float32(value).tobytes()
        for q, value in zip(QS, order, strict=True)
    )
    deviation = max(abs(ours["values"][f"percentile {q:g} over y, x"] - float(value)) for q, value in zip(QS, linear, strict=True))
    report(
        f"percentiles of {PIXELS:.3g} float32",
        seconds=ours["seconds"],
        numpy_seconds=seconds,
        ratio=ours["seconds"] / seconds,
        peak_MB=ours["peak"] / 1e6,
        order_statistics="equal bit for bit" if equal else "DIFFERENT",
        interpolated_deviation=deviation,
    )


if __name__ == "__main__":
    main()
