"""Reads the input and the output of a network without running it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import onnx

from bioimageio_core.text import in_brief

from .saved_models import is_saved_model, read_saved_model

__all__ = ["NetworkSignature", "onnx_dtype", "opset_of", "read_network"]

ONNX, SAVED_MODEL = "onnx", "tensorflow_saved_model_bundle"


@attrs.frozen(kw_only=True)
class NetworkSignature:
    """A network of one input and one output."""

    weights_format: str
    input_shape: tuple[int | None, ...]
    """Batch first; None where any size is taken."""

    input_dtype: str
    output_shape: tuple[int | None, ...] | None
    """None where it is unknown."""

    fields: dict[str, Any]
    """Fields of the weights entry besides the file."""

    @property
    def suffix(self) -> str:
        """How the name of the file ends."""
        return ".onnx" if self.weights_format == ONNX else ".zip"


def read_network(path: Path) -> NetworkSignature:
    """Read the signature of an ONNX graph or a zipped SavedModel.

    Raises:
        ValueError: It is neither, is broken, or has several inputs or outputs.

    """
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK"
    if zipped:
        if not is_saved_model(path):
            raise ValueError("the network is a zip without saved_model.pb at its top: expected a SavedModel, or an ONNX graph")
        found = read_saved_model(path)
        return NetworkSignature(
            weights_format=SAVED_MODEL,
            input_shape=found.input_shape,
            input_dtype=found.input_dtype,
            output_shape=found.output_shape,
            fields={"tensorflow_version": found.tensorflow_version},
        )
    return _read_onnx(path)


def _read_onnx(path: Path) -> NetworkSignature:
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # of protobuf
        raise ValueError(f"the network is neither a SavedModel nor an ONNX graph: {in_brief(error)}") from None
    if not model.graph.node and not model.graph.input:
        raise ValueError("the network is an ONNX graph without anything in it")
    for location in _external_locations(model):
        raise ValueError(f"the network wants tensors from another file, {location[:100]!r}: expected all in one")
    held = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in held]
    outputs = list(model.graph.output)
    for words, values in (("input", inputs), ("output", outputs)):
        if len(values) != 1:
            names = ", ".join(value.name for value in values) or "none"
            raise ValueError(f"the network has {len(values)} {words}s ({names}): expected one")
    shape = _shape(inputs[0])
    if shape is None:
        raise ValueError(f"the number of axes of the network's input {inputs[0].name!r} is unknown")
    return NetworkSignature(
        weights_format=ONNX,
        input_shape=shape,
        input_dtype=onnx_dtype(inputs[0].type.tensor_type.elem_type),
        output_shape=_shape(outputs[0]),
        fields={"opset_version": opset_of(model)},
    )


def opset_of(model: Any) -> int:
    """Return the version of the standard operators of an ONNX model."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)


def onnx_dtype(number: int) -> str:
    """Return the name of an element type of ONNX.

    Raises:
        ValueError: numpy has no such dtype.

    """
    try:
        return str(onnx.helper.tensor_dtype_to_np_dtype(number))
    except KeyError:
        raise ValueError(f"the network has a tensor of the element type {number}, which is not a type of pixels") from None


def _shape(value: Any) -> tuple[int | None, ...] | None:
    if not value.type.tensor_type.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.dim_value > 0 else None for dim in value.type.tensor_type.shape.dim)


def _external_locations(model: Any) -> Iterator[str]:
    """Yield the names of the files that hold tensors of the graph or of its constants."""
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        tensors = [*graph.initializer]
        for node in graph.node:
            for attribute in node.attribute:
                tensors += [attribute.t, *attribute.tensors]
                graphs += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
        for tensor in tensors:
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                yield next((entry.value for entry in tensor.external_data if entry.key == "location"), "")
