"""Known numbers of every op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bioimageio_core.processing import descr_v0_4 as v0_4
from bioimageio_core.processing import descr_v0_5 as v0_5

Array = np.ndarray[Any, Any]
Apply = Callable[..., Array]

BCX = ("batch", "channel", "x")
BCYX = ("batch", "channel", "y", "x")
A = np.array([[[0, 1, 2, 3], [10, 20, 30, 60]]], np.float32)
REF = np.array([[[0, 2, 4, 6], [0, 0, 2, 2]]], np.float32)
Q = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
F, T = False, True


def same(found: Array, expected: Any, dtype: Any = np.float32, rtol: float = 2e-6, atol: float = 1e-6) -> None:
    assert found.dtype == dtype
    np.testing.assert_allclose(found.squeeze(), np.squeeze(expected), rtol=rtol, atol=atol)


class TestBinarize:
    @pytest.mark.parametrize("kwargs", [v0_4.BinarizeKwargs(threshold=2), v0_5.BinarizeKwargs(threshold=2)])
    def test_one_threshold(self, apply: Apply, kwargs: Any) -> None:
        """Only what is above the threshold is true."""
        same(apply("binarize", kwargs, A, BCX), [[F, F, F, T], [T, T, T, T]], bool)

    def test_odd_numbers(self, apply: Apply) -> None:
        """NaN is not above anything, infinity is."""
        same(apply("binarize", v0_5.BinarizeKwargs(threshold=2), np.array([np.nan, np.inf, 3], np.float32), ("x",)), [F, T, T], bool)

    def test_axis_by_name(self, apply: Apply) -> None:
        """Thresholds of channels are compared along the axis of that name, not the last one."""
        kwargs = v0_5.BinarizeAlongAxisKwargs(threshold=(2, 20), axis="channel")
        same(apply("binarize", kwargs, np.array([[1, 30], [3, 15]], np.float32), ("channel", "x")), [[F, T], [F, F]], bool)

    def test_threshold_in_the_dtype_of_the_tensor(self, apply: Apply) -> None:
        """0.1 in float32 is not above the threshold 0.1."""
        same(apply("binarize", v0_5.BinarizeKwargs(threshold=0.1), np.array([0.1], np.float32), ("x",)), F, bool)


class TestClip:
    def test_values(self, apply: Apply) -> None:
        """Bounds that are given."""
        for kwargs in (v0_4.ClipKwargs(min=1, max=20), v0_5.ClipKwargs(min=1, max=20)):
            same(apply("clip", kwargs, A, BCX), [[1, 1, 2, 3], [10, 20, 20, 20]])

    def test_odd_numbers(self, apply: Apply) -> None:
        """NaN stays, infinities are clipped."""
        tensor = np.array([np.nan, np.inf, -np.inf, 2], np.float32)
        same(apply("clip", v0_5.ClipKwargs(min=0, max=20), tensor, ("x",)), [np.nan, 20, 0, 2])

    def test_one_side(self, apply: Apply) -> None:
        """A bound that is absent clips nothing."""
        same(apply("clip", v0_5.ClipKwargs(max=2), A, BCX), [[0, 1, 2, 2], [2, 2, 2, 2]])

    def test_percentiles(self, apply: Apply) -> None:
        """Bounds are elements of each channel."""
        kwargs = v0_5.ClipKwargs(min_percentile=30, max_percentile=60, axes=("x",))
        same(apply("clip", kwargs, A, BCX), [[1, 1, 2, 2], [20, 20, 30, 30]])

    def test_percentiles_of_all(self, apply: Apply) -> None:
        """The method is the same with and without the batch: bounds are elements, not 2.1 and 12 between them."""
        kwargs = v0_5.ClipKwargs(min_percentile=30, max_percentile=60)
        low, high = np.percentile(A, [30, 60], method="inverted_cdf")
        assert (low, high) == (2, 10)
        same(apply("clip", kwargs, A, BCX), [[2, 2, 2, 3], [10, 10, 10, 10]])

    def test_percentile_and_value(self, apply: Apply) -> None:
        """A percentile below and a value above."""
        kwargs = v0_5.ClipKwargs(min_percentile=30, max=25, axes=("x",))
        same(apply("clip", kwargs, A, BCX), [[1, 1, 2, 3], [20, 20, 25, 25]])

    def test_integers(self, apply: Apply) -> None:
        """Integers stay integers, where the bounds are."""
        for dtype in (np.uint8, np.int32, np.uint64):
            same(apply("clip", v0_5.ClipKwargs(min=1, max=20), A.astype(dtype), BCX), [[1, 1, 2, 3], [10, 20, 20, 20]], dtype)
            kwargs = v0_5.ClipKwargs(min_percentile=30, max_percentile=60, axes=("x",))
            same(apply("clip", kwargs, A.astype(dtype), BCX), [[1, 1, 2, 2], [20, 20, 30, 30]], dtype)

    def test_integers_and_odd_bounds(self, apply: Apply) -> None:
        """Bounds beyond the dtype clip nothing; bounds that are no integers make floats."""
        same(apply("clip", v0_5.ClipKwargs(min=-5, max=300), A.astype(np.uint8), BCX), A, np.uint8)
        same(apply("clip", v0_5.ClipKwargs(min=1.5), A.astype(np.uint8), BCX), np.maximum(A, 1.5), np.float32)
        same(apply("clip", v0_5.ClipKwargs(min=300), A.astype(np.uint8), BCX), np.full_like(A, 300), np.float32)
        same(apply("clip", v0_5.ClipKwargs(max=2.0**64), np.array([2**64 - 1], np.uint64), ("x",)), [2**64 - 1], np.uint64)


class TestScaleLinear:
    @pytest.mark.parametrize("kwargs", [v0_4.ScaleLinearKwargs(gain=2, offset=3), v0_5.ScaleLinearKwargs(gain=2, offset=3)])
    def test_numbers(self, apply: Apply, kwargs: Any) -> None:
        """One gain and offset."""
        same(apply("scale_linear", kwargs, A, BCX), [[3, 5, 7, 9], [23, 43, 63, 123]])

    @pytest.mark.parametrize(
        "kwargs",
        [
            v0_4.ScaleLinearKwargs(axes="x", gain=(2, 3), offset=(1, 0)),
            v0_5.ScaleLinearAlongAxisKwargs(axis="channel", gain=(2, 3), offset=(1, 0)),
        ],
    )
    def test_along_channel(self, apply: Apply, kwargs: Any) -> None:
        """A gain and offset for each channel, which format 0.4 names by leaving it out."""
        same(apply("scale_linear", kwargs, A, BCX), [[1, 3, 5, 7], [30, 60, 90, 180]])

    def test_list_and_number(self, apply: Apply) -> None:
        """One of the two may be a number."""
        kwargs = v0_5.ScaleLinearAlongAxisKwargs(axis="channel", gain=(2, 3), offset=1)
        same(apply("scale_linear", kwargs, A, BCX), [[1, 3, 5, 7], [31, 61, 91, 181]])


class TestScaleRange:
    def test_percentiles_of_channels(self, apply: Apply) -> None:
        """Percentiles lie between elements."""
        kwargs = v0_5.ScaleRangeKwargs(axes=("x",), min_percentile=5, max_percentile=95)
        expected = [
            [-0.055555535, 0.314814698, 0.685184931, 1.055555165],
            [-0.034090908, 0.193181814, 0.420454536, 1.102272702],
        ]
        same(apply("scale_range", kwargs, A, BCX), expected)

    def test_channels_together(self, apply: Apply) -> None:
        """Percentiles of both channels."""
        kwargs = v0_5.ScaleRangeKwargs(axes=("channel", "x"), min_percentile=5, max_percentile=95)
        found = apply("scale_range", kwargs, A, BCX)
        same(found[:, 0], [-0.0071210578, 0.0132248217, 0.0335707012, 0.0539165808])

    def test_reference(self, apply: Apply) -> None:
        """The range of another tensor."""
        kwargs = v0_5.ScaleRangeKwargs(axes=("x",), reference_tensor="ref")
        expected = [[0, 0.166666639, 0.333333278, 0.499999917], [4.9999975, 9.999995, 14.9999925, 29.999985]]
        same(apply("scale_range", kwargs, A, BCX, {"ref": REF}), expected)

    def test_format_0_4(self, apply: Apply) -> None:
        """By sample, and by dataset, which is the same for a batch of one."""
        for mode in ("per_sample", "per_dataset"):
            kwargs = v0_4.ScaleRangeKwargs(mode=mode, axes="cyx", min_percentile=5, max_percentile=95)
            found = apply("scale_range", kwargs, Q, BCYX).ravel()
            same(found[[0, -1]], [-0.0555556, 1.0555555])

    def test_own_eps(self, apply: Apply) -> None:
        """The step's own eps counts: 3 / (3 + 0.1)."""
        same(apply("scale_range", v0_5.ScaleRangeKwargs(eps=0.1), A[:, :1], BCX)[..., -1], 3 / 3.1)

    def test_constant(self, apply: Apply) -> None:
        """A constant image becomes 0."""
        same(apply("scale_range", None, np.full((1, 1, 9), 0.1, np.float32), BCX), np.zeros(9), rtol=0, atol=0)


class TestZeroMeanUnitVariance:
    def test_channels(self, apply: Apply) -> None:
        """Each channel by itself."""
        expected = [[-1.3416396, -0.4472132, 0.4472132, 1.3416396], [-1.0690449, -0.5345225, 0, 1.6035674]]
        same(apply("zero_mean_unit_variance", v0_5.ZeroMeanUnitVarianceKwargs(axes=("x",)), A, BCX), expected)

    def test_channels_together(self, apply: Apply) -> None:
        """Mean 15.75, standard deviation 19.4598947."""
        found = apply("zero_mean_unit_variance", v0_5.ZeroMeanUnitVarianceKwargs(axes=("channel", "x")), A, BCX)
        same(found.ravel()[[0, -1]], [-0.8093569, 2.2739074])

    @pytest.mark.parametrize("mode", ["per_sample", "per_dataset"])
    def test_format_0_4(self, apply: Apply, mode: Any) -> None:
        """Samples of a batch by themselves, or all together."""
        tensor = np.concatenate([A, 2 * A])
        over = (1, 2) if mode == "per_sample" else (0, 1, 2)
        expected = (tensor - tensor.mean(over, keepdims=True)) / tensor.std(over, keepdims=True)
        same(apply("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(mode=mode, axes="cx"), tensor, BCX), expected)

    @pytest.mark.parametrize("version", [v0_4, v0_5])
    def test_own_eps(self, apply: Apply, version: Any) -> None:
        """The step's own eps counts: -1.3416396 with the default, -1.2315 with 0.1."""
        kwargs = (
            v0_4.ZeroMeanUnitVarianceKwargs(mode="per_sample", axes="cx", eps=0.1)
            if version is v0_4
            else v0_5.ZeroMeanUnitVarianceKwargs(eps=0.1)
        )
        same(apply("zero_mean_unit_variance", kwargs, A[:, :1], BCX)[..., 0], -1.5 / (np.sqrt(1.25) + 0.1))

    def test_nan(self, apply: Apply) -> None:
        """Statistics leave NaN out, the pixel keeps it: of nan, 1, 2, 3 the mean is 2 and the variance 2/3."""
        found = apply("zero_mean_unit_variance", None, np.array([[[np.nan, 1, 2, 3]]], np.float32), BCX)
        same(found, [np.nan, -np.sqrt(1.5), 0, np.sqrt(1.5)])

    def test_constant(self, apply: Apply) -> None:
        """A constant image becomes 0."""
        same(apply("zero_mean_unit_variance", None, np.full((1, 1, 999), 0.1, np.float32), BCX), np.zeros(999), rtol=0, atol=0)

    def test_far_from_zero(self, apply: Apply) -> None:
        """Means that float32 has no digits for."""
        tensor = np.array([*range(16777210, 16777217), 16777216], np.float32)
        expected = (tensor.astype(float) - 16777213.375) / (np.sqrt(4.484375) + 1e-6)
        same(apply("zero_mean_unit_variance", None, tensor, ("x",)), expected, atol=2e-7, rtol=1e-6)


class TestFixed:
    def test_numbers(self, apply: Apply) -> None:
        """The divisor is std + 1e-6, as in format 0.4."""
        expected = [[-4.9999975, -4.49999775, -3.999998, -3.49999825], [0, 4.9999975, 9.999995, 24.9999875]]
        same(apply("fixed_zero_mean_unit_variance", v0_5.FixedZeroMeanUnitVarianceKwargs(mean=10, std=2), A, BCX), expected)
        same(
            apply("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(mode="fixed", axes="cx", mean=10, std=2), A, BCX),
            expected,
        )

    def test_along_channel(self, apply: Apply) -> None:
        """A mean and standard deviation for each channel."""
        expected = [[-0.49999975, 0, 0.49999975, 0.9999995], [-0.9999999, 0, 0.9999999, 3.9999996]]
        along = v0_5.FixedZeroMeanUnitVarianceAlongAxisKwargs(mean=(1, 20), std=(2, 10), axis="channel")
        same(apply("fixed_zero_mean_unit_variance", along, A, BCX), expected)
        old = v0_4.ZeroMeanUnitVarianceKwargs(mode="fixed", axes="x", mean=(1, 20), std=(2, 10))
        same(apply("zero_mean_unit_variance", old, A, BCX), expected)

    def test_format_0_4(self, apply: Apply) -> None:
        """One mean for all axes."""
        found = apply("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(axes="cyx", mean=7.5, std=4), Q, BCYX).ravel()
        same(found[[0, -1]], [-1.8749995, 1.8749995])


class TestScaleMeanVariance:
    def test_channels(self, apply: Apply) -> None:
        """Each channel matches that channel of the reference."""
        kwargs = v0_5.ScaleMeanVarianceKwargs(reference_tensor="ref", axes=("x",))
        expected = [[0, 2, 4, 6], [-0.069046, 0.465477, 1, 2.603569]]
        same(apply("scale_mean_variance", kwargs, A, BCX, {"ref": REF}), expected, atol=2e-6)

    def test_all(self, apply: Apply) -> None:
        """All axes together: the reference has mean 2 and standard deviation 2."""
        found = apply("scale_mean_variance", v0_5.ScaleMeanVarianceKwargs(reference_tensor="ref"), A, BCX, {"ref": REF}).ravel()
        same(found[[0, -1]], [0.3812855, 6.5478172])

    def test_format_0_4(self, apply: Apply) -> None:
        """Without axes all but the batch are taken together."""
        kwargs = v0_4.ScaleMeanVarianceKwargs(mode="per_sample", reference_tensor="ref")
        found = apply("scale_mean_variance", kwargs, np.concatenate([A, 2 * A]), BCX, {"ref": np.concatenate([REF, REF])})
        same(found[0].ravel()[[0, -1]], [0.3812855, 6.5478172])
        same(found[1].ravel()[[0, -1]], [0.3812855, 6.5478172])

    def test_constant(self, apply: Apply) -> None:
        """A constant image takes the mean of the reference."""
        kwargs = v0_5.ScaleMeanVarianceKwargs(reference_tensor="ref")
        same(apply("scale_mean_variance", kwargs, np.full_like(A, 0.1), BCX, {"ref": REF}), np.full_like(A, 2), rtol=0, atol=0)

    def test_tiny_reference(self, apply: Apply) -> None:
        """A reference of small numbers loses none of them: its mean is 1e-9 and it does not vary."""
        found = apply(
            "scale_mean_variance", v0_5.ScaleMeanVarianceKwargs(reference_tensor="ref"), np.full_like(A, 3), BCX, {"ref": A * 0 + 1e-9}
        )
        same(found, np.full_like(A, 1e-9), atol=0)


class TestSigmoid:
    def test_numbers(self, apply: Apply) -> None:
        """From 0 to 1; NaN stays."""
        tensor = np.array([-100, -1, 0, 1, np.inf, np.nan], np.float32)
        same(apply("sigmoid", None, tensor, ("x",)), [0, 0.26894143, 0.5, 0.7310586, 1, np.nan])

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.int32])
    def test_integers(self, apply: Apply, dtype: Any) -> None:
        """Unsigned numbers do not wrap around when they are negated."""
        same(apply("sigmoid", None, np.array([0, 1, 2, 255], dtype), ("x",)), [0.5, 0.7310586, 0.8807970, 1])


class TestSoftmax:
    @pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int32])
    def test_channels(self, apply: Apply, dtype: Any) -> None:
        """Along the channels, by default; unsigned numbers do not wrap around."""
        tensor = np.array([[1, 2], [3, 1]], dtype)
        same(apply("softmax", None, tensor, ("channel", "x")), [[0.1192029, 0.7310586], [0.8807970, 0.2689414]])

    def test_axis(self, apply: Apply) -> None:
        """Along another axis, and without overflow."""
        tensor = np.array([[1000, 1002]], np.float32)
        same(apply("softmax", v0_5.SoftmaxKwargs(axis="x"), tensor, ("channel", "x")), [0.1192029, 0.8807970])


class TestEnsureDtype:
    def cast(self, apply: Apply, values: Any, source: Any, target: Any) -> list[Any]:
        found = apply("ensure_dtype", v0_5.EnsureDtypeKwargs(dtype=target), np.array(values, source), ("x",))
        assert found.dtype == target
        return found.tolist()

    def test_floats_to_integers(self, apply: Apply) -> None:
        """Fractions are cut off; what is beyond becomes the nearest there is, NaN becomes 0."""
        values = [-1.7, -0.7, 0.5, 1.5, 255.7, 256, 300.7, np.nan, np.inf, -np.inf]
        assert self.cast(apply, values, "float32", "uint8") == [0, 0, 0, 1, 255, 255, 255, 0, 255, 0]
        assert self.cast(apply, values, "float64", "int8") == [-1, 0, 0, 1, 127, 127, 127, 0, 127, -128]

    @pytest.mark.parametrize("source", ["float32", "float64"])
    @pytest.mark.parametrize("target", ["int32", "uint32", "int64", "uint64"])
    def test_limits(self, apply: Apply, source: Any, target: Any) -> None:
        """Limits that a float cannot hold are reached all the same, and what is just within is exact."""
        info = np.iinfo(target)
        within = np.nextafter(np.dtype(source).type(info.max), np.dtype(source).type(0))
        values = [1e30, np.inf, -1e30, np.nan, within, 7]
        assert self.cast(apply, values, source, target) == [info.max, info.max, info.min, 0, int(within), 7]

    def test_integers(self, apply: Apply) -> None:
        """Integers beyond the dtype become the nearest there is."""
        assert self.cast(apply, [-1, 7, 300], "int32", "uint8") == [0, 7, 255]
        assert self.cast(apply, [-1, 7, 2**40], "int64", "int32") == [-1, 7, 2**31 - 1]
        assert self.cast(apply, [7, 2**64 - 1], "uint64", "int64") == [7, 2**63 - 1]

    def test_bool(self, apply: Apply) -> None:
        """All but 0 is true."""
        assert self.cast(apply, [0, 0.5, np.nan, -1], "float32", "bool") == [F, T, T, T]
        assert self.cast(apply, [F, T], "bool", "uint8") == [0, 1]

    def test_floats(self, apply: Apply) -> None:
        """float64 beyond float32 becomes infinite."""
        assert self.cast(apply, [1e300, 0.5], "float64", "float32") == [np.inf, 0.5]

    def test_after_binarize(self, apply: Apply) -> None:
        """A float above the threshold is 1 in an integer output, though its cast would have been 0."""
        binary = apply("binarize", v0_4.BinarizeKwargs(threshold=0.5), np.array([0.6, 0.4], np.float32), ("x",))
        same(apply("ensure_dtype", v0_5.EnsureDtypeKwargs(dtype="uint8"), binary, ("x",)), [1, 0], np.uint8)
