"""Other pipelines: a small network that batching helps, and one that is heavy on statistics; all in large pages of memory."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # what tests share

from made_models import null_model
from made_unets import save_small_net
from measuring import bare_calls, report, report_way, way, write_noise

from bioimageio_core.resources import large_pages

SIZE = 8192


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        image = write_noise(Path(folder) / "image.zarr", SIZE)
        output = str(Path(folder) / "o.zarr")
        small = save_small_net(Path(folder) / "small")
        found = {}
        for batch in (1, 16):
            options = {"block": {"y": 136, "x": 136}, "batch_size": batch}
            found[f"blocks of 136, {batch} at once"] = [way("library", small, image, output, options)]
        found["blocks as planned"] = [way("library", small, image, output, {})]
        blocks = (-(-SIZE // 128)) ** 2
        weights, shape = small / "weights.onnx", (16, 1, 136, 136)
        found["bare"] = [bare_calls(weights, shape, at_once=2, threads=1, calls=blocks // 16, variables=large_pages())]
        report("small network", blocks=blocks)
        report_way(found, limit="bare")
        percentiles = {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "min_percentile": 1, "max_percentile": 99.8}}
        heavy = null_model(Path(folder) / "heavy", "yx", post=(percentiles,))
        report("percentiles of the output", **way("library", heavy, image, output, {}))


if __name__ == "__main__":
    main()
