"""Files of ZEN made on the spot, and bare networks."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

__all__ = [
    "CZANN",
    "XML",
    "bare",
    "metadata_of",
    "network_bytes",
    "network_of",
    "spec_101",
    "specification",
    "write_czann",
    "write_czmodel",
    "write_zip",
]

CZANN: Mapping[str, Any] = {
    "Id": "5f0c6f0e-5d2b-4a53-9d55-0b9a3b1a7f10",
    "Type": "SingleClassSemanticSegmentation",
    "InputShape": [16, 24, 3],
    "OutputShape": [16, 24, 2],
    "MinOverlap": [4, 4],
    "Classes": ["Background", "Interesting Object"],
    "ModelName": "made",
    "Scaling": [1e-07, 2.5e-07],
}

XML = """<?xml version='1.0' encoding='utf-8'?>
<Model Version="3.1.0"><Id>abc</Id><ModelName>Made network</ModelName><Status>Trained</Status>\
<FeatureExtractor>DeepNeuralNetwork</FeatureExtractor><Postprocessing /><ColorHandling>SplitRgb</ColorHandling>\
<Channels><Item PixelType="Bgr24" /></Channels><TrainingClasses>\
<Item colB="0" colG="0" colR="255" LabelValue="1" Name="a" /><Item colB="7" colG="255" colR="0" LabelValue="5" Name="b" />\
</TrainingClasses><BorderSize>2</BorderSize></Model>"""


def network_bytes(height: Any = 16, width: Any = 24, channels: int = 3, *, outputs: int = 1, opset: int = 12) -> bytes:
    """A network of two classes: how much of the sum of the channels, weighted by 1, 2, 3, is in a neighbourhood of 3 x 3 pixels."""
    kernel = np.stack([np.full((channels, 3, 3), sign) for sign in (-1e-4, 1e-4)]) * np.arange(1, channels + 1).reshape(1, -1, 1, 1)
    nodes = [
        helper.make_node("Transpose", ["image"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "kernel"], ["scores"], pads=[1, 1, 1, 1]),
        helper.make_node("Transpose", ["scores"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Softmax", ["last"], ["out0"], axis=-1),
        *(helper.make_node("Identity", ["out0"], [f"out{n}"]) for n in range(1, outputs)),
    ]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", height, width, channels])],
        [helper.make_tensor_value_info(f"out{n}", TensorProto.FLOAT, ["n", height, width, 2]) for n in range(outputs)],
        [numpy_helper.from_array(kernel.astype(np.float32), "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    return bytes(model.SerializeToString())


def write_zip(path: Path, members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_czann(path: Path, *, network: bytes | None = None, license_text: bytes | None = None, **changes: Any) -> Path:
    """Write a ``.czann`` file; a change to None leaves a key out."""
    tree = {key: value for key, value in {**CZANN, **changes}.items() if value is not None}
    members = {"model.json": json.dumps(tree).encode(), "model.model": network_bytes() if network is None else network}
    return write_zip(path, {**members, **({} if license_text is None else {"LICENSE.txt": license_text})})


def write_czmodel(path: Path, xml: str = XML, *, network: bytes | None = None) -> Path:
    """Write a ``.czmodel`` file."""
    return write_zip(path, {"abc.xml": xml.encode(), "abc.model": network_bytes() if network is None else network, "modelid=abc": b""})


def specification(folder: Path, **changes: Any) -> Path:
    """Write a specification beside a network; a change to None leaves a key out."""
    (folder / "network.onnx").write_bytes(network_bytes())
    tree = {
        "BorderSize": 2,
        "ColorHandling": "SplitRgb",
        "PixelType": "Bgr24",
        "Classes": ["Background", "Nucleus"],
        "ModelPath": "network.onnx",
        **changes,
    }
    path = folder / "spec.json"
    path.write_text(json.dumps({key: value for key, value in tree.items() if value is not None}))
    return path


def spec_101(fixtures: Path, folder: Path) -> Path:
    """Return the specification of the shared files, with what it names beside it."""
    folder.mkdir(exist_ok=True)
    (folder / "out").mkdir()
    (folder / "out" / "LICENSE.txt").write_text("test licence\n")
    with zipfile.ZipFile(io.BytesIO(network_of(fixtures / "savedmodel_101.czmodel"))) as archive:
        archive.extractall(folder / "out" / "tiny_savedmodel_tf215")
    return Path(shutil.copy(fixtures / "spec_101.json", folder / "spec_101.json"))


def network_of(path: Path) -> bytes:
    """Return the network in a file."""
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".model")]
        return archive.read(name)


def metadata_of(path: Path) -> dict[str, Any]:
    """Return what ``model.json`` says."""
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read("model.json"))
    return found


def bare(network: bytes, image: NDArray[Any], opset: int | None = None) -> NDArray[Any]:
    """Run a network of one input and one output with nothing but ONNX Runtime."""
    if opset is not None:
        model = onnx.load_model_from_string(network)
        onnx.checker.check_model(model)
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    (entry,), (_,) = session.get_inputs(), session.get_outputs()
    assert entry.type == "tensor(float)"
    found: Sequence[Any] = session.run(None, {entry.name: image.astype(np.float32)})
    return np.asarray(found[0])
