"""Peak resident memory as the image grows. Promised: flat (at most 1.1 times from 8192 to 16384), under 1 GB."""

from __future__ import annotations

import tempfile
from pathlib import Path

from measuring import in_new_process, model_folder, report, write_noise

CODE = """
import json, resource, sys, time
import bioimageio_core as bc
begin = time.perf_counter()
bc.predict(sys.argv[1], sys.argv[2], sys.argv[3], weights_format="onnx")
print(json.dumps({"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "seconds": time.perf_counter() - begin}))
"""


def main() -> None:
    """Measure and print."""
    peaks = {}
    for size in (8192, 16384):
        with tempfile.TemporaryDirectory() as folder:
            image = write_noise(Path(folder) / "image.zarr", size)
            found = in_new_process(CODE, str(model_folder("unet2d_nuclei_broad")), str(image), str(Path(folder) / "result.zarr"))
        peaks[size] = found["peak"]
        report(f"memory, {size} x {size}", peak_MB=found["peak"] / 1e6, seconds=found["seconds"])
    report("memory, 16384 against 8192", ratio=peaks[16384] / peaks[8192])


if __name__ == "__main__":
    main()
