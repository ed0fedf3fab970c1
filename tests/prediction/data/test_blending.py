"""Blending of overlapping blocks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_models import BATCH, box_model, channels, follows, pointwise_model, save_description_0_5, save_graph, space, tensor
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.blocks import AxisGrid, AxisGroup, SteppedSize, TiedAxis
from bioimageio_core.prediction.data.blending import weights

ANY = {"min": 16, "step": 4}


def noise(*shape: int) -> np.ndarray:
    """Return noise."""
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def grid_of(size: int, stride: int, halo: int) -> tuple[AxisGrid, TiedAxis]:
    """Return a grid and its output."""
    output = TiedAxis(tensor="out", axis="x", ratio=Fraction(1), halo=halo)
    group = AxisGroup(size=SteppedSize(4, 4), inputs=(TiedAxis(tensor="raw", axis="x"),), outputs=(output,), may_cut=True)
    return AxisGrid(group=group, image_size=size, stride=stride), output


class TestWeights:
    """Weights of blocks in their pixels."""

    @given(size=st.integers(5, 200), stride=st.integers(1, 12), halo=st.integers(1, 9), how=st.sampled_from(["linear", "gaussian"]))
    def test_add_up(self, size: int, stride: int, halo: int, how: Any) -> None:
        """Weights add up to 1 in every pixel, and are never negative."""
        grid, output = grid_of(size, 4 * stride, halo)
        total = np.zeros(size)
        for block in range(grid.count):
            own = weights(grid, block, output, 0, size, how)
            assert own.min() >= 0
            total += own
        np.testing.assert_allclose(total, 1, rtol=1e-12)

    def test_by_hand(self) -> None:
        """Two blocks of 24 that overlap by 8: a ramp of eight steps between them."""
        grid, output = grid_of(32, 16, 4)
        assert [grid.block_size(k) for k in range(2)] == [24, 24]
        ramp = (np.arange(8) + 0.5) / 8
        np.testing.assert_allclose(weights(grid, 0, output, 12, 20, "linear"), 1 - ramp)
        np.testing.assert_allclose(weights(grid, 1, output, 12, 20, "linear"), ramp)
        np.testing.assert_allclose(weights(grid, 0, output, 0, 12, "linear"), 1)


class TestPredictions:
    """Blended outputs."""

    @pytest.mark.parametrize("how", ["linear", "gaussian"])
    @pytest.mark.parametrize("store", [None, "o.zarr"])
    def test_where_blocks_agree(self, tmp_path: Path, how: str, store: str | None) -> None:
        """If neighbouring blocks agree, blending changes nothing: with a sufficient halo, and with ops after the network."""
        (tmp_path / "m").mkdir()
        model = pointwise_model(tmp_path / "m", gain=2.0, post=[{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}])
        image = noise(3, 100, 90)
        options: dict[str, Any] = {"axes": "tyx", "block": {"y": 32, "x": 32}, "halo": {"y": 4, "x": 4}}
        output = None if store is None else tmp_path / store
        found = bc.predict(model, image, output, overlap=how, **options)["out"]
        np.testing.assert_allclose(np.asarray(found), np.asarray(bc.predict(model, image, **options)["out"]), rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("how", ["linear", "gaussian"])
    def test_seams_get_smaller(self, tmp_path: Path, how: str) -> None:
        """A network that depends on its complete block leaves steps at borders; blending turns them into slopes."""
        nodes = [
            helper.make_node("ReduceMean", ["raw"], ["mean"], axes=[2, 3], keepdims=1),
            helper.make_node("Sub", ["raw", "raw"], ["nothing"]),
            helper.make_node("Add", ["nothing", "mean"], ["out"]),
        ]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"out": 4})
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 32, "step": 4}) for a in "yx"))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=8) for a in "yx"))],
        )
        image = np.broadcast_to(np.arange(200, dtype=np.float32), (100, 200))
        steps = {}
        for overlap in ("crop", how):
            out = np.asarray(bc.predict(tmp_path, image, block={"y": 48, "x": 48}, overlap=overlap)["out"])[0, 0]
            steps[overlap] = np.abs(np.diff(out, axis=1)).max()
        assert steps[how] < steps["crop"] / 4

    def test_one_block(self, tmp_path: Path) -> None:
        """A single block needs no late pass."""
        model = box_model(tmp_path, ANY, halo=4)
        plan = bc.open_predictor(model).plan(noise(40, 40), overlap="linear")
        assert plan.outputs[0].blend is None
