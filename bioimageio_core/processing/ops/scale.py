"""Ops that are affine maps: their arguments give shift, scale and offset."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from ...registry.entries import Measure, Measured
from ...typing import AxisId
from .. import descr_v0_5 as v0_5
from ..arguments import Along, linear_arguments, moment_measures, normalisation_arguments, range_measures
from .arrays import affine, along, compute_dtype, result_dtype

__all__ = [
    "ScaleLinearOp",
    "ScaleMeanVarianceOp",
    "ScaleRangeOp",
    "ZeroMeanUnitVarianceOp",
    "make_scale_linear",
    "make_scale_mean_variance",
    "make_scale_range",
    "make_zero_mean_unit_variance",
]

Axes = tuple[AxisId, ...]


@attrs.frozen(kw_only=True)
class ScaleLinearOp:
    """``tensor * gain + offset``."""

    gain: Along
    offset: Along
    axes: Axes

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the scaled tensor."""
        dtype = compute_dtype(tensor.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            out: NDArray[Any] = np.multiply(tensor, along(self.gain, self.axes, tensor.shape).astype(dtype), dtype=dtype)
            out += along(self.offset, self.axes, tensor.shape).astype(dtype)
            return out.astype(result_dtype(tensor.dtype), copy=False)


@attrs.frozen(kw_only=True)
class ZeroMeanUnitVarianceOp:
    """``(tensor - mean) / (std + eps)``, with given or measured mean and (population) standard deviation."""

    mean: Along | Measure
    std: Along | Measure
    eps: float
    axes: Axes

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the normalised tensor."""
        mean, std = (
            measured[argument] if isinstance(argument, Measure) else along(argument, self.axes, tensor.shape)
            for argument in (self.mean, self.std)
        )
        return affine(tensor, mean, 1 / (std + self.eps))


@attrs.frozen(kw_only=True)
class ScaleRangeOp:
    """``(tensor - low) / (high - low + eps)``; values beyond the percentiles are not clipped."""

    low: Measure
    high: Measure
    eps: float

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the scaled tensor."""
        low = measured[self.low]
        with np.errstate(invalid="ignore"):
            return affine(tensor, low, 1 / (measured[self.high] - low + self.eps))


@attrs.frozen(kw_only=True)
class ScaleMeanVarianceOp:
    """``(tensor - mean) / (std + eps) * (ref_std + eps) + ref_mean``."""

    mean: Measure
    std: Measure
    reference_mean: Measure
    reference_std: Measure
    eps: float

    def __call__(self, tensor: NDArray[Any], measured: Measured) -> NDArray[Any]:
        """Return the tensor with mean and standard deviation of the reference."""
        scale = (measured[self.reference_std] + self.eps) / (measured[self.std] + self.eps)
        return affine(tensor, measured[self.mean], scale, measured[self.reference_mean])


def make_scale_linear(kwargs: Any, axes: Axes) -> ScaleLinearOp:
    """Make ``scale_linear``."""
    gain, offset = linear_arguments(kwargs, axes)
    return ScaleLinearOp(gain=gain, offset=offset, axes=axes)


def make_zero_mean_unit_variance(kwargs: Any, axes: Axes) -> ZeroMeanUnitVarianceOp:
    """Make ``zero_mean_unit_variance`` or ``fixed_zero_mean_unit_variance``."""
    arguments = normalisation_arguments(kwargs, axes)
    return ZeroMeanUnitVarianceOp(mean=arguments.mean, std=arguments.std, eps=arguments.eps, axes=axes)


def make_scale_range(kwargs: Any, axes: Axes) -> ScaleRangeOp:
    """Make ``scale_range``."""
    kwargs = v0_5.ScaleRangeKwargs() if kwargs is None else kwargs
    low, high = range_measures(kwargs, axes)
    return ScaleRangeOp(low=low, high=high, eps=kwargs.eps)


def make_scale_mean_variance(kwargs: Any, axes: Axes) -> ScaleMeanVarianceOp:
    """Make ``scale_mean_variance``."""
    mean, std = moment_measures(kwargs, axes, tensor=None)
    reference_mean, reference_std = moment_measures(kwargs, axes, tensor=kwargs.reference_tensor)
    return ScaleMeanVarianceOp(mean=mean, std=std, reference_mean=reference_mean, reference_std=reference_std, eps=kwargs.eps)
