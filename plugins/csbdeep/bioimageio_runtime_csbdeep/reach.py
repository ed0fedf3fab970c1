"""Receptive field and sizes of a network, read from its graph."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import attrs

from bioimageio_core.protobuf import integers, messages

from .saved_model import Node, SavedNetwork

__all__ = ["Reach", "reach_of"]

Lengths = tuple[Fraction, ...]

CIRCLE = "its graph goes in a circle"

TENSOR_VALUES = {"shape": 7, "list": 1, "tensor": 8}
"""Fields of ``AttrValue``."""

PIXEL_BY_PIXEL = frozenset(
    {
        *(
            "Add",
            "AddV2",
            "BiasAdd",
            "Cast",
            "ConcatV2",
            "Elu",
            "ExpandDims",
            "FusedBatchNorm",
            "FusedBatchNormV3",
            "Identity",
            "LeakyRelu",
        ),
        *("Maximum", "Minimum", "Mul", "Neg", "RealDiv", "Relu", "Relu6", "Reshape", "Rsqrt", "Selu", "Sigmoid", "Softmax", "Softplus"),
        *("Softsign", "Square", "Sub", "Tanh"),
    }
)


@attrs.frozen(kw_only=True)
class Reach:
    """Of an output, along each axis in space, in pixels of the image."""

    stride: tuple[int, ...]
    """Sizes of the image have to be multiples of this."""

    overlap: tuple[int, ...]
    """Distance up to which pixels of the image have an effect."""

    grid: tuple[int, ...]
    """Pixels of the image for one of the output."""


@attrs.frozen(kw_only=True)
class _Seen:
    """Receptive field of a tensor: pixels to the left and right of the first pixel of an element."""

    scale: Lengths
    left: Lengths
    right: Lengths


def reach_of(network: SavedNetwork, output: str, rank: int) -> Reach:
    """Return the receptive field of an output.

    Args:
        network: With one input.
        output: The name of its tensor.
        rank: Number of axes in space, which lie between the first axis and the last.

    Raises:
        ValueError: The graph has an unknown operation.

    """
    seen = _Graph(network.nodes, network.inputs[0].tensor, rank).walk(_node_name(output))
    result = seen[_node_name(output)]
    if result is None:
        raise ValueError("its output does not depend on its input")
    scales = [s.scale for s in seen.values() if s is not None]
    return Reach(
        stride=tuple(math.lcm(*(int(scale[d]) for scale in scales if scale[d] >= 1)) for d in range(rank)),
        overlap=tuple(math.ceil(max(left, right)) for left, right in zip(result.left, result.right, strict=True)),
        grid=tuple(int(s) if s.denominator == 1 else 0 for s in result.scale),
    )


class _Graph:
    """Walks from an output to the image, and back."""

    def __init__(self, nodes: Mapping[str, Node], image: str, rank: int) -> None:
        self._nodes, self._image, self._rank = nodes, _node_name(image), rank
        self._rules: Mapping[str, Callable[[Node, Sequence[_Seen | None]], _Seen]] = {
            **dict.fromkeys(("Conv2D", "Conv3D", "DepthwiseConv2dNative"), self._convolved),
            **dict.fromkeys(("MaxPool", "MaxPool3D", "AvgPool", "AvgPool3D"), self._pooled),
            **dict.fromkeys(("Conv2DBackpropInput", "Conv3DBackpropInputV2"), self._transposed),
            **dict.fromkeys(PIXEL_BY_PIXEL, self._together),
            "ResizeNearestNeighbor": self._resized,
            "Tile": self._repeated,
        }

    def walk(self, output: str) -> dict[str, _Seen | None]:
        """Return the receptive field of each node that the output depends on; None for nodes that are no images."""
        seen: dict[str, _Seen | None] = {}
        open_nodes = [output]
        while open_nodes:
            name = open_nodes[-1]
            if name not in self._nodes:
                raise ValueError(f"its graph refers to {name!r}, which is not in it")
            if len(open_nodes) > len(self._nodes):
                raise ValueError(CIRCLE)
            inputs = [_node_name(i) for i in self._nodes[name].inputs if not i.startswith("^")]
            waiting = [i for i in inputs if i not in seen]
            if waiting and name != self._image:
                open_nodes.append(waiting[0])
                continue
            seen[open_nodes.pop()] = self._seen(name, [seen.get(i) for i in inputs])
        return seen

    def _seen(self, name: str, inputs: Sequence[_Seen | None]) -> _Seen | None:
        node = self._nodes[name]
        zero, one = (Fraction(0),) * self._rank, (Fraction(1),) * self._rank
        if name == self._image:
            return _Seen(scale=one, left=zero, right=zero)
        if all(i is None for i in inputs) or node.op == "Shape":
            return None
        if node.op not in self._rules:
            raise ValueError(f"its graph has the operation {node.op}, of which it is not known how far it sees")
        return self._rules[node.op](node, inputs)

    def _together(self, _node: Node, inputs: Sequence[_Seen | None]) -> _Seen:
        images = [i for i in inputs if i is not None]
        if len({i.scale for i in images}) > 1:
            raise ValueError("its graph puts tensors together that are not of one size")
        lefts, rights = zip(*(i.left for i in images), strict=True), zip(*(i.right for i in images), strict=True)
        return _Seen(scale=images[0].scale, left=tuple(map(max, lefts)), right=tuple(map(max, rights)))

    def _convolved(self, node: Node, inputs: Sequence[_Seen | None]) -> _Seen:
        dilations = self._in_space(node, "dilations")
        sizes = [(size - 1) * dilation + 1 for size, dilation in zip(self._kernel(node.inputs[1]), dilations, strict=True)]
        return self._looking_around(node, _image(inputs), sizes)

    def _pooled(self, node: Node, inputs: Sequence[_Seen | None]) -> _Seen:
        return self._looking_around(node, _image(inputs), self._in_space(node, "ksize"))

    def _looking_around(self, node: Node, seen: _Seen, sizes: Sequence[int]) -> _Seen:
        """Return what windows of a size see: TensorFlow pads by what is missing, half of it to the left, the odd one to the right."""
        strides = self._in_space(node, "strides")
        if [*messages(node.attributes.get("padding", b""), 2)] != [b"SAME"] and any(k > s for k, s in zip(sizes, strides, strict=True)):
            raise ValueError(f"its graph has an operation {node.op} that makes images smaller at their borders")
        left = [max(k - s, 0) // 2 for k, s in zip(sizes, strides, strict=True)]
        return self._larger(seen, left, [k - 1 - n for k, n in zip(sizes, left, strict=True)], strides)

    def _larger(self, seen: _Seen, left: Sequence[int], right: Sequence[int], strides: Sequence[int]) -> _Seen:
        """Return what an operation sees that looks at neighbours, and keeps one element of each stride."""
        return _Seen(
            scale=tuple(s * by for s, by in zip(seen.scale, strides, strict=True)),
            left=tuple(x + s * n for x, s, n in zip(seen.left, seen.scale, left, strict=True)),
            right=tuple(x + s * n for x, s, n in zip(seen.right, seen.scale, right, strict=True)),
        )

    def _smaller(self, seen: _Seen, factors: Sequence[int]) -> _Seen:
        """Return what is seen by each of the elements that one is repeated to: the last of them is furthest from where it began."""
        scale = tuple(s / by for s, by in zip(seen.scale, factors, strict=True))
        left = tuple(x + s * (by - 1) for x, s, by in zip(seen.left, scale, factors, strict=True))
        return _Seen(scale=scale, left=left, right=seen.right)

    def _transposed(self, node: Node, inputs: Sequence[_Seen | None]) -> _Seen:
        seen, kernel = inputs[2], self._kernel(node.inputs[1])
        if seen is None:
            raise ValueError("its graph has a convolution without an image")
        smaller = self._smaller(seen, self._in_space(node, "strides"))
        return self._larger(smaller, kernel, kernel, [1] * self._rank) if max(kernel) > 1 else smaller

    def _resized(self, node: Node, inputs: Sequence[_Seen | None]) -> _Seen:
        size = self._nodes[_node_name(node.inputs[1])]
        factors = self._constant(size.inputs[1]) if size.op == "Mul" else ()
        if len(factors) != self._rank or min(factors) < 1:
            raise ValueError("its graph enlarges an image by a factor that is not constant")
        return self._smaller(_image(inputs), factors)

    def _repeated(self, node: Node, inputs: Sequence[_Seen | None]) -> _Seen:
        """Return what is seen by elements repeated along an axis: Keras puts one behind it, repeats, and makes one of both."""
        times = self._constant(node.inputs[1])
        if len(times) != self._rank + 3 or min(times) < 1:
            raise ValueError("its graph repeats an image by a factor that is not constant")
        return self._smaller(_image(inputs), times[2 : self._rank + 2])

    def _in_space(self, node: Node, attribute: str) -> Sequence[int]:
        lists = [*messages(node.attributes.get(attribute, b""), TENSOR_VALUES["list"])]
        values = integers(lists[0], 3) if lists else (1,) * (self._rank + 2)
        if len(values) != self._rank + 2:
            raise ValueError(f"its graph has an operation {node.op} along other axes than those of the image")
        return values[1:-1]

    def _origin(self, name: str, *through: str) -> Node:
        """Return the node that a value comes from, behind those that only pass it on."""
        for _ in self._nodes:
            node = self._nodes[_node_name(name)]
            if node.op not in (*through, "Identity") or not node.inputs:
                return node
            name = node.inputs[0]
        raise ValueError(CIRCLE)

    def _kernel(self, name: str) -> Sequence[int]:
        """Return the size of the kernel that a convolution reads."""
        node = self._origin(name, "ReadVariableOp")
        shapes = [*messages(node.attributes.get("shape", b""), TENSOR_VALUES["shape"])]
        sizes = [integers(size, 1) for size in messages(shapes[0], 2)] if shapes else []
        if len(sizes) != self._rank + 2 or not all(sizes):
            raise ValueError("its graph has a convolution whose kernel has no known size")
        return [size[0] for size in sizes[: self._rank]]

    def _constant(self, name: str) -> Sequence[int]:
        """Return the integers of a constant of one axis."""
        node = self._origin(name, "Cast")
        tensors = [*messages(node.attributes.get("value", b""), TENSOR_VALUES["tensor"])]
        contents = [*messages(tensors[0], 4)] if tensors else []
        if not contents:
            return integers(tensors[0], 7) if tensors else ()
        (kind,) = integers(tensors[0], 1)
        return _numbers(contents[0], kind)


def _numbers(content: bytes, kind: int) -> Sequence[int]:
    """Return the values of a tensor of float64, int32 or int64 as integers."""
    code = {2: "d", 3: "i", 9: "q"}.get(kind, "")
    if not code or len(content) % struct.calcsize(f"<{code}"):
        return ()
    return [int(value) for (value,) in struct.iter_unpack(f"<{code}", content)]


def _image(inputs: Sequence[_Seen | None]) -> _Seen:
    if not inputs or inputs[0] is None:
        raise ValueError("its graph has an operation on images without an image")
    return inputs[0]


def _node_name(tensor: str) -> str:
    return tensor.lstrip("^").partition(":")[0]
