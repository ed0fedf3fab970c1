"""Plans for networks on GPUs; no test needs a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from made_models import box_model

import bioimageio_core as bc
from bioimageio_core.prediction.model.network import Network
from bioimageio_core.prediction.model.weights_selection import WeightsChoice
from bioimageio_core.prediction.planning.blocks.block_sizes import CALL_SECONDS
from bioimageio_core.prediction.planning.planner import make_plan
from bioimageio_core.prediction.planning.profiling.profile import Profile, ProfilePoint
from bioimageio_core.resources import allotted_cores


def choice(*devices: str, thread_safe: bool = True) -> WeightsChoice:
    """Return weights on devices."""
    return WeightsChoice(weights_format="onnx", adapter="onnx", devices=devices, thread_safe=thread_safe)


class TestCalls:
    """The number of concurrent calls of a network."""

    @pytest.mark.parametrize(
        ("weights", "asked", "calls"),
        [
            (choice("cpu"), None, 16),
            (choice("cpu"), 3, 3),
            (choice("cuda"), None, 2),
            (choice("cuda:0", "cuda:1"), None, 4),
            (choice("cuda"), 5, 5),
            (choice("mps"), 5, 1),
            (choice("cpu", thread_safe=False), None, 1),
            (choice("cpu", thread_safe=False), 8, 1),
            (choice("cuda:0", "cuda:1", thread_safe=False), None, 2),
        ],
    )
    def test_number(self, weights: WeightsChoice, asked: int | None, calls: int) -> None:
        """One per core, two per GPU, one per network that allows one call at a time."""
        assert weights.calls(asked, cores=16) == calls

    def test_network_lends_as_often(self) -> None:
        """Each of two adapters can be acquired twice, and not more often."""
        network = Network(["a", "b"], [None, None], calls=4)  # type: ignore[list-item]
        held = [network.acquire() for _ in range(4)]
        assert [lent.__enter__() for lent in held] == ["a", "b", "a", "b"]
        assert network._idle.empty()
        for lent in held:
            lent.__exit__(None, None, None)


class TestPlans:
    """Cores read and write while a GPU computes."""

    def plan(self, folder: Path, **options: Any) -> Any:
        """Plan a large image."""
        predictor = bc.open_predictor(box_model(folder, {"min": 32, "step": 4}, halo=8), axes="yx", **options)
        return predictor.plan(np.broadcast_to(np.float32(1), (20000, 30000)))

    def test_threads_and_regions(self, tmp_path: Path) -> None:
        """Two concurrent calls, and further regions to read and write, at most as many as cores."""
        plan = self.plan(tmp_path, device="cuda")
        assert plan.workers == 2
        assert 2 < plan.in_flight <= max(4, 2 + allotted_cores())

    def test_not_in_one_block(self, tmp_path: Path) -> None:
        """A large budget does not lead to a single block: the GPU would wait for reading, and the cores for the GPU."""
        plan = self.plan(tmp_path, device="cuda", memory="4 TB")
        assert plan.regions.block_count > 16

    @pytest.mark.parametrize(("seconds", "slower"), [(2.0, "device"), (1e-6, "cores")])
    def test_estimate_is_of_the_slower(self, tmp_path: Path, seconds: float, slower: str) -> None:
        """Calls that were measured two at once take half of their time each; with a fast device, reading takes longest."""
        predictor = bc.open_predictor(box_model(tmp_path, {"min": 32, "step": 4}, halo=8), axes="yx", device="cuda")
        plan = make_plan(
            predictor.model.io,
            np.broadcast_to(np.uint8(1), (20000, 30000)),
            attrs.evolve(predictor.options, block={"y": 1016, "x": 1016}),
            registry=predictor.model.registry,
            weights=choice("cuda"),
            cores=16,
            processes=1,
            profile=Profile(base=0, points=(ProfilePoint(pixels=2**20, seconds=seconds, bytes=1),), calls=2),
        )
        blocks = plan.regions.block_count
        call = seconds * 1016**2 / 2**20 / 2 + CALL_SECONDS
        if slower == "device":
            assert plan.estimated_seconds == pytest.approx(blocks * call, rel=0.02)  # blocks at edges are smaller
        else:
            assert plan.estimated_seconds > blocks * call
