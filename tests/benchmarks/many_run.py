"""A prediction of many images, or of a series, as a process of its own.

Argument: JSON with ``kind`` (``images`` or ``frames``), ``model``, ``source`` and ``output``, a folder that is removed at the end.
Prints JSON: seconds, peak bytes.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path

from process_memory import peak_bytes

import bioimageio_core as bc


def main() -> None:
    """Predict and print."""
    case = json.loads(sys.argv[1])
    output = Path(case["output"])
    options = {"weights_format": "onnx"}
    begin = time.perf_counter()
    if case["kind"] == "images":
        for result in bc.predict_many(case["model"], case["source"], output / "{name}.zarr", axes="yx", **options):
            if isinstance(result, bc.Failed):
                raise result.error
    else:
        bc.predict(case["model"], case["source"], output / "frames.zarr", dtype="uint8", **options)
    seconds = time.perf_counter() - begin
    shutil.rmtree(output)
    print(json.dumps({"seconds": seconds, "peak": peak_bytes()}))


if __name__ == "__main__":
    main()
