"""Bare calls of ONNX Runtime: the limit for predictions. Run as a process, so that memory and threads are its own.

Arguments: weights, shape with commas, calls at once, threads of a call, number of calls. Prints JSON: seconds, peak bytes.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort
from process_memory import peak_bytes


def main() -> None:
    """Measure."""
    weights, shape, at_once, threads, calls = sys.argv[1:]
    options = ort.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False
    session = ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    block = np.random.default_rng(0).random(tuple(map(int, shape.split(","))), dtype=np.float32)
    session.run(None, {name: block})

    def call(_: int) -> None:
        session.run(None, {name: block})  # outputs are dropped, since they would be counted as memory

    begin = time.perf_counter()
    with ThreadPoolExecutor(int(at_once)) as pool:
        list(pool.map(call, range(int(calls))))
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "peak": peak_bytes()}))


if __name__ == "__main__":
    main()
