"""What the file of a SavedModel says of its outputs, read without TensorFlow.

Numbers of fields are those of TensorFlow's ``saved_model.proto``, ``meta_graph.proto`` and ``tensor_shape.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

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
    except (OSError, IndexError, ValueError):
        return SavedModelFacts()


def _facts(content: bytes) -> SavedModelFacts:
    version, outputs = None, {}
    for graph in _fields(content, 2):  # SavedModel.meta_graphs
        for info in _fields(graph, 1):  # MetaGraphDef.meta_info_def
            version = next((text.decode() for text in _fields(info, 5)), version)  # MetaInfoDef.tensorflow_version
        for entry in _fields(graph, 5):  # MetaGraphDef.signature_def
            if next(_fields(entry, 1), b"").decode() == SERVING:
                for signature in _fields(entry, 2):
                    outputs = dict(_shapes(signature))
    return SavedModelFacts(tensorflow_version=version, outputs=outputs)


def _shapes(signature: bytes) -> Iterator[tuple[str, tuple[int, ...]]]:
    for output in _fields(signature, 2):  # SignatureDef.outputs
        name = next(_fields(output, 1), b"").decode()
        for tensor in _fields(output, 2):
            for shape in _fields(tensor, 3):  # TensorInfo.tensor_shape
                yield name, tuple(_size(dim) for dim in _fields(shape, 2))


def _size(dim: bytes) -> int:
    for number, value in _all_fields(dim):
        if number == 1 and isinstance(value, int):
            return value - (1 << 64) if value >= 1 << 63 else value
    return -1


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    for number, value in _all_fields(message):
        if number == wanted and isinstance(value, bytes):
            yield value


def _all_fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and content of each field of a message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                value, at = _varint(message, at)
                yield key >> 3, value
            case 2:
                length, at = _varint(message, at)
                if at + length > len(message):
                    raise ValueError("expected a whole message, found one that is cut off")
                yield key >> 3, message[at : at + length]
                at += length
            case 1:
                at += 8
            case 5:
                at += 4
            case kind:
                raise ValueError(f"expected a field of a known kind, found {kind}")


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("expected a number of at most 64 bits")
