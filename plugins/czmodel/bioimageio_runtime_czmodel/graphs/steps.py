"""Ops of descriptions as nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioimageio_core.prediction.model.tensor_spec import OpCall
from bioimageio_core.processing.arguments import (
    Along,
    clip_arguments,
    linear_arguments,
    moment_measures,
    normalisation_arguments,
    range_measures,
    softmax_axis,
    threshold_argument,
)
from bioimageio_core.registry import Measure
from bioimageio_core.typing import FrozenMapping

from .nodes import Nodes, Tensor
from .statistics import centred, measure, percentile

__all__ = ["KNOWN_OPS", "add_steps", "measures_of"]

Axes = tuple[str, ...]
VISIBLE = 2.0**-26
"""What is smaller does not show in results of the order of 1."""


def add_steps(nodes: Nodes, tensor: Tensor, ops: Iterable[OpCall], axes: Axes, reference: Tensor | None, reference_axes: Axes) -> Tensor:
    """Add nodes for ops, in order.

    Args:
        nodes: Where to add them.
        tensor: What they are applied to.
        ops: Those of `KNOWN_OPS`.
        axes: Ids of the axes of the tensor.
        reference: The input as it was given, which some ops compare with.
        reference_axes: Its axes.

    Raises:
        ValueError: There are more or fewer arguments than positions along an axis.

    """
    for op in ops:
        if op.name == "scale_mean_variance":
            assert reference is not None
            tensor = _match(nodes, tensor, op.kwargs, axes, reference, reference_axes)
        elif op.name == "scale_range" and getattr(op.kwargs, "reference_tensor", None) is not None:
            assert reference is not None
            tensor = _scale_range(nodes, tensor, op.kwargs, axes, reference, reference_axes)
        else:
            tensor = _STEPS[op.name](nodes, tensor, op.kwargs, axes)
    return tensor


def measures_of(op: OpCall, axes: Axes) -> tuple[Measure, ...]:
    """Return the statistics that an op of `KNOWN_OPS` wants."""
    if op.name in ("zero_mean_unit_variance", "fixed_zero_mean_unit_variance"):
        arguments = normalisation_arguments(op.kwargs, axes)
        return tuple(m for m in (arguments.mean, arguments.std) if isinstance(m, Measure))
    if op.name == "scale_range":
        return range_measures(_range_kwargs(op.kwargs), axes)
    if op.name == "scale_mean_variance":
        return moment_measures(op.kwargs, axes, tensor=None) + moment_measures(op.kwargs, axes, tensor=op.kwargs.reference_tensor)
    if op.name == "clip":
        return clip_arguments(op.kwargs, axes).measures
    return ()


def _range_kwargs(kwargs: Any) -> Any:
    from bioimageio_core.processing.descr_v0_5 import ScaleRangeKwargs

    return ScaleRangeKwargs() if kwargs is None else kwargs


def _values(argument: Along, axes: Axes, shape: tuple[int, ...], op: str) -> NDArray[np.float64]:
    """Return an argument so that it broadcasts against a tensor."""
    values = np.array(argument.values, np.float64)
    if argument.axis is None:
        return values.reshape((1,) * len(shape))
    position = axes.index(argument.axis)
    if shape[position] != values.size:
        raise ValueError(f"{op} has {values.size} arguments along {argument.axis}: expected {shape[position]}")
    return values.reshape([-1 if axis == position else 1 for axis in range(len(shape))])


def _affine(nodes: Nodes, tensor: Tensor, shift: NDArray[np.float64], scale: NDArray[np.float64]) -> Tensor:
    """Return ``(tensor - shift) * scale``; what float32 has no digits for of the shift is subtracted afterwards, if it shows."""
    high = shift.astype(np.float32)
    rest = (high - shift) * scale
    found = nodes.map("Mul", nodes.map("Sub", tensor, nodes.constant(high)), nodes.constant(scale))
    return nodes.map("Add", found, nodes.constant(rest)) if np.abs(rest).max() > VISIBLE else found


def _scale_linear(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    gain, offset = (_values(argument, axes, tensor.shape, "scale_linear") for argument in linear_arguments(kwargs, axes))
    return nodes.map("Add", nodes.map("Mul", tensor, nodes.constant(gain)), nodes.constant(offset))


def _normalise(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    arguments = normalisation_arguments(kwargs, axes)
    if isinstance(arguments.mean, Along) and isinstance(arguments.std, Along):
        mean, std = (_values(argument, axes, tensor.shape, "zero_mean_unit_variance") for argument in (arguments.mean, arguments.std))
        return _affine(nodes, tensor, mean, 1 / (std + arguments.eps))
    assert isinstance(arguments.mean, Measure)
    numbers = [number for number, axis in enumerate(axes) if axis in arguments.mean.axes]
    assert isinstance(arguments.std, Measure)
    std_found = measure(nodes, tensor, axes, arguments.std)
    return nodes.map("Div", centred(nodes, tensor, numbers)[1], nodes.map("Add", std_found, nodes.constant(arguments.eps)).name)


def _scale_range(
    nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes, reference: Tensor | None = None, reference_axes: Axes = ()
) -> Tensor:
    kwargs = _range_kwargs(kwargs)
    source, source_axes = (tensor, axes) if reference is None else (reference, reference_axes)
    parts = [
        tuple(_aligned(nodes, part, source_axes, axes) for part in percentile(nodes, source, source_axes, one))
        for one in range_measures(kwargs, source_axes)
    ]
    (low, low_step), (high, high_step) = parts
    width = nodes.map("Add", nodes.map("Sub", high, low.name), nodes.map("Sub", high_step, low_step.name).name)
    above = nodes.map("Sub", nodes.map("Sub", tensor, low.name), low_step.name)
    return nodes.map("Div", above, nodes.map("Add", width, nodes.constant(kwargs.eps)).name)


def _match(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes, reference: Tensor, reference_axes: Axes) -> Tensor:
    own = moment_measures(kwargs, axes, tensor=None)
    numbers = [number for number, axis in enumerate(axes) if axis in own[0].axes]
    rest = centred(nodes, tensor, numbers)[1]
    std = measure(nodes, tensor, axes, own[1])
    mean_there, std_there = (
        _aligned(nodes, measure(nodes, reference, reference_axes, one), reference_axes, axes)
        for one in moment_measures(kwargs, reference_axes, tensor=kwargs.reference_tensor)
    )
    eps = nodes.constant(kwargs.eps)
    scaled = nodes.map("Mul", nodes.map("Div", rest, nodes.map("Add", std, eps).name), nodes.map("Add", std_there, eps).name)
    return nodes.map("Add", scaled, mean_there.name)


def _aligned(nodes: Nodes, found: Tensor, own: Axes, wanted: Axes) -> Tensor:
    """Return statistics of one tensor with the axes of another, of size 1 where it has none."""
    shared = [axis for axis in wanted if axis in own]
    rest = [axis for axis in own if axis not in shared]
    ordered = nodes.transpose(found, [own.index(axis) for axis in (*rest, *shared)])
    sizes = dict(zip(own, found.shape, strict=True))
    if any(sizes[axis] != 1 for axis in rest):
        raise ValueError(f"statistics along {', '.join(rest)}, which the output lacks, cannot be part of a network")
    return nodes.reshape(ordered, tuple(sizes.get(axis, 1) for axis in wanted))


def _clip(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    arguments = clip_arguments(kwargs, axes)
    bounds = [
        None if bound is None else measure(nodes, tensor, axes, bound).name if isinstance(bound, Measure) else nodes.constant(bound)
        for bound in (arguments.low, arguments.high)
    ]
    for kind, bound in zip(("Max", "Min"), bounds, strict=True):
        tensor = tensor if bound is None else nodes.map(kind, tensor, bound)
    return tensor


def _binarize(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    threshold = _values(threshold_argument(kwargs, axes), axes, tensor.shape, "binarize")
    above = nodes.map("Greater", tensor, nodes.constant(threshold))
    return Tensor(name=nodes.cast(above, "float32"), shape=tensor.shape)


def _softmax(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    """Over the last axis, where it means the same in all versions of the operators."""
    at = axes.index(softmax_axis(kwargs, axes))
    last = len(axes) - 1
    order = [*(axis for axis in range(len(axes)) if axis != at), at]
    found = nodes.map("Softmax", nodes.transpose(tensor, order), axis=-1)
    return nodes.transpose(found, [order.index(axis) for axis in range(last + 1)])


def _sigmoid(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    return nodes.map("Sigmoid", tensor)


def _ensure_dtype(nodes: Nodes, tensor: Tensor, kwargs: Any, axes: Axes) -> Tensor:
    return tensor if kwargs.dtype in ("float32", "float64") else nodes.through(tensor, kwargs.dtype)


_STEPS: Mapping[str, Callable[[Nodes, Tensor, Any, Axes], Tensor]] = FrozenMapping(
    {
        "binarize": _binarize,
        "clip": _clip,
        "ensure_dtype": _ensure_dtype,
        "fixed_zero_mean_unit_variance": _normalise,
        "scale_linear": _scale_linear,
        "scale_range": _scale_range,
        "sigmoid": _sigmoid,
        "softmax": _softmax,
        "zero_mean_unit_variance": _normalise,
    }
)

KNOWN_OPS: Sequence[str] = (*_STEPS, "scale_mean_variance")
"""Ops that can be nodes."""
