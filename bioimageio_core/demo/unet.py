"""The small U-Net of the demonstration: as a function in PyTorch for training, and as an ONNX graph for use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEATURES", "HALO", "STRIDE", "apply_network", "network_shapes", "onnx_model", "receptive_field"]

FEATURES = (8, 16, 32)
"""Channels at each resolution, the finest first."""

STRIDE = 2 ** (len(FEATURES) - 1)
"""Sizes of the input are multiples of this."""

_LEVELS = len(FEATURES)


def network_shapes() -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight, as ``Conv`` and ``ConvTranspose`` have them: out, in, y, x (in, out, y, x for ``up``)."""
    shapes: dict[str, tuple[int, ...]] = {}
    for level, features in enumerate(FEATURES):
        before = FEATURES[level - 1] if level else 1
        shapes[f"down{level}.0"] = (features, before, 3, 3)
        shapes[f"down{level}.1"] = (features, features, 3, 3)
    for level in reversed(range(_LEVELS - 1)):
        features = FEATURES[level]
        shapes[f"up{level}.up"] = (FEATURES[level + 1], features, 2, 2)
        shapes[f"up{level}.0"] = (features, 2 * features, 3, 3)
        shapes[f"up{level}.1"] = (features, features, 3, 3)
    shapes["head"] = (1, FEATURES[0], 1, 1)
    return shapes


def apply_network(weights: Mapping[str, Any], images: Any) -> Any:
    """Return logits for images, both torch tensors with axes batch, channel, y, x.

    Args:
        weights: For each name of `network_shapes` a weight, and a bias under the name with ``.bias``.
        images: Of sizes that are multiples of `STRIDE`.

    """
    from torch import cat
    from torch.nn import functional

    def convolve(name: str, x: Any) -> Any:
        return functional.relu(functional.conv2d(x, weights[name], weights[f"{name}.bias"], padding=1))

    x, skipped = images, []
    for level in range(_LEVELS):
        if level:
            skipped.append(x)
            x = functional.max_pool2d(x, 2)
        x = convolve(f"down{level}.1", convolve(f"down{level}.0", x))
    for level in reversed(range(_LEVELS - 1)):
        x = functional.conv_transpose2d(x, weights[f"up{level}.up"], weights[f"up{level}.up.bias"], stride=2)
        x = convolve(f"up{level}.1", convolve(f"up{level}.0", cat([x, skipped.pop()], 1)))
    return functional.conv2d(x, weights["head"], weights["head.bias"])


def receptive_field() -> int:
    """Return how many pixels to either side of an output pixel can change it, at the worst position on the grid of `STRIDE`."""

    def reach(low: int, high: int, level: int) -> tuple[int, int]:
        """Follow an interval of the decoder's output at a level down to the input."""
        if level == _LEVELS - 1:
            return _encoder_reach(low, high, level)
        low, high = low - 2, high + 2
        below = reach(low // 2, high // 2, level + 1)
        skip = _encoder_reach(low, high, level)
        return min(below[0], skip[0]), max(below[1], skip[1])

    positions = range(STRIDE)
    return max(max(i - reach(i, i, 0)[0], reach(i, i, 0)[1] - i) for i in positions)


def _encoder_reach(low: int, high: int, level: int) -> tuple[int, int]:
    low, high = low - 2, high + 2
    return (low, high) if level == 0 else _encoder_reach(2 * low, 2 * high + 1, level - 1)


HALO = -(-receptive_field() // STRIDE) * STRIDE
"""The receptive field, rounded up to the grid: blocks with this halo give what the whole image gives."""


def onnx_model(weights: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Return the network as an ONNX file with input ``image`` and output ``logits``, batch, y and x of any size."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes: list[Any] = []

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def convolve(name: str, x: str) -> str:
        out = add("Conv", [x, name, f"{name}.bias"], f"{name}.out", kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        return add("Relu", [out], f"{name}.relu")

    x, skipped = "image", []
    for level in range(_LEVELS):
        if level:
            skipped.append(x)
            x = add("MaxPool", [x], f"down{level}.pool", kernel_shape=[2, 2], strides=[2, 2])
        x = convolve(f"down{level}.1", convolve(f"down{level}.0", x))
    for level in reversed(range(_LEVELS - 1)):
        name = f"up{level}.up"
        x = add("ConvTranspose", [x, name, f"{name}.bias"], f"{name}.out", kernel_shape=[2, 2], strides=[2, 2])
        x = add("Concat", [x, skipped.pop()], f"up{level}.concat", axis=1)
        x = convolve(f"up{level}.1", convolve(f"up{level}.0", x))
    add("Conv", [x, "head", "head.bias"], "logits", kernel_shape=[1, 1])
    float32, shape = TensorProto.FLOAT, ["batch", 1, "y", "x"]
    graph = helper.make_graph(
        nodes,
        "unet",
        [helper.make_tensor_value_info("image", float32, shape)],
        [helper.make_tensor_value_info("logits", float32, shape)],
        [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in weights.items()],
    )
    # Versions that runtimes of several years ago can read, too.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8, producer_name="bioimageio_core")
    checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
