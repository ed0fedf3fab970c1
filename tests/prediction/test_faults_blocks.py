"""Blocks, halos and sizes where the reference runtime is wrong; expected numbers are computed by numpy. See docs/faults.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import (
    BATCH,
    box_graph,
    box_model,
    channels,
    follows,
    pointwise_model,
    resample_graph,
    save_description_0_5,
    save_graph,
    space,
    tensor,
)
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import BlockError, InputError

Array = NDArray[Any]
SIZE = {"min": 8, "step": 4}
Q = np.arange(64, dtype=np.float32).reshape(8, 8)
SMALL = {"block": {"y": 12, "x": 12}}


def mean_filter(array: Array) -> Array:
    """Return the mean of 3 x 3 pixels, symmetric padding."""
    padded = np.pad(array.astype(np.float64), 1, mode="symmetric")
    return np.asarray(sliding_window_view(padded, (3, 3)).mean(axis=(-2, -1)))


def squeezed(result: bc.Prediction, output: str = "out") -> Array:
    """Return an output without axes of one position."""
    return np.squeeze(np.asarray(result[output]))


class TestF11SmallImages:
    """An image smaller than a block is padded, or gets a smaller block."""

    @pytest.mark.parametrize("options", [{}, SMALL, {"block": {"y": 44, "x": 44}}])
    @pytest.mark.parametrize("shape", [(8, 8), (7, 7), (1, 3)])
    def test_identity(self, tmp_path: Path, shape: tuple[int, int], options: dict[str, Any]) -> None:
        """A network of sizes 8 + 4 n without halo."""
        model = pointwise_model(tmp_path, size=SIZE)
        image = Q[: shape[0], : shape[1]]
        np.testing.assert_array_equal(np.asarray(bc.predict(model, image, **options)["out"])[0, 0], image)

    @pytest.mark.parametrize("options", [{}, SMALL, {"block": {"y": 44, "x": 44}}])
    @pytest.mark.parametrize("shape", [(8, 8), (7, 7), (1, 3)])
    def test_mean_filter(self, tmp_path: Path, shape: tuple[int, int], options: dict[str, Any]) -> None:
        """8 x 8, 7 x 7 and 1 x 3 pixels, whatever the block."""
        model = box_model(tmp_path, SIZE)
        image = Q[: shape[0], : shape[1]]
        found = np.asarray(bc.predict(model, image, **options)["out"])[0, 0]
        np.testing.assert_allclose(found, mean_filter(image), rtol=1e-6, atol=1e-6)


class TestF12HaloOfOutputs:
    """The halo of every output is padded and cropped separately."""

    @pytest.mark.parametrize("options", [{}, SMALL])
    def test_other_axis_ids(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """Output axes v and u follow y and x of the input."""
        box_graph(tmp_path / "weights.onnx")
        out = [space("v", follows("y"), halo=1), space("u", follows("x"), halo=1)]
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", SIZE), space("x", SIZE))],
            [tensor("out", BATCH, channels(), *out)],
        )
        np.testing.assert_allclose(squeezed(bc.predict(tmp_path, Q, **options)), mean_filter(Q), rtol=1e-6)

    @pytest.mark.parametrize("options", [{}, SMALL])
    @pytest.mark.parametrize("halos", [(1, 2), (2, 1), (1, 0), (0, 1)])
    def test_two_outputs(self, tmp_path: Path, halos: tuple[int, int], options: dict[str, Any]) -> None:
        """Two outputs of different halo, or one of them without: both have the size of the image."""
        kernel = np.full((1, 1, 3, 3), 1 / 9, np.float32)
        nodes = [helper.make_node("Conv", ["raw", "kernel"], ["mean"], pads=[1] * 4), helper.make_node("Neg", ["raw"], ["negative"])]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"mean": 4, "negative": 4}, kernel=kernel)
        outputs = []
        for name, halo in zip(("mean", "negative"), halos, strict=True):
            more = {"halo": halo} if halo else {}
            outputs.append(tensor(name, BATCH, channels(), space("y", follows("y"), **more), space("x", follows("x"), **more)))
        save_description_0_5(tmp_path, [tensor("raw", BATCH, channels(), space("y", SIZE), space("x", SIZE))], outputs)
        result = bc.predict(tmp_path, Q, **options)
        np.testing.assert_array_equal(squeezed(result, "negative"), -Q)
        if halos[0]:
            np.testing.assert_allclose(squeezed(result, "mean"), mean_filter(Q), rtol=1e-6)


class TestF13LastBlockStaysOnTheGrid:
    """The last block is smaller, or padded; its origin is a multiple of the stride of the network."""

    def test_average_pool(self, tmp_path: Path) -> None:
        """Means of 2 x 2 of 0 .. 120: the first row is 6, 8, 10, 12, 14, in blocks as in the whole."""
        resample_graph(tmp_path / "weights.onnx", down=2)
        size = {"min": 2, "step": 2}
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", size), space("x", size))],
            [tensor("out", BATCH, channels(), space("y", follows("y"), scale=2.0), space("x", follows("x"), scale=2.0))],
        )
        image = np.arange(121, dtype=np.float32).reshape(11, 11)
        result = bc.predict(tmp_path, image, block={"y": 4, "x": 4})
        assert result.plan.regions.block_count == 9
        expected = image[:10, :10].reshape(5, 2, 5, 2).mean(axis=(1, 3))
        assert expected[0].tolist() == [6, 8, 10, 12, 14]
        np.testing.assert_array_equal(squeezed(result), expected)


class TestF14OffsetInBlocks:
    """Outputs of networks without padding are assembled from blocks."""

    def test_valid_convolution(self, tmp_path: Path) -> None:
        """A valid 3 x 3 mean: two pixels fewer, in 16 blocks."""
        box_graph(tmp_path / "weights.onnx", padded=False)
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", SIZE), space("x", SIZE))],
            [tensor("out", BATCH, channels(), space("y", follows("y", offset=-2)), space("x", follows("x", offset=-2)))],
        )
        image = np.arange(15 * 15, dtype=np.float32).reshape(15, 15) ** 1.5
        result = bc.predict(tmp_path, image, block={"y": 8, "x": 8})
        assert result.plan.regions.block_count == 16
        np.testing.assert_allclose(squeezed(result), sliding_window_view(image, (3, 3)).mean(axis=(-2, -1)), rtol=1e-6)


class TestF15FixedSizeWithHalo:
    """A network of fixed size gets only blocks of this size; a halo leads to more blocks, unless the image is exactly one block."""

    @pytest.mark.parametrize("size", [8, 9])
    def test_image_of_that_size(self, tmp_path: Path, size: int) -> None:
        """8 x 8 and 9 x 9 for a network of fixed size 8 x 8, with halo 1."""
        image = np.arange(size * size, dtype=np.float32).reshape(size, size) ** 1.5
        model = box_model(tmp_path, 8)
        kernel = np.full((1, 1, 3, 3), 1 / 9, np.float32)
        node = helper.make_node("Conv", ["raw", "kernel"], ["out"], pads=[1] * 4)
        save_graph(tmp_path / "weights.onnx", [node], {"raw": (1, 1, 8, 8)}, {"out": (1, 1, 8, 8)}, kernel=kernel)
        result = bc.predict(model, image)
        assert result.plan.regions.block_count == (1 if size == 8 else 9)
        # Within its one block the network itself pads with zeros.
        expected = sliding_window_view(np.pad(image, 1), (3, 3)).mean(axis=(-2, -1)) if size == 8 else mean_filter(image)
        np.testing.assert_allclose(squeezed(result), expected, rtol=1e-6)


class TestF16OutputWithoutChannelAxis:
    """An output without channel axis is assembled from blocks."""

    def test_mean_of_channels(self, tmp_path: Path) -> None:
        """Two channels become none."""
        save_graph(
            tmp_path / "weights.onnx", [helper.make_node("ReduceMean", ["raw"], ["out"], axes=[1], keepdims=0)], {"raw": 4}, {"out": 3}
        )
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels("a", "b"), space("y", SIZE), space("x", SIZE))],
            [tensor("out", BATCH, space("y", follows("y")), space("x", follows("x")))],
        )
        image = np.stack([np.tile(Q, (2, 2)), 3 * np.tile(Q, (2, 2))])
        result = bc.predict(tmp_path, image, **SMALL)
        assert result.plan.regions.block_count == 4
        assert result["out"].axes == ("batch", "y", "x")
        np.testing.assert_array_equal(squeezed(result), 2 * np.tile(Q, (2, 2)))


class TestF17OutputsThatNoBlocksCanMake:
    """Outputs whose size does not follow the image are predicted in one block, and refused in several."""

    def test_fixed_size(self, tmp_path: Path) -> None:
        """The mean of 0 .. 63 is 31.5; the mean of the last block is never returned instead."""
        save_graph(
            tmp_path / "weights.onnx", [helper.make_node("ReduceMean", ["raw"], ["out"], axes=[2, 3], keepdims=0)], {"raw": 4}, {"out": 2}
        )
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", SIZE), space("x", SIZE))],
            [tensor("out", BATCH, channels())],
        )
        assert squeezed(bc.predict(tmp_path, Q)) == 31.5
        with pytest.raises(BlockError, match=r"'out' does not follow axis 'y'.*2 blocks"):
            bc.predict(tmp_path, np.tile(Q, (2, 1)), block={"y": 8})

    def test_data_dependent_size(self, tmp_path: Path) -> None:
        """The positive pixels of an image, in one block and not in two."""
        nodes = [
            helper.make_node("Greater", ["raw", "zero"], ["mask"]),
            helper.make_node("Reshape", ["mask", "flat"], ["chosen"]),
            helper.make_node("Compress", ["raw", "chosen"], ["out"]),
        ]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"out": 1}, zero=np.zeros(1, np.float32), flat=np.array([-1]))
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels(), space("y", SIZE), space("x", SIZE))],
            [tensor("out", {"type": "index", "size": {"min": 1}})],
        )
        np.testing.assert_array_equal(bc.predict(tmp_path, Q - 60)["out"], [1, 2, 3])
        with pytest.raises(BlockError, match=r"output 'out' .*2 blocks"):
            bc.predict(tmp_path, np.tile(Q, (2, 1)), block={"y": 8})
        with pytest.raises(InputError, match="shards cannot share"):
            bc.predict(tmp_path, Q - 60, tmp_path / "o.zarr", shard=(1, 2))
        assert not (tmp_path / "o.zarr").exists()


class TestF18OptionalInputInBlocks:
    """An optional input may be missing, in blocks and in one block."""

    @pytest.mark.parametrize("options", [{}, SMALL])
    def test_absent(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """The graph uses the first input alone."""
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Neg", ["raw"], ["out"])], {"raw": 4}, {"out": 4})
        save_description_0_5(
            tmp_path,
            [
                tensor("raw", BATCH, channels(), space("y", SIZE), space("x", SIZE)),
                tensor("prompt", BATCH, channels(), space("y", SIZE), space("x", SIZE), optional=True),
            ],
            [tensor("out", BATCH, channels(), space("y", follows("y")), space("x", follows("x")))],
        )
        image = np.tile(Q, (2, 2))
        np.testing.assert_array_equal(squeezed(bc.predict(tmp_path, {"raw": image}, **options)), -image)
