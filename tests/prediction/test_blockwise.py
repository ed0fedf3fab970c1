"""Blockwise equals whole, for networks whose exact result numpy can compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_models import (
    BATCH,
    box_graph,
    box_model,
    channels,
    follows,
    identity_graph,
    pool_graph,
    resample_graph,
    save_description_0_4,
    save_description_0_5,
    save_graph,
    space,
    tensor,
)
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError


def image(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Return pixels that are all different."""
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def mean_filter(array: NDArray[Any], size: int, axes: tuple[int, ...] = (-2, -1)) -> NDArray[np.float64]:
    """Return the mean over a window, symmetric padding."""
    pad = [(0, 0)] * array.ndim
    for axis in axes:
        pad[axis] = (size // 2, size // 2)
    padded = np.pad(array.astype(np.float64), pad, mode="symmetric")
    return np.asarray(sliding_window_view(padded, (size,) * len(axes), axis=axes).mean(axis=tuple(range(-len(axes), 0))))


class TestMeanFilter:
    """A 3 x 3 mean with halo 1: blocks must agree with the padded whole everywhere, edges included."""

    @pytest.mark.parametrize("shape", [(1, 1), (3, 70), (64, 63), (65, 64), (130, 97)])
    def test_fixed_size(self, tmp_path: Path, shape: tuple[int, int]) -> None:
        """Blocks of 64 pixels, images smaller, larger, not divisible; for an image of 64 x 64 see `test_one_call`."""
        model = box_model(tmp_path, 64)
        x = image(*shape)
        np.testing.assert_allclose(np.asarray(bc.predict(model, x)["out"])[0, 0], mean_filter(x, 3), rtol=1e-5)

    @settings(max_examples=25)
    @given(height=st.integers(1, 80), width=st.integers(1, 80), block=st.integers(12, 40), workers=st.integers(1, 3))
    def test_any_size_any_block(self, tmp_path_factory: pytest.TempPathFactory, height: int, width: int, block: int, workers: int) -> None:
        """Sizes of 8 + 4 n."""
        model = box_model(tmp_path_factory.mktemp("model"), {"min": 8, "step": 4})
        x = image(height, width)
        result = bc.predict(model, x, block={"y": block, "x": block}, workers=workers)
        np.testing.assert_allclose(np.asarray(result["out"])[0, 0], mean_filter(x, 3), rtol=1e-5)

    @pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric", "constant"])
    def test_padding_modes(self, tmp_path: Path, mode: str) -> None:
        """The image is padded by the mode of the input, at its edges only."""
        pad = {"mode": mode, "value": 7.0} if mode == "constant" else {"mode": mode}
        model = box_model(tmp_path, 16, pad=pad)
        x = image(40, 23)
        more: dict[str, Any] = {"constant_values": 7.0} if mode == "constant" else {}
        padded = np.pad(x, 1, mode=mode, **more)  # type: ignore[call-overload]
        expected = sliding_window_view(padded, (3, 3)).mean(axis=(-2, -1))
        np.testing.assert_allclose(np.asarray(bc.predict(model, x)["out"])[0, 0], expected, rtol=1e-5)

    def test_three_dimensions(self, tmp_path: Path) -> None:
        """All three axes are cut."""
        box_graph(tmp_path / "weights.onnx", dims=3)
        axes = ("z", "y", "x")
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 4, "step": 2}) for a in axes))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=1) for a in axes))],
        )
        x = image(11, 21, 17)
        result = bc.predict(tmp_path, x, block={"z": 6, "y": 8, "x": 10})
        # the halo of 1 is rounded up to 2 before the core: strides are 2, 4 and 6
        assert [g.count for g in result.plan.grids if g.group.name in axes] == [6, 6, 3]
        np.testing.assert_allclose(np.asarray(result["out"])[0, 0], mean_filter(x, 3, (-3, -2, -1)), rtol=1e-5)


class TestShiftVariantNetwork:
    """8 x 8 pooling: origins off the stride of the network change the result."""

    @pytest.mark.parametrize("size", [64, {"min": 24, "step": 8}])
    def test_odd_image(self, tmp_path: Path, size: Any) -> None:
        """515 x 515: every cell has the mean of its own pixels, the last ones including mirrored pixels."""
        pool_graph(tmp_path / "weights.onnx")
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
            [tensor("out", BATCH, channels(), space("y", follows("y"), halo=8), space("x", follows("x"), halo=8))],
        )
        x = image(515, 515)
        padded = np.pad(x, ((0, 5), (0, 5)), mode="symmetric").astype(np.float64)
        cells = padded.reshape(65, 8, 65, 8).mean(axis=(1, 3))
        expected = np.kron(cells, np.ones((8, 8)))[:515, :515]
        result = bc.predict(tmp_path, x, block={"y": 64, "x": 64})
        assert result.plan.regions.block_count > 100
        np.testing.assert_allclose(np.asarray(result["out"])[0, 0], expected, rtol=1e-5)


class TestScaleAndOffset:
    """Outputs whose size differs from the input."""

    @pytest.mark.parametrize(("up", "down", "scale"), [(4, 1, 0.25), (1, 2, 2.0), (3, 2, 2 / 3)])
    def test_other_scale(self, tmp_path: Path, up: int, down: int, scale: float) -> None:
        """Enlarged four times, halved, and by 3/2 (written as 0.6667)."""
        resample_graph(tmp_path / "weights.onnx", up=up, down=down)
        scale = round(scale, 4)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", {"min": 6, "step": 6}), space("x", {"min": 6, "step": 6}))],
            [tensor("out", BATCH, channels(), space("y", follows("y"), scale=scale), space("x", follows("x"), scale=scale))],
        )
        x = image(50, 36)
        small = x.astype(np.float64).reshape(50 // down, down, 36 // down, down).mean(axis=(1, 3))
        expected = np.kron(small, np.ones((up, up)))
        result = bc.predict(tmp_path, x, block={"y": 12, "x": 18})
        np.testing.assert_allclose(np.asarray(result["out"])[0, 0], expected, rtol=1e-5)

    @pytest.mark.parametrize("size", [20, {"min": 6, "step": 1}])
    def test_valid_convolution(self, tmp_path: Path, size: Any) -> None:
        """A valid 5 x 5 mean: offset -4, no padding anywhere."""
        box_graph(tmp_path / "weights.onnx", size=5, padded=False)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
            [tensor("out", BATCH, channels(), space("y", follows("y", offset=-4)), space("x", follows("x", offset=-4)))],
        )
        x = image(47, 33)
        expected = sliding_window_view(x.astype(np.float64), (5, 5)).mean(axis=(-2, -1))
        result = bc.predict(tmp_path, x, block={"y": 20, "x": 20})
        assert result["out"].shape == (1, 1, 43, 29)
        np.testing.assert_allclose(np.asarray(result["out"])[0, 0], expected, rtol=1e-5)
        with pytest.raises(InputError, match="at least 5 pixels"):
            bc.predict(tmp_path, image(4, 33))

    def test_two_outputs_of_different_scale_and_halo(self, tmp_path: Path) -> None:
        """A mean filter at full size, and cells of 4 x 4 at a quarter: each output is assembled separately."""
        kernel = np.full((1, 1, 3, 3), 1 / 9, np.float32)
        nodes = [
            helper.make_node("Conv", ["raw", "kernel"], ["fine"], pads=[1] * 4),
            helper.make_node("AveragePool", ["raw"], ["coarse"], kernel_shape=[4, 4], strides=[4, 4]),
        ]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"fine": 4, "coarse": 4}, kernel=kernel)
        size = {"min": 8, "step": 4}
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
            [
                tensor("fine", BATCH, channels(), space("y", follows("y"), halo=1), space("x", follows("x"), halo=1)),
                tensor("coarse", BATCH, channels(), space("y", follows("y"), scale=4.0), space("x", follows("x"), scale=4.0)),
            ],
        )
        x = image(52, 37)
        result = bc.predict(tmp_path, x, block={"y": 20, "x": 16})
        np.testing.assert_allclose(np.asarray(result["fine"])[0, 0], mean_filter(x, 3), rtol=1e-5)
        cells = x[:52, :36].astype(np.float64).reshape(13, 4, 9, 4).mean(axis=(1, 3))
        np.testing.assert_allclose(np.asarray(result["coarse"])[0, 0], cells, rtol=1e-5)


class TestSeveralInputs:
    """Several inputs, cut together."""

    def test_second_input_at_half_size(self, tmp_path: Path) -> None:
        """raw + enlarged(half): the second input is cut at half the positions."""
        nodes = [
            helper.make_node(
                "Resize", ["half", "", "scales"], ["big"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
            ),
            helper.make_node("Add", ["raw", "big"], ["out"]),
        ]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4, "half": 4}, {"out": 4}, scales=np.array([1, 1, 2, 2], np.float32))
        size = {"min": 4, "step": 2}
        save_description_0_5(
            tmp_path,
            [
                tensor("raw", BATCH, channels(), space("y", size), space("x", size)),
                tensor("half", BATCH, channels(), space("y", follows("y"), scale=2.0), space("x", follows("x"), scale=2.0)),
            ],
            [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
        )
        raw, half = image(30, 26), image(15, 13, seed=1)
        result = bc.predict(tmp_path, {"raw": raw, "half": half}, block={"y": 8, "x": 8})
        assert result.plan.regions.block_count > 4
        np.testing.assert_allclose(np.asarray(result["out"])[0, 0], raw + np.kron(half, np.ones((2, 2))), rtol=1e-6)
        with pytest.raises(InputError, match=r"'half' has 16 pixels along axis 'y': expected 15"):
            bc.predict(tmp_path, {"raw": raw, "half": image(16, 13)})
        with pytest.raises(InputError, match="missing: half"):
            bc.predict(tmp_path, {"raw": raw})

    def test_optional_input(self, tmp_path: Path) -> None:
        """An optional input may be missing, also in blocks."""
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Neg", ["raw"], ["out"])], {"raw": 4}, {"out": 4})
        size = {"min": 4, "step": 4}
        save_description_0_5(
            tmp_path,
            [
                tensor("raw", BATCH, channels(), space("y", size), space("x", size)),
                tensor("prompt", BATCH, channels(), space("y", size), space("x", size), optional=True),
            ],
            [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
        )
        x = image(21, 9)
        np.testing.assert_array_equal(np.asarray(bc.predict(tmp_path, x, block={"y": 8})["out"])[0, 0], -x)


class TestAxesThatDiffer:
    """Images with more or fewer axes than the model."""

    def test_time_and_batch(self, tmp_path: Path) -> None:
        """Time points and batch items are predicted one by one, each with its own statistics."""
        identity_graph(tmp_path / "weights.onnx")
        zmuv = {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["channel", "y", "x"]}}
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", 8), space("x", 8), preprocessing=[zmuv])],
            [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
        )
        x = image(3, 2, 20, 11) * np.arange(1, 7, dtype=np.float32).reshape(3, 2, 1, 1)
        result = bc.predict(tmp_path, x, axes="tbyx")["out"]
        assert result.axes == ("time", "batch", "channel", "y", "x")
        wide = x.astype(np.float64)
        expected = (wide - wide.mean((2, 3), keepdims=True)) / (wide.std((2, 3), keepdims=True) + 1e-6)
        np.testing.assert_allclose(np.asarray(result)[:, :, 0], expected, rtol=1e-4, atol=1e-5)
        pooled = np.asarray(bc.predict(tmp_path, x, axes="tbyx", stats_over="time")["out"])[:, :, 0]
        expected = (wide - wide.mean((0, 2, 3), keepdims=True)) / (wide.std((0, 2, 3), keepdims=True) + 1e-6)
        np.testing.assert_allclose(pooled, expected, rtol=1e-4, atol=1e-5)

    def test_batches_of_blocks(self, tmp_path: Path) -> None:
        """Four blocks in one call give the same result as one block per call."""
        model = box_model(tmp_path, {"min": 8, "step": 4})
        x = image(3, 50, 41)
        one = np.asarray(bc.predict(model, x, axes="byx", block={"y": 16, "x": 16})["out"])
        four = np.asarray(bc.predict(model, x, axes="byx", block={"y": 16, "x": 16}, batch_size=4)["out"])
        np.testing.assert_allclose(four, one, rtol=1e-6)
        np.testing.assert_allclose(one[:, 0], mean_filter(x, 3), rtol=1e-5)

    def test_singleton_axis_of_the_image(self, tmp_path: Path) -> None:
        """A channel axis of one channel, at any position, for a model without channel axis."""
        identity_graph(tmp_path / "weights.onnx", rank=2)
        save_description_0_5(
            tmp_path,
            [tensor("raw", *(space(a, {"min": 4, "step": 1}) for a in "yx"))],
            [tensor("out", *(space(a, follows(a)) for a in "yx"))],
        )
        x = image(9, 8)
        for axes, array in (("cyx", x[None]), ("yxc", x[..., None]), ("ycx", x[:, None])):
            np.testing.assert_array_equal(np.asarray(bc.predict(tmp_path, array, axes=axes)["out"]), x)

    def test_singleton_axis_of_the_model(self, tmp_path: Path) -> None:
        """A 2D image for a 3D model is one plane, mirrored."""
        box_graph(tmp_path / "weights.onnx", dims=3)
        axes = ("z", "y", "x")
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), *(space(a, {"min": 4, "step": 2}) for a in axes))],
            [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=1) for a in axes))],
        )
        x = image(20, 13)
        result = bc.predict(tmp_path, x, axes="yx")["out"]
        assert result.sizes == {"batch": 1, "channel": 1, "z": 1, "y": 20, "x": 13}
        np.testing.assert_allclose(np.asarray(result)[0, 0, 0], mean_filter(x, 3), rtol=1e-5)

    def test_concatenable_time(self, tmp_path: Path) -> None:
        """A time axis of fixed size 4 that is concatenable is cut without halo."""
        identity_graph(tmp_path / "weights.onnx", rank=5)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), {"type": "time", "size": 4, "concatenable": True}, space("y", 8), space("x", 8))],
            [
                tensor(
                    "out", BATCH, channels(), {"type": "time", "size": follows("time")}, space("y", follows("y")), space("x", follows("x"))
                )
            ],
        )
        x = image(10, 8, 8)
        result = bc.predict(tmp_path, x, axes="tyx")
        assert not [w for w in result.plan.warnings if "'time'" in w]
        np.testing.assert_array_equal(np.asarray(result["out"])[0, 0], x)


class TestFormat04:
    """Models of format 0.4 in blocks."""

    def test_mean_filter(self, tmp_path: Path) -> None:
        """Fixed 32 x 32 with halo 4; uint8 input, labels as output."""
        box_graph(tmp_path / "weights.onnx", size=3)
        save_description_0_4(
            tmp_path,
            [{"name": "raw", "axes": "bcyx", "data_type": "uint8", "shape": [1, 1, 32, 32]}],
            [
                {
                    "name": "out",
                    "axes": "bcyx",
                    "data_type": "uint8",
                    "halo": [0, 0, 4, 4],
                    "shape": [1, 1, 32, 32],
                    "postprocessing": [{"name": "binarize", "kwargs": {"threshold": 99.5}}],
                }
            ],
        )
        x = np.random.default_rng(0).integers(0, 200, (70, 45), dtype=np.uint8)
        result = bc.predict(tmp_path, x)["out"]
        assert result.dtype == np.uint8
        expected = mean_filter(x, 3)
        clear = np.abs(expected - 99.5) > 1e-3
        np.testing.assert_array_equal(np.asarray(result)[0, 0][clear], (expected > 99.5)[clear])
