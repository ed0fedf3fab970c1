"""Blocks that do not fit into device memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import BATCH, box_model, channels, follows, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import DeviceMemoryError
from bioimageio_core.prediction.model.network import Network


class SmallDevice:
    """Wraps an adapter as if its device had memory for a limited number of pixels."""

    def __init__(self, adapter: Any, pixels: int) -> None:
        self._adapter, self._pixels = adapter, pixels
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, inputs: Sequence[Any]) -> Any:
        shape = inputs[0].shape
        if inputs[0].size > self._pixels:
            raise DeviceMemoryError(f"memory does not suffice for {shape}")
        self.sizes.append(shape)
        return self._adapter(inputs)

    def close(self) -> None:
        """Nothing to free."""


def predicted_on(model: Path, image: np.ndarray, pixels: int, **options: Any) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Predict on a small device; return the output and the sizes of calls."""
    with bc.open_predictor(model, **options) as predictor:
        plan = predictor.plan(image)
        network = predictor.network(plan.weights, threads=plan.threads, calls=plan.workers)
        with network.acquire() as adapter:
            device = SmallDevice(adapter, pixels)
        assert predictor._loaded is not None
        predictor._loaded = (predictor._loaded[0], Network([device], [None], calls=1))
        return np.asarray(predictor.run(plan)["out"]), device.sizes


class TestFallback:
    """Smaller batches, then smaller blocks, with the same result."""

    def test_batch_then_block(self, tmp_path: Path) -> None:
        """A batch of four is halved twice, a block once along its longest axis, and again."""
        model = box_model(tmp_path, {"min": 16, "step": 4}, halo=4)
        image = np.random.default_rng(0).random((150, 170), dtype=np.float32)
        options: dict[str, Any] = {"block": {"y": 64, "x": 64}, "batch_size": 4}
        whole = np.asarray(bc.predict(model, image, **options)["out"])
        for pixels, largest in ((4 * 64 * 64, 4 * 64 * 64), (64 * 64, 64 * 64), (64 * 40, 64 * 40), (40 * 40, 40 * 40)):
            found, sizes = predicted_on(model, image, pixels, **options)
            np.testing.assert_allclose(found, whole, rtol=1e-5)
            assert max(int(np.prod(s)) for s in sizes) <= largest

    @pytest.mark.parametrize("block", [40, 150])
    def test_odd_sizes_and_regions_of_interest(self, tmp_path: Path, block: int) -> None:
        """Parts of blocks keep the phase of the grid, wherever the region of interest begins."""
        model = box_model(tmp_path, {"min": 16, "step": 4}, halo=4)
        image = np.random.default_rng(0).random((131, 117), dtype=np.float32)
        options: dict[str, Any] = {"block": {"y": block, "x": block}, "roi": {"y": (5, 120), "x": (3, 117)}}
        whole = np.asarray(bc.predict(model, image, **options)["out"])
        found, _ = predicted_on(model, image, 30 * 30, **options)
        np.testing.assert_allclose(found, whole, rtol=1e-5)

    def test_nothing_fits(self, tmp_path: Path) -> None:
        """If the smallest block does not fit, or the size is fixed, the error is raised."""
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        image = np.ones((100, 100), np.float32)
        for model in (box_model(tmp_path / "a", {"min": 16, "step": 4}, halo=4), box_model(tmp_path / "b", 64, halo=4)):
            with pytest.raises(DeviceMemoryError, match="does not suffice"):
                predicted_on(model, image, 100)


LIMITED = """
import json, resource, sys
import numpy as np
import bioimageio_core as bc
model, weights_format = sys.argv[1:]
image = np.random.default_rng(0).random((4000, 4000), dtype=np.float32)
with bc.open_predictor(model, weights_format=weights_format, workers=1, memory="20 GB", block={"y": 4008, "x": 4008}) as predictor:
    plan = predictor.plan(image)
    predictor.predict(image[:100, :100], block={})
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 1500 * 2**20,) * 2)
    found = np.asarray(predictor.run(plan)["out"])[0, 0]
print(json.dumps({"blocks": plan.regions.block_count, "corner": float(found[0, 0]), "sum": float(found.sum(dtype="float64"))}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_real_limit(tmp_path: Path) -> None:
    """A process without enough memory for a block of 16 million pixels with 64 features computes it in parts."""
    kernel = np.full((64, 1, 3, 3), 1 / 9, np.float32)
    nodes = [
        helper.make_node("Conv", ["raw", "kernel"], ["many"], pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["many"], ["out"], axes=[1], keepdims=1),
    ]
    save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"out": 4}, kernel=kernel)
    save_description_0_5(
        tmp_path,
        [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 4}) for a in "yx"))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=4) for a in "yx"))],
    )
    done = subprocess.run([sys.executable, "-P", "-c", LIMITED, str(tmp_path), "onnx"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["blocks"] == 1
    image = np.random.default_rng(0).random((4000, 4000), dtype=np.float32)
    assert told["sum"] == pytest.approx(image.sum(dtype="float64"), rel=1e-3)
