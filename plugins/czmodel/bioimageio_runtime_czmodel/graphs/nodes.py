"""Nodes of an ONNX graph, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

__all__ = ["Nodes", "Tensor"]

AXES_AS_INPUT = 18
"""Since this version of the operators, the axes of reductions are an input; before, an attribute (of ReduceSum since 13)."""


@attrs.frozen(kw_only=True)
class Tensor:
    """A float32 tensor of a graph under construction."""

    name: str
    shape: tuple[int, ...]


@attrs.define
class Nodes:
    """Nodes under construction, at one version of the operators; all that they compute is float32 of known shape."""

    opset: int
    prefix: str
    """Of all names, so that they are those of nothing else in the graph."""

    nodes: list[NodeProto] = attrs.field(factory=list)
    initializers: list[TensorProto] = attrs.field(factory=list)

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one output, and return the name of that."""
        name = self._name()
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=f"{name}_{kind}", **attributes))
        return name

    def constant(self, values: ArrayLike, dtype: str = "float32") -> str:
        """Add a constant, and return its name."""
        name = self._name()
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(np.asarray(values, dtype)), name))
        return name

    def map(self, kind: str, tensor: Tensor, *more: str, **attributes: Any) -> Tensor:
        """Apply an operator that leaves the shape as it is; further inputs broadcast to it."""
        return Tensor(name=self.add(kind, tensor.name, *more, **attributes), shape=tensor.shape)

    def reduce(self, kind: str, tensor: Tensor, axes: Sequence[int]) -> Tensor:
        """Reduce over axes, which stay with a size of 1."""
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(tensor.shape))
        if not axes:
            return tensor
        if self.opset >= (13 if kind == "ReduceSum" else AXES_AS_INPUT):
            return Tensor(name=self.add(kind, tensor.name, self.constant(list(axes), "int64"), keepdims=1), shape=shape)
        return Tensor(name=self.add(kind, tensor.name, axes=list(axes), keepdims=1), shape=shape)

    def reshape(self, tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Give a tensor another shape."""
        if shape == tensor.shape:
            return tensor
        return Tensor(name=self.add("Reshape", tensor.name, self.constant(list(shape), "int64")), shape=shape)

    def transpose(self, tensor: Tensor, order: Sequence[int]) -> Tensor:
        """Put axes into another order."""
        if list(order) == list(range(len(order))):
            return tensor
        return Tensor(name=self.add("Transpose", tensor.name, perm=list(order)), shape=tuple(tensor.shape[axis] for axis in order))

    def cast(self, tensor: Tensor, dtype: str) -> str:
        """Cast, and return the name of the result."""
        return self.add("Cast", tensor.name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def through(self, tensor: Tensor, dtype: str) -> Tensor:
        """Cast to a dtype and back, so that values are as that has them."""
        return Tensor(name=self.add("Cast", self.cast(tensor, dtype), to=TensorProto.FLOAT), shape=tensor.shape)

    def _name(self) -> str:
        return f"{self.prefix}{len(self.nodes) + len(self.initializers)}"
