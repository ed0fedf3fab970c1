"""Peak resident memory against the budget asked for, and as the volume grows.

Promised: at most 1.1 times the budget (1, 2, 4 GB), the same for 1 GB and for 256 GB of volume; a budget below the floor is refused.
Large pages of memory are used, as by ``bmz predict``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

import numpy as np
from made_models import null_model
from made_unets import save_unet
from measuring import model_folder, report, way, write_noise, write_volume

CHUNK = 256
GIGABYTES = tuple(float(n) for n in os.environ.get("BMZ_BENCH_GIGABYTES", "1,256").split(","))


def write_large(path: Path, gigabytes: float) -> Path:
    """Write a float32 volume of which every chunk has the same compressed content: large, compressible, and nowhere empty."""
    import zarr

    planes = max(1, round(gigabytes * 1e9 / 4 / CHUNK**3))
    side = max(1, int(planes ** (1 / 3)))
    shape = (-(-planes // side**2) * CHUNK, side * CHUNK, side * CHUNK)
    array = zarr.create_array(str(path), shape=shape, chunks=(CHUNK,) * 3, dtype="float32", dimension_names=("z", "y", "x"))
    ramp = np.broadcast_to(np.arange(CHUNK, dtype=np.float32) + 1, (CHUNK,) * 3)
    array[:CHUNK, :CHUNK, :CHUNK] = ramp
    first = path / "c" / "0" / "0" / "0"
    for z in range(shape[0] // CHUNK):
        for y in range(side):
            (path / "c" / str(z) / str(y)).mkdir(parents=True, exist_ok=True)
            for x in range(side):
                chunk = path / "c" / str(z) / str(y) / str(x)
                if not chunk.exists():
                    os.link(first, chunk)
    return path


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        image = write_noise(Path(folder) / "image.zarr", 8192)
        volume = write_volume(Path(folder) / "volume.zarr", 384)
        unet3d = save_unet(Path(folder) / "unet3d", "zyx")
        for budget in (1e9, 2e9, 4e9):
            for name, model, source in (("2D U-Net", model_folder("unet2d_nuclei_broad"), image), ("3D U-Net", unet3d, volume)):
                found = way(
                    "library", model, source, str(Path(folder) / "o.zarr"), {"weights_format": "onnx", "memory": budget}, probe=True
                )
                report(
                    f"{name}, budget", GB=budget / 1e9, peak_GB=found["peak"] / 1e9, ratio=found["peak"] / budget, seconds=found["seconds"]
                )
        null = null_model(Path(folder) / "null")
        for gigabytes in GIGABYTES:
            large = write_large(Path(folder) / f"{gigabytes:g}.zarr", gigabytes)
            for budget in (1e9,):
                options = {"memory": budget, "codec": "zstd:1"}
                found = way("library", null, large, str(Path(folder) / "large.zarr"), options, probe=True)
                report(
                    f"null model, {gigabytes:g} GB of volume, budget",
                    GB=budget / 1e9,
                    peak_GB=found["peak"] / 1e9,
                    ratio=found["peak"] / budget,
                    seconds=found["seconds"],
                )


if __name__ == "__main__":
    main()
