"""Statistics of a tensor as nodes: those of what the network is given, which is one block of an image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bioimageio_core.registry import Measure

from .nodes import Nodes, Tensor

__all__ = ["centred", "measure", "percentile"]


def measure(nodes: Nodes, tensor: Tensor, axis_ids: Sequence[str], wanted: Measure) -> Tensor:
    """Add nodes that measure, and return the result: of size 1 along the axes that it is taken over."""
    axes = [number for number, axis in enumerate(axis_ids) if axis in wanted.axes]
    if wanted.kind == "mean":
        return centred(nodes, tensor, axes)[0]
    if wanted.kind == "std":
        return _std(nodes, centred(nodes, tensor, axes)[1], axes)
    if wanted.kind == "percentile" and wanted.q is not None:
        base, step = percentile(nodes, tensor, axis_ids, wanted)
        return nodes.map("Add", base, step.name)
    raise ValueError(f"the statistic {wanted.kind} cannot be part of a network")


def centred(nodes: Nodes, tensor: Tensor, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the mean, and the tensor without it; in two rounds, since the mean of large numbers has too few digits in float32."""
    rough = nodes.reduce("ReduceMean", tensor, axes)
    rest = nodes.map("Sub", tensor, rough.name)
    fine = nodes.reduce("ReduceMean", rest, axes)
    return nodes.map("Add", rough, fine.name), nodes.map("Sub", rest, fine.name)


def _std(nodes: Nodes, rest: Tensor, axes: Sequence[int]) -> Tensor:
    return nodes.map("Sqrt", nodes.reduce("ReduceMean", nodes.map("Mul", rest, rest.name), axes))


def percentile(nodes: Nodes, tensor: Tensor, axis_ids: Sequence[str], wanted: Measure) -> tuple[Tensor, Tensor]:
    """Return a percentile, by the methods ``linear`` or ``inverted_cdf`` of numpy, as a value of the tensor and what is to be added.

    The two have more digits than their sum, which matters where percentiles of large numbers are close to each other.
    """
    assert wanted.q is not None
    axes = [number for number, axis in enumerate(axis_ids) if axis in wanted.axes]
    q, linear = wanted.q, wanted.method == "linear"
    others = [axis for axis in range(len(tensor.shape)) if axis not in axes]
    count = math.prod(tensor.shape[axis] for axis in axes)
    kept = tuple(tensor.shape[axis] for axis in others)
    flat = nodes.reshape(nodes.transpose(tensor, [*others, *axes]), (*kept, count))
    position = q / 100 * (count - 1) if linear else max(0, math.ceil(np.nextafter(q / 100 * count, 0)) - 1)
    low, high = math.floor(position), math.ceil(position)
    # Of a percentile in the upper half the largest are sorted, else the smallest: as few as will do.
    from_top = position > count / 2
    ranks = (count - 1 - low, count - 1 - high) if from_top else (low, high)
    nodes_out = _sorted(nodes, flat, max(ranks) + 1, largest=from_top)
    at_low, at_high = (nodes.add("Gather", nodes_out, nodes.constant([rank], "int64"), axis=len(kept)) for rank in ranks)
    step = nodes.add("Mul", nodes.add("Sub", at_high, at_low), nodes.constant(position - low))
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(tensor.shape))
    base, rest = (nodes.reshape(Tensor(name=name, shape=(*kept, 1)), shape) for name in (at_low, step))
    return base, rest


def _sorted(nodes: Nodes, flat: Tensor, count: int, *, largest: bool) -> str:
    """Return the first values of the last axis, in order."""
    name = nodes.add("TopK", flat.name, nodes.constant([count], "int64"), axis=-1, largest=int(largest), sorted=1)
    nodes.nodes[-1].output.append(f"{name}_indices")
    return name
