"""2D U-Net, zarr to zarr, against bare calls, a map_overlap script and the reference.

Promised: at most 1.05 times the bare calls for the same kept pixels; below the other two.

*library* uses large pages of memory, as ``bmz predict`` does, *library_in_small_pages* has what a script of Python is given.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from measuring import bare_calls, model_folder, report, report_way, way, write_noise

from bioimageio_core.resources import large_pages

SIZE = 8192
ROUNDS = 3


def main() -> None:
    """Measure and print."""
    model = model_folder("unet2d_nuclei_broad")
    with tempfile.TemporaryDirectory() as folder:
        image = write_noise(Path(folder) / "image.zarr", SIZE)
        output = str(Path(folder) / "result.zarr")
        found: dict[str, list[dict[str, float]]] = {}
        import bioimageio_core as bc

        with bc.open_predictor(model, weights_format="onnx") as predictor:
            plan = predictor.plan(str(image))
            block = plan.grids[-1].block_size(0)
            calls = plan.regions.block_count
        for _ in range(ROUNDS):
            for name, variables in (("bare", {}), ("bare_in_large_pages", large_pages())):
                weights, shape = model / "weights.onnx", (1, 1, block, block)
                bare = bare_calls(weights, shape, at_once=plan.workers, threads=plan.threads, calls=calls, variables=variables)
                found.setdefault(name, []).append(bare)
            options = {"weights_format": "onnx"}
            found.setdefault("library", []).append(way("library", model, image, output, options))
            found.setdefault("library_in_small_pages", []).append(way("library", model, image, output, options, variables={}))
            found.setdefault("map_overlap", []).append(
                way("map_overlap", model, image, output, {"block": 512, "halo": 32, "normalise": True, "sigmoid": True})
            )
            reference = way("reference", model, image, output, {})
            if reference is not None:
                found.setdefault("reference", []).append(reference)
        report("2D U-Net", size=SIZE, blocks=calls, block=block)
        report_way(found, limit="bare")


if __name__ == "__main__":
    main()
