"""What a hand-written loop takes beside a network: the least that a library can cost. Run as a process of its own.

Arguments: image, output. The image is a zarr array of uint16, chunks of 512 x 512. Each chunk is read and decoded twice: for sums and
sums of squares first; then it is scaled to float32, copied (as the input of a network), compressed by LZ4 and written.
Prints JSON: seconds, processor seconds, peak bytes.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
import zarr
from numcodecs import Blosc
from numcodecs.blosc import decompress
from process_memory import peak_bytes


def main() -> None:
    """Measure."""
    image, output = sys.argv[1:3]
    array = zarr.open_array(image, mode="r")
    step, shape = array.chunks[0], array.shape
    created = zarr.create_array(output, shape=shape, chunks=array.chunks, dtype="float32", compressors=_lz4(), overwrite=True)
    chunks = list(product(*(range(-(-n // step)) for n in shape)))
    into, codec = Path(output), Blosc(cname="lz4", clevel=5, shuffle=Blosc.BITSHUFFLE)

    def read(chunk: tuple[int, ...]) -> np.ndarray:
        stored = (Path(image) / array.metadata.encode_chunk_key(chunk)).read_bytes()

        return np.frombuffer(decompress(stored), np.uint16).reshape(step, step)

    def sums(chunk: tuple[int, ...]) -> tuple[float, float]:
        values = read(chunk).astype(np.float32)
        return float(values.sum(dtype=np.float64)), float(np.square(values).sum(dtype=np.float64))

    def scaled(chunk: tuple[int, ...], mean: np.float32, std: np.float32) -> None:
        values = read(chunk).astype(np.float32)
        values -= mean
        values /= std
        taken = values.copy()
        path = into / created.metadata.encode_chunk_key(chunk)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(codec.encode(taken))

    begin, begin_cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        parts = np.array(list(pool.map(sums, chunks))).sum(axis=0) / np.prod(shape)
        mean, std = parts[0], np.sqrt(parts[1] - parts[0] ** 2)
        list(pool.map(lambda chunk: scaled(chunk, np.float32(mean), np.float32(std)), chunks))
    print(json.dumps({"seconds": time.perf_counter() - begin, "cpu": time.process_time() - begin_cpu, "peak": peak_bytes()}))


def _lz4() -> object:
    from zarr.codecs import BloscCodec

    return BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle")


if __name__ == "__main__":
    main()
