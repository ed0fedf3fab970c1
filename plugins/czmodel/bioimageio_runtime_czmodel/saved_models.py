"""Signatures of SavedModels, read without TensorFlow."""

from __future__ import annotations

import zipfile
from pathlib import Path

import attrs

from bioimageio_core.errors import BioimageioError
from bioimageio_core.protobuf import ProtobufError, messages, number, text
from bioimageio_core.text import in_brief
from bioimageio_core.weights.archives import check_archive

__all__ = ["SavedModelSignature", "is_saved_model", "read_saved_model", "zip_saved_model"]

GRAPH_FILE = "saved_model.pb"
LARGEST_GRAPH = 1 << 29
SIGNATURES = ("serving_default", "serve")
"""In the order in which they are looked for; the first is that of all writers but Keras 3."""

# Numbers of fields, as the schemas of TensorFlow have them (saved_model.proto, meta_graph.proto, types.proto, tensor_shape.proto).
META_GRAPH, META_INFO, VERSION, SIGNATURE = 2, 1, 5, 5
KEY, VALUE = 1, 2
INPUTS, OUTPUTS, DTYPE, SHAPE, DIM, SIZE, UNKNOWN_RANK = 1, 2, 2, 3, 2, 1, 3
DTYPES = {1: "float32", 2: "float64", 3: "int32", 4: "uint8", 5: "int16", 6: "int8", 9: "int64", 10: "bool", 17: "uint16", 19: "float16"}


@attrs.frozen(kw_only=True)
class SavedModelSignature:
    """The signature of a SavedModel of one input and one output."""

    input_shape: tuple[int | None, ...]
    input_dtype: str
    output_shape: tuple[int | None, ...] | None
    tensorflow_version: str


def is_saved_model(path: Path) -> bool:
    """Return whether a zip has the graph of a SavedModel at its top."""
    try:
        with zipfile.ZipFile(path) as archive:
            return GRAPH_FILE in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read_saved_model(path: Path) -> SavedModelSignature:
    """Read the signature of a zipped SavedModel.

    Raises:
        ValueError: The zip is broken or made to do harm, or there are not one input and one output.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: info for info, name in check_archive(archive, "the network")}
            if members[GRAPH_FILE].file_size > LARGEST_GRAPH:
                raise ValueError(f"the network has a graph of {members[GRAPH_FILE].file_size} bytes: expected at most {LARGEST_GRAPH}")
            content = archive.read(members[GRAPH_FILE])
    except (BioimageioError, ValueError) as error:
        raise ValueError(str(error)) from None
    except Exception as error:  # of zipfile and its decompressors
        raise ValueError(f"the network is a broken zip: {in_brief(error)}") from None
    try:
        return _signature(content)
    except ProtobufError as error:
        raise ValueError(f"the network has a {GRAPH_FILE} that cannot be read: {error}") from None


def zip_saved_model(folder: Path, target: Path) -> None:
    """Write a SavedModel into a zip, whose bytes depend on nothing else.

    Raises:
        ValueError: The folder holds none.

    """
    if not (folder / GRAPH_FILE).is_file():
        raise ValueError(f"{folder} holds no {GRAPH_FILE}: expected a SavedModel")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.writestr(zipfile.ZipInfo(file.relative_to(folder).as_posix()), file.read_bytes())


def _signature(content: bytes) -> SavedModelSignature:
    graphs = [*messages(content, META_GRAPH)]
    if not graphs:
        raise ValueError(f"the network has a {GRAPH_FILE} without a graph")
    version = text(_joined(graphs[0], META_INFO), VERSION)
    signatures = {text(entry, KEY): entry for entry in messages(graphs[0], SIGNATURE)}
    name = next((name for name in SIGNATURES if name in signatures), None)
    if name is None:
        known = ", ".join(sorted(signatures)) or "none"
        raise ValueError(f"the SavedModel has the signatures {known[:200]}: expected one of {', '.join(SIGNATURES)}")
    signature = _joined(signatures[name], VALUE)
    found = []
    for words, field in (("input", INPUTS), ("output", OUTPUTS)):
        tensors = [_joined(entry, VALUE) for entry in messages(signature, field)]
        if len(tensors) != 1:
            raise ValueError(f"the network has {len(tensors)} {words}s: expected one")
        found.append(_tensor(tensors[0]))
    (dtype, shape), (_, output_shape) = found
    if shape is None:
        raise ValueError("the number of axes of the SavedModel's input is unknown")
    return SavedModelSignature(input_shape=shape, input_dtype=dtype, output_shape=output_shape, tensorflow_version=version or "2.0")


def _tensor(message: bytes) -> tuple[str, tuple[int | None, ...] | None]:
    dtype = number(message, DTYPE)
    if dtype not in DTYPES:
        raise ValueError(f"the network has a tensor of TensorFlow's element type {dtype!r}, which is not a type of pixels")
    shapes = [*messages(message, SHAPE)]
    if not shapes or number(shapes[0], UNKNOWN_RANK):
        return DTYPES[dtype], None
    sizes = [number(dim, SIZE) for dim in messages(shapes[0], DIM)]
    return DTYPES[dtype], tuple(size if 0 < size < 2**31 else None for size in sizes)


def _joined(message: bytes, field: int) -> bytes:
    """Return a message that may be written in several parts, which count as one."""
    return b"".join(messages(message, field))
