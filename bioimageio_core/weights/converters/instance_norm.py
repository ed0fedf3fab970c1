"""Instance normalisation for the exporter of scripts, which lacks it where the number of channels is unknown.

The number is unknown after concatenations of cropped tensors, as in U-Nets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["OPSET", "own_instance_norm"]

OPSET = 17
"""The opset of the operation: later ones pass axes in another way."""

NAME = "aten::instance_norm"


@contextmanager
def own_instance_norm() -> Iterator[None]:
    """Let PyTorch's exporter write instance normalisation with means over space, which do not depend on the number of channels."""
    import torch

    read = torch.onnx.symbolic_helper.parse_args("v", "v", "v", "v", "v", "i", "f", "f", "i")
    torch.onnx.register_custom_op_symbolic(NAME, read(_symbolic), OPSET)
    try:
        yield
    finally:
        torch.onnx.unregister_custom_op_symbolic(NAME, OPSET)


def _symbolic(
    g: Any, tensor: Any, weight: Any, bias: Any, mean: Any, variance: Any, by_input: int, momentum: float, epsilon: float, cudnn: int
) -> Any:
    """Write ``(x - mean) / sqrt(variance + epsilon) * weight + bias``, mean and variance over all axes but batch and channel.

    As in `torch.nn.functional.instance_norm`, the variance is that of the population.
    """
    import torch

    rank = tensor.type().dim()
    if rank is None or not by_input:
        raise RuntimeError("instance normalisation of unknown rank, or by running statistics, is not exported")
    space = list(range(2, rank))

    def along_channels(parameter: Any) -> Any:
        shape = g.op("Constant", value_t=torch.tensor([1, -1, *(1 for _ in space)]))
        return g.op("Reshape", parameter, shape)

    centred = g.op("Sub", tensor, g.op("ReduceMean", tensor, axes_i=space, keepdims_i=1))
    spread = g.op("ReduceMean", g.op("Mul", centred, centred), axes_i=space, keepdims_i=1)
    small = g.op("Constant", value_t=torch.tensor(epsilon, dtype=torch.float32))
    result = g.op("Div", centred, g.op("Sqrt", g.op("Add", spread, small)))
    if not _is_none(weight):
        result = g.op("Mul", result, along_channels(weight))
    return result if _is_none(bias) else g.op("Add", result, along_channels(bias))


def _is_none(node: Any) -> bool:
    return bool(node.node().mustBeNone())
