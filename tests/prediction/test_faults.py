"""Statistics, ops and casts where the reference runtime is wrong; expected numbers are computed by numpy. See docs/faults.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_models import (
    BATCH,
    channels,
    follows,
    pointwise_model,
    pointwise_model_0_4,
    save_description_0_4,
    save_description_0_5,
    save_graph,
    space,
    tensor,
)
from numpy.typing import NDArray
from onnx import helper

import bioimageio_core as bc
from bioimageio_core.errors import InputError

Array = NDArray[Any]

A = np.array([[0, 1, 2, 3], [10, 20, 30, 60]], np.float32)
Q = np.arange(16, dtype=np.float32).reshape(4, 4)
BLOCKS = [{}, {"block": {"y": 2, "x": 3}}]
"""The whole image in one block, and in four."""


def op(name: str, **kwargs: Any) -> dict[str, Any]:
    """Return a step of format 0.5."""
    return {"id": name, "kwargs": kwargs} if kwargs else {"id": name}


def op_0_4(name: str, **kwargs: Any) -> dict[str, Any]:
    """Return a step of format 0.4."""
    return {"name": name, "kwargs": kwargs}


def predicted(model: Path, image: Any, **options: Any) -> Array:
    """Return the output without axes of one position."""
    result = bc.predict(model, image, **options)
    assert "block" not in options or result.plan.regions.block_count > 1
    return np.squeeze(np.asarray(result["out"]))


def standardised(array: Array, eps: float = 1e-6, axis: Any = None) -> Array:
    """Return zero mean and unit variance."""
    wide = array.astype(np.float64)
    return (wide - wide.mean(axis, keepdims=True)) / (wide.std(axis, keepdims=True) + eps)


@pytest.mark.parametrize("options", BLOCKS)
class TestF01StatisticsSeeEarlierOps:
    """Statistics of an op are measured on the result of the op before."""

    def test_gain_and_offset(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """An affine map before the normalisation changes nothing: the first value is (0 - 7.5) / 4.6098, not that of 100."""
        model = pointwise_model(tmp_path, pre=[op("scale_linear", gain=2.0, offset=100.0), op("zero_mean_unit_variance")])
        found = predicted(model, Q, **options)
        np.testing.assert_allclose(found, standardised(2 * Q + 100), rtol=1e-5)
        assert found[0, 0] == pytest.approx(-1.62698, abs=1e-5)

    def test_clip_and_range(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """The range is that of the clipped values: 0 to 1."""
        model = pointwise_model(tmp_path, pre=[op("clip", min=5.0, max=10.0), op("scale_range")])
        expected = (np.clip(Q, 5, 10) - 5) / (5 + 1e-6)
        np.testing.assert_allclose(predicted(model, Q, **options), expected, rtol=1e-6)


@pytest.mark.parametrize("options", BLOCKS)
class TestF02StatisticsOfOutputs:
    """Postprocessing uses statistics of the whole output, in both formats."""

    def test_zero_mean_unit_variance(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """The output is 3 raw + 5."""
        model = pointwise_model(tmp_path, gain=3, offset=5, post=[op("zero_mean_unit_variance", eps=0.1)])
        np.testing.assert_allclose(predicted(model, Q, **options), standardised(3 * Q + 5, 0.1), rtol=1e-5)

    def test_clip_to_percentiles(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """Bounds are elements of the output: 30 % of 16 values is the fifth, 60 % the tenth."""
        model = pointwise_model(tmp_path, gain=2, post=[op("clip", min_percentile=30, max_percentile=60)])
        np.testing.assert_array_equal(predicted(model, Q, **options), np.clip(2 * Q, 8, 18))

    def test_scale_range_without_reference(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """The range is that of the output itself."""
        model = pointwise_model(tmp_path, gain=2, offset=7, post=[op("scale_range", min_percentile=5, max_percentile=95)])
        low, high = np.percentile(2 * Q + 7, [5, 95])
        np.testing.assert_allclose(predicted(model, Q, **options), (2 * Q + 7 - low) / (high - low + 1e-6), rtol=1e-5, atol=1e-6)

    def test_scale_mean_variance(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """Mean and standard deviation of the input come back: 3 raw + 5 becomes raw."""
        model = pointwise_model(tmp_path, gain=3, offset=5, post=[op("scale_mean_variance", reference_tensor="raw")])
        np.testing.assert_allclose(predicted(model, Q, **options), Q, atol=1e-5)

    def test_format_0_4(self, tmp_path: Path, options: dict[str, Any]) -> None:
        """The same ops as format 0.4 writes them."""
        for post, expected in (
            (op_0_4("zero_mean_unit_variance", mode="per_sample", axes="yx", eps=0.1), standardised(3 * Q + 5, 0.1)),
            (op_0_4("scale_range", mode="per_sample", axes="yx"), Q / (15 + 1e-6 / 3)),
            (op_0_4("scale_mean_variance", mode="per_sample", reference_tensor="raw", axes="yx"), Q),
        ):
            model = pointwise_model_0_4(tmp_path, gain=3, offset=5, post=[post])
            np.testing.assert_allclose(predicted(model, Q, **options), expected, rtol=1e-5, atol=1e-5)


class TestF02ReferenceTensor:
    """An op with a reference tensor uses statistics of the raw input."""

    @pytest.mark.parametrize(
        ("axes", "expected"),
        [
            (["x"], [[0, 2, 4, 6], [-0.069046, 0.465477, 1, 2.603569]]),
            (None, [[0.3812855, None, None, None], [None, None, None, 6.5478172]]),
        ],
    )
    def test_scale_mean_variance(self, tmp_path: Path, axes: list[str] | None, expected: list[list[float | None]]) -> None:
        """Numbers of another input, with mean and deviation along x or of all."""
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 3}, {"out": 3})
        size = {"min": 1, "step": 1}
        kwargs = {"reference_tensor": "other"} | ({} if axes is None else {"axes": axes})
        save_description_0_5(
            tmp_path,
            [tensor("raw", BATCH, channels("a", "b"), space("x", size)), tensor("other", BATCH, channels("a", "b"), space("x", size))],
            [tensor("out", BATCH, channels("a", "b"), space("x", follows("x")), postprocessing=[op("scale_mean_variance", **kwargs)])],
        )
        other = np.array([[0, 2, 4, 6], [0, 0, 2, 2]], np.float32)
        found = predicted(tmp_path, {"raw": A, "other": other}, axes="cx")
        known = [(n, value) for n, value in enumerate(np.ravel(np.array(expected, object))) if value is not None]
        np.testing.assert_allclose([found.ravel()[n] for n, _ in known], [v for _, v in known], atol=2e-5)


class TestF03EpsIsUsed:
    """The described eps is added."""

    def test_large_eps(self, tmp_path: Path) -> None:
        """Of 0, 1, 2, 3: (0 - 1.5) / (1.1180 + 0.1)."""
        model = pointwise_model(tmp_path, axes=("x",), pre=[op("zero_mean_unit_variance", eps=0.1)])
        found = predicted(model, np.arange(4, dtype=np.float32), axes="x")
        np.testing.assert_allclose(found, standardised(np.arange(4), 0.1), rtol=1e-6)
        assert found[0] == pytest.approx(-1.2315, abs=1e-4)

    def test_scale_range(self, tmp_path: Path) -> None:
        """0 .. 3 divided by 3.1."""
        model = pointwise_model(tmp_path, axes=("x",), pre=[op("scale_range", eps=0.1)])
        np.testing.assert_allclose(predicted(model, np.arange(4, dtype=np.float32), axes="x"), np.arange(4) / 3.1, rtol=1e-6)


class TestF04BinarizeAlongAxis:
    """Thresholds apply along the named axis."""

    def test_channels(self, tmp_path: Path) -> None:
        """2 for the first channel, 20 for the second, whatever the size along x."""
        post = [op("binarize", threshold=[2.0, 20.0], axis="channel")]
        model = pointwise_model(tmp_path, axes=("x",), names=("a", "b"), post=post, out_dtype="uint8")
        found = predicted(model, np.array([[1, 30], [3, 15]], np.float32), axes="cx")
        np.testing.assert_array_equal(found, [[0, 1], [0, 0]])
        found = predicted(model, np.array([[1, 30, 3], [3, 15, 21]], np.float32), axes="cx")
        np.testing.assert_array_equal(found, [[0, 1, 1], [0, 0, 1]])


class TestF05ActivationsOfUnsignedIntegers:
    """Unsigned integers do not wrap around when they are negated."""

    @pytest.mark.parametrize("dtype", ["uint8", "uint16"])
    def test_sigmoid(self, tmp_path: Path, dtype: str) -> None:
        """0, 1, 2, 255."""
        model = pointwise_model(tmp_path, axes=("x",), post=[op("ensure_dtype", dtype=dtype), op("sigmoid")])
        found = predicted(model, np.array([0, 1, 2, 255], np.float32), axes="x")
        np.testing.assert_allclose(found, [0.5, 0.73105858, 0.88079708, 1.0], rtol=1e-6)

    def test_softmax(self, tmp_path: Path) -> None:
        """1 and 3 along the channels."""
        post = [op("ensure_dtype", dtype="uint8"), op("softmax")]
        model = pointwise_model(tmp_path, axes=("x",), names=("a", "b"), post=post)
        np.testing.assert_allclose(predicted(model, np.array([[1], [3]], np.float32), axes="cx"), [0.1192029, 0.8807970], rtol=1e-6)


class TestF06NoMemoryOfEarlierImages:
    """An image has the same result whatever was predicted before."""

    def test_same_predictor(self, tmp_path: Path) -> None:
        """Q, 2 Q and 4 Q are the same once normalised, in whatever order."""
        model = pointwise_model(tmp_path, pre=[op("zero_mean_unit_variance")])
        with bc.open_predictor(model) as predictor:
            for factor in (1, 2, 4, 1):
                found = np.squeeze(np.asarray(predictor.predict(factor * Q)["out"]))
                np.testing.assert_allclose(found, standardised(Q), rtol=1e-5)
                assert found[-1, -1] == pytest.approx(1.62698, abs=1e-5)

    def test_batch_is_one_sample_where_the_axes_say_so(self, tmp_path: Path) -> None:
        """Without axes, statistics are over all axes of the tensor, those of the batch of this image included."""
        model = pointwise_model(tmp_path, pre=[op("zero_mean_unit_variance")])
        both = np.stack([Q, 4 * Q])
        np.testing.assert_allclose(predicted(model, both, axes="byx"), standardised(both), rtol=1e-5)


class TestF07SuppliedDatasetStatistics:
    """Supplied statistics of a dataset are used unchanged, image after image."""

    def test_supplied(self, tmp_path: Path) -> None:
        """Q against the statistics of 3 Q: mean 22.5, std 13.83."""
        model = pointwise_model(tmp_path, pre=[op("zero_mean_unit_variance")])
        dataset = bc.predict(model, 3 * Q)
        for _ in range(2):
            again = bc.predict(model, Q, statistics=dataset.statistics)
            np.testing.assert_allclose(np.asarray(again["out"]).ravel(), (Q.ravel() - 22.5) / ((3 * Q).std() + 1e-6), rtol=1e-6)
        with pytest.raises(InputError, match=r"statistics 'mean': expected some of raw: 2\. zero_mean"):
            bc.predict(model, Q, statistics={"mean": 3})

    def test_statistics_of_samples_are_measured(self, tmp_path: Path) -> None:
        """Statistics of a sample are not taken from a different sample."""
        model = pointwise_model(tmp_path, pre=[op("zero_mean_unit_variance", axes=["channel", "y", "x"])])
        other = bc.predict(model, 3 * Q)
        np.testing.assert_array_equal(
            np.asarray(bc.predict(model, Q, statistics=other.statistics)["out"]), np.asarray(bc.predict(model, Q)["out"])
        )


class TestF08PercentilesOfAll:
    """A percentile over several items is taken of all their pixels together, by the method of the op."""

    @pytest.mark.parametrize(("q", "low"), [(0, 0.0), (25, 1.75)])
    def test_scale_range(self, tmp_path: Path, q: float, low: float) -> None:
        """Of 0, 1, 2, 3, 10, 20, 30, 60: the quarter is 1.75 and the greatest 60."""
        model = pointwise_model(tmp_path, axes=("x",), pre=[op("scale_range", min_percentile=q, max_percentile=100)])
        np.testing.assert_allclose(predicted(model, A, axes="bx"), (A - low) / (60 - low + 1e-6), rtol=1e-6, atol=1e-7)

    @pytest.mark.parametrize(("axes", "expected"), [(["x"], [[1, 1, 2, 2], [20, 20, 30, 30]]), (None, [[2, 2, 2, 3], [10, 10, 10, 10]])])
    def test_clip(self, tmp_path: Path, axes: list[str] | None, expected: list[list[float]]) -> None:
        """Bounds are elements of the sample, with the batch among the axes and without."""
        kwargs = {"min_percentile": 30, "max_percentile": 60} | ({} if axes is None else {"axes": axes})
        model = pointwise_model(tmp_path, axes=("x",), pre=[op("clip", **kwargs)])
        np.testing.assert_array_equal(predicted(model, A, axes="bx"), expected)


class TestF09DtypeOfOutputsInFormat04:
    """The output of the network is cast to the described dtype after postprocessing, not before, and for every output."""

    def test_binarize_sees_floats(self, tmp_path: Path) -> None:
        """0.6 is above 0.5."""
        model = pointwise_model_0_4(tmp_path, out_dtype="uint8", post=[op_0_4("binarize", threshold=0.5)])
        found = predicted(model, np.array([[0.4, 0.6]], np.float32))
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, [0, 1])

    def test_every_output(self, tmp_path: Path) -> None:
        """Two outputs without ops: both uint8; values out of range become the largest integer."""
        nodes = [helper.make_node("Identity", ["raw"], [name]) for name in ("first", "second")]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"first": 4, "second": 4})
        shape = {"reference_tensor": "raw", "scale": [1] * 4, "offset": [0] * 4}
        save_description_0_4(
            tmp_path,
            [{"name": "raw", "axes": "bcyx", "data_type": "float32", "shape": {"min": [1] * 4, "step": [0, 0, 1, 1]}}],
            [{"name": name, "axes": "bcyx", "data_type": "uint8", "shape": shape} for name in ("first", "second")],
        )
        result = bc.predict(tmp_path, np.array([[-3.0, 0.9, 256.7]], np.float32))
        for name in ("first", "second"):
            assert result[name].dtype == np.uint8
            np.testing.assert_array_equal(np.squeeze(np.asarray(result[name])), [0, 0, 255])


class TestF10ScaleLinearWithAxesInFormat04:
    """``axes`` of scale_linear names the axes that share a gain; gains vary along the remaining axis."""

    def test_channels(self, tmp_path: Path) -> None:
        """Gain 2 and offset 1 for the first channel, 3 and 0 for the second."""
        pre = [op_0_4("scale_linear", axes="yx", gain=[2.0, 3.0], offset=[1.0, 0.0])]
        model = pointwise_model_0_4(tmp_path, shape=[1, 2, 1, 4], pre=pre)
        found = predicted(model, A[:, np.newaxis], axes="cyx")
        np.testing.assert_array_equal(found, [[1, 3, 5, 7], [30, 60, 90, 180]])


class TestF22BinarizeAtTheEnd:
    """The described dtype also applies to lists that end in binarize."""

    def test_output(self, tmp_path: Path) -> None:
        """An output described as uint8 is uint8."""
        model = pointwise_model(tmp_path, post=[op("binarize", threshold=7.5)], out_dtype="uint8")
        found = predicted(model, Q)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, Q > 7.5)

    def test_input(self, tmp_path: Path) -> None:
        """A network that takes float32 gets 0.0 and 1.0."""
        model = pointwise_model(tmp_path, pre=[op("binarize", threshold=7.5)], gain=3)
        np.testing.assert_array_equal(predicted(model, Q), 3.0 * (Q > 7.5))


class TestF26StatisticsInDoublePrecision:
    """Sums of float32 images are taken in float64."""

    def test_large_numbers(self, tmp_path: Path) -> None:
        """16777210 .. 16777216 and the last one again: mean ..213.375, variance 4.484375."""
        image = np.array([*range(16777210, 16777217), 16777216], np.float32)
        model = pointwise_model(tmp_path, axes=("x",), pre=[op("zero_mean_unit_variance")])
        result = bc.predict(model, image, axes="x")
        mean, std = (next(v for k, v in result.statistics.items() if kind in k) for kind in ("mean", "std"))
        assert mean == 16777213.375
        assert std**2 == pytest.approx(4.484375, rel=1e-9)
        expected = (image.astype(np.float64) - 16777213.375) / (np.sqrt(4.484375) + 1e-6)
        np.testing.assert_allclose(np.squeeze(np.asarray(result["out"])), expected, rtol=1e-6)
