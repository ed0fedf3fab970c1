"""3D U-Net with sizes 64 + 4 n and halo 16, against bare calls and the reference.

Promised: at most 0.6 times the reference at its default blocks, at most 1.1 times the bare calls at the best block that fits 2 GB,
in under 2 GB.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from made_unets import save_unet
from measuring import bare_calls, report, report_way, way, write_volume

from bioimageio_core.resources import large_pages

HALO = 16
SIZES = tuple(int(n) for n in os.environ.get("BMZ_BENCH_SIZES", "256,512").split(","))
BUDGET = "2 GB"
ROUNDS = 3


def best_bare(weights: Path, size: int) -> dict[str, float]:
    """Return the bare calls that take the least time for all cores of a volume, among cubes that two at once fit 2 GB."""
    best: dict[str, float] = {}
    for count in range(1, 12):
        core = -(-size // count // 4) * 4
        block = core + 2 * HALO
        blocks = (-(-size // core)) ** 3
        if block < 64:
            break
        if block > 200:
            continue
        trial = bare_calls(weights, (1, 1, block, block, block), at_once=2, threads=1, calls=2)
        if trial["peak"] > 2e9:
            continue
        seconds = trial["seconds"] / 2 * blocks
        if not best or seconds < best["seconds"]:
            best = {"seconds": seconds, "peak": trial["peak"], "block": block, "blocks": blocks}
    return best


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        model = save_unet(Path(folder) / "model", "zyx")
        for size in SIZES:
            image = write_volume(Path(folder) / "image.zarr", size)
            output = str(Path(folder) / "result.zarr")
            best = best_bare(model / "weights.onnx", size)
            block = int(best["block"])
            weights, shape, calls = model / "weights.onnx", (1, 1, block, block, block), int(best["blocks"])
            found: dict[str, list[dict[str, float]]] = {"bare": [], "bare_in_large_pages": [], "library": []}
            for _ in range(ROUNDS):
                for name, variables in (("bare", {}), ("bare_in_large_pages", large_pages())):
                    found[name].append(bare_calls(weights, shape, at_once=2, threads=1, calls=calls, variables=variables))
                found["library"].append(way("library", model, image, output, {"weights_format": "onnx", "memory": BUDGET}, probe=True))
            reference = way("reference", model, image, output, {})  # once: it takes more than twice as long
            if reference is not None:
                found["reference"] = [reference]
            report("3D U-Net", size=size, best_bare_block=block, bare_blocks=best["blocks"])
            report_way(found, limit="bare")


if __name__ == "__main__":
    main()
