"""What each op needs from the planner; imports no numpy.

Ops that compute convert integers to float32 and keep float64; they declare the dtype ``float32``.
"""

from __future__ import annotations

from typing import Any

from ..registry.entries import Measure, Needs
from ..registry.entries.needs import ANY_DTYPE
from ..typing import AxisId
from . import descr_v0_5 as v0_5
from .arguments import (
    axes_of,
    clip_arguments,
    linear_arguments,
    moment_measures,
    normalisation_arguments,
    range_measures,
    softmax_axis,
    threshold_argument,
)

__all__ = [
    "binarize_needs",
    "clip_needs",
    "custom_needs",
    "elementwise_needs",
    "ensure_dtype_needs",
    "scale_linear_needs",
    "scale_mean_variance_needs",
    "scale_range_needs",
    "softmax_needs",
    "whole_sample_needs",
    "zero_mean_unit_variance_needs",
]

Axes = tuple[AxisId, ...]


def binarize_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``binarize``."""
    return Needs(whole_axes=axes_of([threshold_argument(kwargs, axes)]), dtype="bool")


def clip_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``clip``."""
    return Needs(measures=clip_arguments(kwargs, axes).measures)


def custom_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``custom``: nothing is known of its code, so it gets the whole sample, and may return any dtype."""
    return Needs(whole_sample=True, dtype=ANY_DTYPE)


def elementwise_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ops that compute each element from itself alone."""
    return Needs(dtype="float32")


def ensure_dtype_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``ensure_dtype``."""
    return Needs(dtype=kwargs.dtype)


def scale_linear_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``scale_linear``."""
    return Needs(whole_axes=axes_of(linear_arguments(kwargs, axes)), dtype="float32")


def softmax_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``softmax``."""
    return Needs(whole_axes=(softmax_axis(kwargs, axes),), dtype="float32")


def zero_mean_unit_variance_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``zero_mean_unit_variance`` and ``fixed_zero_mean_unit_variance``."""
    arguments = normalisation_arguments(kwargs, axes)
    both = (arguments.mean, arguments.std)
    return Needs(measures=tuple(m for m in both if isinstance(m, Measure)), whole_axes=axes_of(both), dtype="float32")


def scale_range_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``scale_range``."""
    return Needs(measures=range_measures(v0_5.ScaleRangeKwargs() if kwargs is None else kwargs, axes), dtype="float32")


def scale_mean_variance_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ``scale_mean_variance``."""
    own = moment_measures(kwargs, axes, tensor=None)
    return Needs(measures=own + moment_measures(kwargs, axes, tensor=kwargs.reference_tensor), dtype="float32")


def whole_sample_needs(kwargs: Any, axes: Axes) -> Needs:
    """Needs of ops that need a complete sample at once."""
    return Needs(whole_sample=True)
