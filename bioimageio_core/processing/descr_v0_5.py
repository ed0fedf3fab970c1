"""Pre- and postprocessing steps as model format 0.5 describes them, except those of segmentation (`descr_v0_5_objects`).

``axes`` are the axes that statistics are computed over, by default all axes of the tensor; with ``batch``, they are statistics of the
dataset. ``axis`` is the axis that a list of arguments runs along.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import attrs

from ..spec.fields import AxisId, DType, NonBatchAxisId, TensorId, each, in_range, non_empty
from ..spec.node import Issue, Node, node
from ._rules import bounds_order, identity, percentile_order, values

__all__ = [
    "BinarizeAlongAxisKwargs",
    "BinarizeDescr",
    "BinarizeKwargs",
    "ClipDescr",
    "ClipKwargs",
    "EnsureDtypeDescr",
    "EnsureDtypeKwargs",
    "FixedZeroMeanUnitVarianceAlongAxisKwargs",
    "FixedZeroMeanUnitVarianceDescr",
    "FixedZeroMeanUnitVarianceKwargs",
    "ScaleLinearAlongAxisKwargs",
    "ScaleLinearDescr",
    "ScaleLinearKwargs",
    "ScaleMeanVarianceDescr",
    "ScaleMeanVarianceKwargs",
    "ScaleRangeDescr",
    "ScaleRangeKwargs",
    "SigmoidDescr",
    "SoftmaxDescr",
    "SoftmaxKwargs",
    "ZeroMeanUnitVarianceDescr",
    "ZeroMeanUnitVarianceKwargs",
]

low_percentile = in_range(0, below=100)
high_percentile = in_range(above=1, maximum=100)
eps_range = in_range(above=0, maximum=0.1)


std_range = in_range(1e-6)
"""Standard deviations that can be divided by."""


@node
class BinarizeKwargs(Node):
    """Arguments of `BinarizeDescr`: one threshold."""

    threshold: float


@node
class BinarizeAlongAxisKwargs(Node):
    """Arguments of `BinarizeDescr`: a threshold for each position along an axis."""

    threshold: tuple[float, ...] = attrs.field(validator=non_empty)
    axis: NonBatchAxisId


@node
class BinarizeDescr(Node):
    """True where the tensor is above the threshold."""

    id: Literal["binarize"] = "binarize"
    kwargs: BinarizeKwargs | BinarizeAlongAxisKwargs


@node
class ClipKwargs(Node):
    """Arguments of `ClipDescr`: each bound is a value, a percentile over ``axes``, or absent."""

    min: float | None = None
    min_percentile: float | None = attrs.field(default=None, validator=low_percentile)
    max: float | None = None
    max_percentile: float | None = attrs.field(default=None, validator=high_percentile)
    axes: tuple[AxisId, ...] | None = None

    def problems(self) -> Iterator[Issue]:
        """Require at least one bound, at most one on each side, and axes only with percentiles; tell of bounds in the wrong order."""
        percentiles = self.min_percentile is not None or self.max_percentile is not None
        if not percentiles and self.min is None and self.max is None:
            yield Issue(loc=(), message="expected one of min, min_percentile, max, max_percentile, found none")
        if self.min is not None and self.min_percentile is not None:
            yield Issue(loc=("min_percentile",), message="expected one of min and min_percentile, found both")
        if self.max is not None and self.max_percentile is not None:
            yield Issue(loc=("max_percentile",), message="expected one of max and max_percentile, found both")
        if self.axes is not None and not percentiles:
            yield Issue(loc=("axes",), message="expected axes only with min_percentile or max_percentile, found neither of them")
        yield from bounds_order(self.min, self.max, "max")
        yield from bounds_order(self.min_percentile, self.max_percentile, "max_percentile")


@node
class ClipDescr(Node):
    """Values below the lower bound become the lower bound, values above the upper bound become the upper bound."""

    id: Literal["clip"] = "clip"
    kwargs: ClipKwargs


@node
class EnsureDtypeKwargs(Node):
    """Arguments of `EnsureDtypeDescr`."""

    dtype: DType


@node
class EnsureDtypeDescr(Node):
    """Cast to a dtype."""

    id: Literal["ensure_dtype"] = "ensure_dtype"
    kwargs: EnsureDtypeKwargs


@node
class ScaleLinearKwargs(Node):
    """Arguments of `ScaleLinearDescr`: one gain and offset."""

    gain: float = 1.0
    offset: float = 0.0

    def problems(self) -> Iterator[Issue]:
        """Refuse the identity."""
        yield from identity(self.gain, self.offset)


@node
class ScaleLinearAlongAxisKwargs(Node):
    """Arguments of `ScaleLinearDescr`: a gain and offset for each position along an axis; one of the two may be a number."""

    axis: NonBatchAxisId
    gain: float | tuple[float, ...] = attrs.field(default=1.0, validator=non_empty)
    offset: float | tuple[float, ...] = attrs.field(default=0.0, validator=non_empty)

    def problems(self) -> Iterator[Issue]:
        """Require a list, or two lists of equal length, and refuse the identity."""
        if not isinstance(self.gain, tuple):
            if not isinstance(self.offset, tuple):
                yield Issue(loc=("gain",), message="expected a list as gain or offset along an axis, found two numbers")
        elif isinstance(self.offset, tuple) and len(self.gain) != len(self.offset):
            yield Issue(loc=("offset",), message=f"expected {len(self.gain)} offsets as there are gains, found {len(self.offset)}")
        yield from identity(self.gain, self.offset)


@node
class ScaleLinearDescr(Node):
    """``tensor * gain + offset``."""

    id: Literal["scale_linear"] = "scale_linear"
    kwargs: ScaleLinearKwargs | ScaleLinearAlongAxisKwargs


@node
class SigmoidDescr(Node):
    """The logistic function."""

    id: Literal["sigmoid"] = "sigmoid"


@node
class SoftmaxKwargs(Node):
    """Arguments of `SoftmaxDescr`."""

    axis: NonBatchAxisId = "channel"


@node
class SoftmaxDescr(Node):
    """The softmax function: positive values with the sum 1 along the axis."""

    id: Literal["softmax"] = "softmax"
    kwargs: SoftmaxKwargs = SoftmaxKwargs()


@node
class FixedZeroMeanUnitVarianceKwargs(Node):
    """Arguments of `FixedZeroMeanUnitVarianceDescr`: one mean and standard deviation."""

    mean: float
    std: float = attrs.field(validator=std_range)


@node
class FixedZeroMeanUnitVarianceAlongAxisKwargs(Node):
    """Arguments of `FixedZeroMeanUnitVarianceDescr`: a mean and standard deviation for each position along an axis."""

    mean: tuple[float, ...] = attrs.field(validator=non_empty)
    std: tuple[float, ...] = attrs.field(validator=[non_empty, each(std_range)])
    axis: NonBatchAxisId

    def problems(self) -> Iterator[Issue]:
        """Require lists of equal length."""
        if len(values(self.mean)) != len(values(self.std)):
            yield Issue(loc=("std",), message=f"expected {len(self.mean)} standard deviations as there are means, found {len(self.std)}")


@node
class FixedZeroMeanUnitVarianceDescr(Node):
    """Subtract a known mean and divide by a known standard deviation."""

    id: Literal["fixed_zero_mean_unit_variance"] = "fixed_zero_mean_unit_variance"
    kwargs: FixedZeroMeanUnitVarianceKwargs | FixedZeroMeanUnitVarianceAlongAxisKwargs


@node
class ZeroMeanUnitVarianceKwargs(Node):
    """Arguments of `ZeroMeanUnitVarianceDescr`."""

    axes: tuple[AxisId, ...] | None = None
    eps: float = attrs.field(default=1e-6, validator=eps_range)


@node
class ZeroMeanUnitVarianceDescr(Node):
    """``(tensor - mean) / (std + eps)`` with measured mean and standard deviation."""

    id: Literal["zero_mean_unit_variance"] = "zero_mean_unit_variance"
    kwargs: ZeroMeanUnitVarianceKwargs = ZeroMeanUnitVarianceKwargs()


@node
class ScaleRangeKwargs(Node):
    """Arguments of `ScaleRangeDescr`."""

    axes: tuple[AxisId, ...] | None = None
    min_percentile: float = attrs.field(default=0.0, validator=low_percentile)
    max_percentile: float = attrs.field(default=100.0, validator=high_percentile)
    eps: float = attrs.field(default=1e-6, validator=eps_range)
    reference_tensor: TensorId | None = None
    """Input whose percentiles are used, before preprocessing; None: those of the tensor itself."""

    def problems(self) -> Iterator[Issue]:
        """Refuse percentiles in the wrong order."""
        yield from percentile_order(self.min_percentile, self.max_percentile)


@node
class ScaleRangeDescr(Node):
    """``(tensor - low) / (high - low + eps)`` with values at two percentiles."""

    id: Literal["scale_range"] = "scale_range"
    kwargs: ScaleRangeKwargs = ScaleRangeKwargs()


@node
class ScaleMeanVarianceKwargs(Node):
    """Arguments of `ScaleMeanVarianceDescr`."""

    reference_tensor: TensorId
    """Input whose mean and standard deviation are matched, before preprocessing."""

    axes: tuple[AxisId, ...] | None = None
    eps: float = attrs.field(default=1e-6, validator=eps_range)


@node
class ScaleMeanVarianceDescr(Node):
    """``(tensor - mean) / (std + eps) * (ref_std + eps) + ref_mean``."""

    id: Literal["scale_mean_variance"] = "scale_mean_variance"
    kwargs: ScaleMeanVarianceKwargs
