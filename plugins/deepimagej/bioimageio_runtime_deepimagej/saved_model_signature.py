"""Reads the outputs of a SavedModel without TensorFlow.

Numbers of fields are those of TensorFlow's ``saved_model.proto``, ``meta_graph.proto`` and ``tensor_shape.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from bioimageio_core.protobuf import messages, number, text

__all__ = ["SavedModelFacts", "read_saved_model"]

SERVING = "serving_default"


@attrs.frozen(kw_only=True)
class SavedModelFacts:
    """What is known of a SavedModel."""

    tensorflow_version: str | None = None
    outputs: dict[str, tuple[int, ...]] = attrs.Factory(dict)
    """Shapes by name, of the signature for serving; -1 where any size fits."""


def read_saved_model(path: Path) -> SavedModelFacts:
    """Read ``saved_model.pb``; what cannot be read is taken as unknown."""
    try:
        return _facts(path.read_bytes())
    except (OSError, ValueError):
        return SavedModelFacts()


def _facts(content: bytes) -> SavedModelFacts:
    version, outputs = None, {}
    for graph in messages(content, 2):  # SavedModel.meta_graphs
        for info in messages(graph, 1):  # MetaGraphDef.meta_info_def
            version = text(info, 5) or version  # MetaInfoDef.tensorflow_version
        for entry in messages(graph, 5):  # MetaGraphDef.signature_def
            if text(entry, 1) == SERVING:
                for signature in messages(entry, 2):
                    outputs = dict(_shapes(signature))
    return SavedModelFacts(tensorflow_version=version, outputs=outputs)


def _shapes(signature: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    for output in messages(signature, 2):  # SignatureDef.outputs
        name = text(output, 1)
        for tensor in messages(output, 2):
            for shape in messages(tensor, 3):  # TensorInfo.tensor_shape
                yield name, tuple(number(dim, 1, default=-1) for dim in messages(shape, 2))
