"""What ops tell the planner, and arguments that do not fit the tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bioimageio_core.errors import DescriptionError, InputError
from bioimageio_core.processing import descr_v0_4 as v0_4
from bioimageio_core.processing import descr_v0_5 as v0_5
from bioimageio_core.registry import Measure, Needs, ProcessingOpEntry

AXES = ("batch", "channel", "y", "x")
Entries = dict[str, ProcessingOpEntry]


class TestMeasures:
    def test_axes_in_tensor_order(self, entries: Entries) -> None:
        """Axes are those of the tensor, in its order, whatever the order they are written in."""
        kwargs = v0_5.ZeroMeanUnitVarianceKwargs(axes=("x", "y", "channel"))
        needs = entries["zero_mean_unit_variance"].requirements(kwargs, AXES)
        over = ("channel", "y", "x")
        assert needs == Needs(measures=(Measure(kind="mean", axes=over), Measure(kind="std", axes=over)), dtype="float32")

    def test_all_axes(self, entries: Entries) -> None:
        """No axes are all axes, the batch too."""
        for name, kwargs in (
            ("zero_mean_unit_variance", None),
            ("scale_range", v0_5.ScaleRangeKwargs()),
            ("clip", v0_5.ClipKwargs(max_percentile=99)),
            ("scale_mean_variance", v0_5.ScaleMeanVarianceKwargs(reference_tensor="raw")),
        ):
            assert {m.axes for m in entries[name].requirements(kwargs, AXES).measures} == {AXES}

    @pytest.mark.parametrize(("mode", "axes"), [("per_sample", ("channel", "x")), ("per_dataset", ("batch", "channel", "x"))])
    def test_modes(self, entries: Entries, mode: Any, axes: tuple[str, ...]) -> None:
        """Statistics of the dataset are those over the batch too."""
        for name, kwargs in (
            ("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(mode=mode, axes="xc")),
            ("scale_range", v0_4.ScaleRangeKwargs(mode=mode, axes="xc")),
            ("scale_mean_variance", v0_4.ScaleMeanVarianceKwargs(mode=mode, axes="xc", reference_tensor="raw")),
        ):
            assert {m.axes for m in entries[name].requirements(kwargs, AXES).measures} == {axes}

    def test_percentile_methods(self, entries: Entries) -> None:
        """Bounds of clip are elements, a range lies between elements, over whatever axes."""
        for axes in (None, ("y", "x")):
            clip = entries["clip"].requirements(v0_5.ClipKwargs(min_percentile=1, max_percentile=99, axes=axes), AXES)
            scale = entries["scale_range"].requirements(v0_5.ScaleRangeKwargs(axes=axes), AXES)
            assert [(m.q, m.method) for m in clip.measures] == [(1, "inverted_cdf"), (99, "inverted_cdf")]
            assert [(m.q, m.method) for m in scale.measures] == [(0, "linear"), (100, "linear")]

    def test_reference(self, entries: Entries) -> None:
        """Measures of a reference name it."""
        needs = entries["scale_mean_variance"].requirements(v0_5.ScaleMeanVarianceKwargs(reference_tensor="raw"), AXES)
        assert [(m.kind, m.tensor) for m in needs.measures] == [("mean", None), ("std", None), ("mean", "raw"), ("std", "raw")]

    def test_given_values(self, entries: Entries) -> None:
        """Nothing is measured for values that are given."""
        kwargs = v0_4.ZeroMeanUnitVarianceKwargs(axes="cyx", mean=1, std=2)
        assert entries["zero_mean_unit_variance"].requirements(kwargs, AXES) == Needs(dtype="float32")


class TestWholeAxes:
    @pytest.mark.parametrize(
        ("name", "kwargs"),
        [
            ("binarize", v0_5.BinarizeAlongAxisKwargs(threshold=(1, 2), axis="channel")),
            ("scale_linear", v0_5.ScaleLinearAlongAxisKwargs(gain=(1, 2), axis="channel")),
            ("scale_linear", v0_4.ScaleLinearKwargs(axes="yx", gain=(1, 2))),
            ("fixed_zero_mean_unit_variance", v0_5.FixedZeroMeanUnitVarianceAlongAxisKwargs(mean=(1, 2), std=(1, 2), axis="channel")),
            ("zero_mean_unit_variance", v0_4.ZeroMeanUnitVarianceKwargs(axes="yx", mean=(1, 2), std=(1, 2))),
            ("softmax", None),
        ],
    )
    def test_channel(self, entries: Entries, name: str, kwargs: Any) -> None:
        """The axis that arguments vary along, or that is summed over, is not to be cut."""
        assert entries[name].requirements(kwargs, AXES).whole_axes == ("channel",)


class TestWhatDoesNotFit:
    @pytest.mark.parametrize("by", ["requirements", "load"])
    @pytest.mark.parametrize(
        ("name", "kwargs", "message"),
        [
            (
                "softmax",
                v0_5.SoftmaxKwargs(axis="z"),
                "softmax: expected axis to be one of the tensor's axes batch, channel, y, x, found 'z'",
            ),
            ("binarize", v0_5.BinarizeAlongAxisKwargs(threshold=(1, 2), axis="time"), "binarize: expected axis to be one of"),
            ("scale_linear", v0_4.ScaleLinearKwargs(axes="x", gain=(1, 2)), "found axes 'x', which leaves out channel and y of"),
            ("scale_linear", v0_4.ScaleLinearKwargs(axes="cyx", gain=(1, 2)), "found axes 'cyx', which leaves out none of"),
            ("scale_linear", v0_4.ScaleLinearKwargs(gain=(1, 2)), "found axes None"),
            ("clip", v0_5.ClipKwargs(min=3, max=2), "clip: expected max of at least 3, found 2"),
            ("clip", v0_4.ClipKwargs(min=3, max=2), "clip: expected max of at least 3, found 2"),
            ("clip", v0_5.ClipKwargs(min_percentile=50, max_percentile=20), "clip: expected max_percentile of at least 50, found 20"),
        ],
    )
    def test_arguments(self, entries: Entries, by: str, name: str, kwargs: Any, message: str) -> None:
        """Arguments that a valid description can hold, but no tensor of these axes can take, are named while planning."""
        call = entries[name].requirements if by == "requirements" else entries[name].load()
        with pytest.raises(DescriptionError) as caught:
            call(kwargs, AXES)
        assert message in str(caught.value)

    def test_number_of_values(self, entries: Entries) -> None:
        """A tensor with another number of channels than there are thresholds."""
        op = entries["binarize"].load()(v0_5.BinarizeAlongAxisKwargs(threshold=(1, 2), axis="channel"), AXES)
        with pytest.raises(InputError, match="expected a tensor of size 2 along channel, one for each of the op's arguments, found 3"):
            op(np.zeros((1, 3, 4, 4), np.float32), {})
