"""Pre- and postprocessing steps as model format 0.4 describes them.

``axes`` are strings of the letters c, z, y, x.
``mode`` ``per_sample`` computes statistics over the listed axes, ``per_dataset`` also over the batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import attrs

from ..spec.fields import TensorName, all_of, in_range, matches, non_empty, unique
from ..spec.node import Issue, Node, node
from ..structuring.format_value import format_value
from ._rules import bounds_order, identity, percentile_order

__all__ = [
    "BinarizeDescr",
    "BinarizeKwargs",
    "ClipDescr",
    "ClipKwargs",
    "ScaleLinearDescr",
    "ScaleLinearKwargs",
    "ScaleMeanVarianceDescr",
    "ScaleMeanVarianceKwargs",
    "ScaleRangeDescr",
    "ScaleRangeKwargs",
    "SigmoidDescr",
    "ZeroMeanUnitVarianceDescr",
    "ZeroMeanUnitVarianceKwargs",
]

letters = all_of(matches(r"[czyx]*", "axes of the letters c, z, y, x"), unique)
eps_range = in_range(above=0, maximum=0.1)


@node
class BinarizeKwargs(Node):
    """Arguments of `BinarizeDescr`."""

    threshold: float


@node
class BinarizeDescr(Node):
    """True where the tensor is above the threshold."""

    name: Literal["binarize"] = "binarize"
    kwargs: BinarizeKwargs


@node
class ClipKwargs(Node):
    """Bounds of `ClipDescr`."""

    min: float
    max: float

    def problems(self) -> Iterator[Issue]:
        """Tell of bounds in the wrong order."""
        yield from bounds_order(self.min, self.max, "max")


@node
class ClipDescr(Node):
    """Values below ``min`` become ``min``, values above ``max`` become ``max``."""

    name: Literal["clip"] = "clip"
    kwargs: ClipKwargs


@node
class ScaleLinearKwargs(Node):
    """Arguments of `ScaleLinearDescr`: lists hold a value for each position along the only axis, except batch, that is not in ``axes``."""

    axes: str | None = attrs.field(default=None, validator=letters)
    gain: float | tuple[float, ...] = 1.0
    offset: float | tuple[float, ...] = 0.0

    def problems(self) -> Iterator[Issue]:
        """Refuse the identity."""
        yield from identity(self.gain, self.offset)


@node
class ScaleLinearDescr(Node):
    """``tensor * gain + offset``."""

    name: Literal["scale_linear"] = "scale_linear"
    kwargs: ScaleLinearKwargs


@node
class SigmoidDescr(Node):
    """The logistic function."""

    name: Literal["sigmoid"] = "sigmoid"


@node
class ZeroMeanUnitVarianceKwargs(Node):
    """Arguments of `ZeroMeanUnitVarianceDescr`: ``mean`` and ``std`` are given in mode ``fixed`` only.

    Lists hold a value for each position along the only axis, except batch, that is not in ``axes``.
    """

    mode: Literal["fixed", "per_dataset", "per_sample"] = "fixed"
    axes: str = attrs.field(validator=letters)
    mean: float | tuple[float, ...] | None = attrs.field(default=None, validator=non_empty)
    std: float | tuple[float, ...] | None = attrs.field(default=None, validator=non_empty)
    eps: float = attrs.field(default=1e-6, validator=eps_range)

    def problems(self) -> Iterator[Issue]:
        """Require mean and std in mode ``fixed``, and refuse them in other modes."""
        for key, value in (("mean", self.mean), ("std", self.std)):
            if (value is None) == (self.mode == "fixed"):
                expected = f"a value for mode {self.mode!r}" if value is None else f"none for mode {self.mode!r}"
                yield Issue(loc=(key,), message=f"expected {expected}, found {'none' if value is None else format_value(value)}")


@node
class ZeroMeanUnitVarianceDescr(Node):
    """``(tensor - mean) / (std + eps)``."""

    name: Literal["zero_mean_unit_variance"] = "zero_mean_unit_variance"
    kwargs: ZeroMeanUnitVarianceKwargs


@node
class ScaleRangeKwargs(Node):
    """Arguments of `ScaleRangeDescr`."""

    mode: Literal["per_dataset", "per_sample"]
    axes: str = attrs.field(validator=letters)
    min_percentile: float = attrs.field(default=0.0, validator=in_range(0, below=100))
    max_percentile: float = attrs.field(default=100.0, validator=in_range(above=1, maximum=100))
    eps: float = attrs.field(default=1e-6, validator=eps_range)
    reference_tensor: TensorName | None = None
    """Input whose percentiles are used, before preprocessing; None: those of the tensor itself."""

    def problems(self) -> Iterator[Issue]:
        """Refuse percentiles in the wrong order."""
        yield from percentile_order(self.min_percentile, self.max_percentile)


@node
class ScaleRangeDescr(Node):
    """``(tensor - low) / (high - low + eps)`` with values at two percentiles."""

    name: Literal["scale_range"] = "scale_range"
    kwargs: ScaleRangeKwargs


@node
class ScaleMeanVarianceKwargs(Node):
    """Arguments of `ScaleMeanVarianceDescr`; without ``axes``, statistics are over all axes except batch."""

    mode: Literal["per_dataset", "per_sample"]
    reference_tensor: TensorName
    axes: str | None = attrs.field(default=None, validator=letters)
    eps: float = attrs.field(default=1e-6, validator=eps_range)


@node
class ScaleMeanVarianceDescr(Node):
    """``(tensor - mean) / (std + eps) * (ref_std + eps) + ref_mean``."""

    name: Literal["scale_mean_variance"] = "scale_mean_variance"
    kwargs: ScaleMeanVarianceKwargs
