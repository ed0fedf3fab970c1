"""The arguments of ops in one form for all formats; imports no numpy, since plans are made from it.

Functions raise `DescriptionError` if arguments do not fit the axes of the tensor, which validation does not check.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from ..axis_names import LETTERS
from ..errors import DescriptionError
from ..registry.entries import Measure
from ..typing import AxisId
from . import descr_v0_4 as v0_4
from . import descr_v0_5 as v0_5
from ._rules import values

__all__ = [
    "Along",
    "ClipArguments",
    "clip_arguments",
    "linear_arguments",
    "moment_measures",
    "normalisation_arguments",
    "range_measures",
    "softmax_axis",
    "threshold_argument",
]


FIXED_EPS = 1e-6
"""Added to a given standard deviation.

Format 0.5 has no such argument for ``fixed_zero_mean_unit_variance``, but format 0.4 has, with this default, and models of both
formats were published with it; so a model gives the same results before and after conversion.
"""


@attrs.frozen(kw_only=True)
class Along:
    """An argument of an op: one value, or a value for each position along an axis."""

    values: tuple[float, ...]
    axis: AxisId | None = None

    @classmethod
    def of(cls, value: float | tuple[float, ...], axis: AxisId | None) -> Along:
        """Return a value, or values along ``axis``; a list of one without an axis is one value."""
        return cls(values=value, axis=axis) if isinstance(value, tuple) and axis is not None else cls(values=values(value)[:1])


def threshold_argument(kwargs: Any, axes: tuple[AxisId, ...]) -> Along:
    """Return the threshold of ``binarize``."""
    axis = known_axis("binarize", kwargs.axis, axes) if isinstance(kwargs, v0_5.BinarizeAlongAxisKwargs) else None
    return Along.of(kwargs.threshold, axis)


def linear_arguments(kwargs: Any, axes: tuple[AxisId, ...]) -> tuple[Along, Along]:
    """Return gain and offset of ``scale_linear``."""
    if isinstance(kwargs, v0_5.ScaleLinearAlongAxisKwargs):
        axis: AxisId | None = known_axis("scale_linear", kwargs.axis, axes)
    elif isinstance(kwargs, v0_4.ScaleLinearKwargs):
        axis = unlisted_axis("scale_linear", kwargs.axes, axes, kwargs.gain, kwargs.offset)
        return Along.of(alone(kwargs.gain), axis), Along.of(alone(kwargs.offset), axis)
    else:
        axis = None
    return Along.of(kwargs.gain, axis), Along.of(kwargs.offset, axis)


@attrs.frozen(kw_only=True)
class Normalisation:
    """Zero mean and unit variance, by given or by measured values."""

    mean: Along | Measure
    std: Along | Measure
    eps: float


def normalisation_arguments(kwargs: Any, axes: tuple[AxisId, ...]) -> Normalisation:
    """Return mean and standard deviation of ``zero_mean_unit_variance`` or ``fixed_zero_mean_unit_variance``."""
    if isinstance(kwargs, v0_4.ZeroMeanUnitVarianceKwargs) and kwargs.mode == "fixed":
        mean, std = (0.0 if kwargs.mean is None else kwargs.mean), (1.0 if kwargs.std is None else kwargs.std)
        axis = unlisted_axis("zero_mean_unit_variance", kwargs.axes, axes, mean, std)
        return Normalisation(mean=Along.of(alone(mean), axis), std=Along.of(alone(std), axis), eps=kwargs.eps)
    if isinstance(kwargs, v0_5.FixedZeroMeanUnitVarianceAlongAxisKwargs):
        axis = known_axis("fixed_zero_mean_unit_variance", kwargs.axis, axes)
        return Normalisation(mean=Along.of(kwargs.mean, axis), std=Along.of(kwargs.std, axis), eps=FIXED_EPS)
    if isinstance(kwargs, v0_5.FixedZeroMeanUnitVarianceKwargs):
        return Normalisation(mean=Along.of(kwargs.mean, None), std=Along.of(kwargs.std, None), eps=FIXED_EPS)
    kwargs = v0_5.ZeroMeanUnitVarianceKwargs() if kwargs is None else kwargs
    measured_mean, measured_std = moment_measures(kwargs, axes, tensor=None)
    return Normalisation(mean=measured_mean, std=measured_std, eps=kwargs.eps)


def moment_measures(kwargs: Any, axes: tuple[AxisId, ...], *, tensor: str | None) -> tuple[Measure, Measure]:
    """Return the measures of mean and standard deviation over the axes that an op reduces together."""
    joint = joint_axes(kwargs, axes)
    return Measure(kind="mean", axes=joint, tensor=tensor), Measure(kind="std", axes=joint, tensor=tensor)


def range_measures(kwargs: Any, axes: tuple[AxisId, ...]) -> tuple[Measure, Measure]:
    """Return the measures of the lower and the upper percentile of ``scale_range``."""
    joint = joint_axes(kwargs, axes)
    low, high = (
        Measure(kind="percentile", axes=joint, tensor=kwargs.reference_tensor, q=float(q), method="linear")
        for q in (kwargs.min_percentile, kwargs.max_percentile)
    )
    return low, high


@attrs.frozen(kw_only=True)
class ClipArguments:
    """Bounds of ``clip``: given, measured, or absent."""

    low: float | Measure | None
    high: float | Measure | None

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The bounds that are measured."""
        return tuple(bound for bound in (self.low, self.high) if isinstance(bound, Measure))


def clip_arguments(kwargs: Any, axes: tuple[AxisId, ...]) -> ClipArguments:
    """Return the bounds of ``clip``; percentiles are elements of the tensor (method ``inverted_cdf``)."""
    low, high = kwargs.min, kwargs.max
    if isinstance(kwargs, v0_5.ClipKwargs):
        joint = joint_axes(kwargs, axes)
        low = low if kwargs.min_percentile is None else clip_percentile(kwargs.min_percentile, joint)
        high = high if kwargs.max_percentile is None else clip_percentile(kwargs.max_percentile, joint)
        pairs = [(kwargs.min, kwargs.max, "max"), (kwargs.min_percentile, kwargs.max_percentile, "max_percentile")]
    else:
        pairs = [(low, high, "max")]
    for below, above, name in pairs:
        if below is not None and above is not None and below > above:
            raise DescriptionError(f"clip: expected {name} of at least {below}, found {above}")
    return ClipArguments(low=low, high=high)


def clip_percentile(q: float, axes: tuple[AxisId, ...]) -> Measure:
    """Return the measure of a percentile as a bound of ``clip``."""
    return Measure(kind="percentile", axes=axes, q=float(q), method="inverted_cdf")


def softmax_axis(kwargs: Any, axes: tuple[AxisId, ...]) -> AxisId:
    """Return the axis of ``softmax``."""
    return known_axis("softmax", v0_5.SoftmaxKwargs().axis if kwargs is None else kwargs.axis, axes)


def joint_axes(kwargs: Any, axes: tuple[AxisId, ...]) -> tuple[AxisId, ...]:
    """Return the axes that statistics are computed over, in the order of the tensor.

    Axes that the tensor lacks are left out.
    """
    if isinstance(kwargs, (v0_4.ZeroMeanUnitVarianceKwargs, v0_4.ScaleRangeKwargs, v0_4.ScaleMeanVarianceKwargs)):
        listed = [axis for axis in axes if axis != "batch"] if kwargs.axes is None else [LETTERS.get(a, a) for a in kwargs.axes]
        if kwargs.mode == "per_dataset":
            listed.append("batch")
    else:
        listed = list(axes if kwargs.axes is None else kwargs.axes)
    return tuple(axis for axis in axes if axis in listed)


def known_axis(op: str, axis: AxisId, axes: tuple[AxisId, ...]) -> AxisId:
    """Return the axis if the tensor has it."""
    if axis not in axes:
        raise DescriptionError(f"{op}: expected axis to be one of the tensor's axes {', '.join(axes)}, found {axis!r}")
    return axis


def unlisted_axis(op: str, letters: str | None, axes: tuple[AxisId, ...], *arguments: float | tuple[float, ...]) -> AxisId | None:
    """Return the axis that lists of arguments of format 0.4 run along: the only axis, except batch, that is not in ``letters``.

    None: there are only single values.
    """
    longest = max(len(values(argument)) for argument in arguments)
    if longest <= 1:
        return None
    listed = () if letters is None else tuple(LETTERS.get(letter, letter) for letter in letters)
    rest = tuple(axis for axis in axes if axis != "batch" and axis not in listed) if letters is not None else ()
    if len(rest) != 1:
        raise DescriptionError(
            f"{op}: expected axes to leave out the one axis that the {longest} values run along, "
            f"found axes {letters!r}, which leaves out {' and '.join(rest) or 'none'} of {', '.join(axes)}"
        )
    return rest[0]


def alone(value: float | tuple[float, ...]) -> float | tuple[float, ...]:
    """Return the value of a list of one, which in format 0.4 is valid for all positions."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def axes_of(arguments: Iterable[Along | Measure]) -> tuple[AxisId, ...]:
    """Return the axes that arguments vary along."""
    return tuple(dict.fromkeys(a.axis for a in arguments if isinstance(a, Along) and a.axis is not None))
