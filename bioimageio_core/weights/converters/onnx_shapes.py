"""Names the axes of exported ONNX graphs by the description."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...registry import ConverterContext
from .examples import Example

__all__ = ["name_axes"]


def name_axes(model: Any, context: ConverterContext, example: Example) -> Any:
    """Return a graph whose inputs and outputs have the described shapes.

    An axis of variable size is named after its tensor and itself, as in ``raw_y``; other axes have the size of the test tensors.

    Args:
        model: An `onnx.ModelProto`; changed in place.
        context: The context of the converter.
        example: With the test inputs.

    Raises:
        ValueError: The graph takes one size only along an axis of variable size, or has other inputs or outputs than described.

    """
    graph, source = model.graph, context.source
    ids = [*source.input_ids, *source.output_ids]
    arrays = [*example.inputs, *example.outputs]
    values = [*graph.input, *graph.output]
    if len(graph.input) != len(example.inputs) or len(graph.output) != len(example.outputs):
        raise ValueError(f"the graph has {len(graph.input)} inputs and {len(graph.output)} outputs")
    axes = [*context.input_axes, *context.output_axes] or [()] * len(ids)
    variable = list(context.variable_axes) or [frozenset[str]()] * len(ids)
    for number, (value, tensor_id, array) in enumerate(zip(values, ids, arrays, strict=True)):
        if number < len(graph.input):
            _check_free(value, tensor_id, axes[number], variable[number])
        shape = value.type.tensor_type.shape
        del shape.dim[:]
        for axis, size in enumerate(array.shape):
            name = axes[number][axis] if axes[number] else ""
            if name in variable[number]:
                shape.dim.add().dim_param = f"{tensor_id}_{name}"
            else:
                shape.dim.add().dim_value = size
    del graph.value_info[:]  # shapes in between, in the exporter's own names
    return model


def _check_free(value: Any, tensor_id: str, axes: Sequence[str], variable: frozenset[str]) -> None:
    for axis, dim in zip(axes, value.type.tensor_type.shape.dim, strict=False):
        if axis in variable and dim.HasField("dim_value"):
            raise ValueError(f"the graph takes only {dim.dim_value} along axis {axis!r} of {tensor_id!r}, which varies")
