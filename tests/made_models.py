"""Small models made on the spot: ONNX graphs of a few nodes, with descriptions of format 0.4 or 0.5."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

PERSON = {"name": "A Tester", "github_user": "tester"}


def save_graph(
    path: Path, nodes: Sequence[onnx.NodeProto], inputs: dict[str, int], outputs: dict[str, int], **constants: np.ndarray
) -> None:
    """Write a graph; inputs and outputs are given with their ranks, all of float32 and any size."""

    def info(name: str, rank: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [f"{name}{n}" for n in range(rank)])

    graph = helper.make_graph(
        list(nodes),
        "made",
        [info(n, r) for n, r in inputs.items()],
        [info(n, r) for n, r in outputs.items()],
        [numpy_helper.from_array(v, k) for k, v in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))


def space(axis: str, size: Any, **more: Any) -> dict[str, Any]:
    """Return a spatial axis of format 0.5."""
    return {"type": "space", "id": axis, "size": size, **more}


def follows(axis: str, *, tensor: str = "raw", offset: int = 0) -> dict[str, Any]:
    """Return a size reference."""
    return {"tensor_id": tensor, "axis_id": axis, "offset": offset}


BATCH = {"type": "batch"}


def channels(*names: str) -> dict[str, Any]:
    """Return a channel axis of format 0.5."""
    return {"type": "channel", "channel_names": list(names) or ["intensity"]}


def tensor(tensor_id: str, *axes: dict[str, Any], dtype: str = "float32", **more: Any) -> dict[str, Any]:
    """Return a tensor of format 0.5."""
    return {"id": tensor_id, "axes": list(axes), "data": {"type": dtype}, **more}


def save_description_0_5(folder: Path, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]], **more: Any) -> Path:
    """Write a description beside ``weights.onnx``, and return the folder."""
    tree = {
        "type": "model",
        "format_version": "0.5.4",
        "name": "made model",
        "description": "made for a test",
        "authors": [PERSON],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "README.md",
        "tags": ["test"],
        "timestamp": "2024-01-01T00:00:00+00:00",
        "inputs": inputs,
        "outputs": outputs,
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
        **more,
    }
    (folder / "README.md").write_text("# Validation\nnone\n")
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder


def save_description_0_4(folder: Path, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]], **more: Any) -> Path:
    """Write a description of format 0.4 beside ``weights.onnx``, and return the folder."""
    tree = {
        "type": "model",
        "format_version": "0.4.10",
        "name": "made model",
        "description": "made for a test",
        "authors": [{"name": "A Tester"}],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "README.md",
        "tags": ["test"],
        "timestamp": "2024-01-01T00:00:00+00:00",
        "inputs": inputs,
        "outputs": outputs,
        "test_inputs": [f"{t['name']}.npy" for t in inputs],
        "test_outputs": [f"{t['name']}.npy" for t in outputs],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
        **more,
    }
    (folder / "README.md").write_text("# Validation\nnone\n")
    (folder / "rdf.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder


def box_graph(path: Path, *, size: int = 3, dims: int = 2, padded: bool = True) -> None:
    """A mean filter of ``size`` pixels along each spatial axis; zero padded, or valid."""
    kernel = np.full((1, 1) + (size,) * dims, 1 / size**dims, np.float32)
    pad = size // 2 if padded else 0
    node = helper.make_node("Conv", ["raw", "kernel"], ["out"], pads=[pad] * (2 * dims))
    save_graph(path, [node], {"raw": dims + 2}, {"out": dims + 2}, kernel=kernel)


def pool_graph(path: Path, *, size: int = 8) -> None:
    """Mean of cells of ``size`` x ``size`` pixels, drawn over each cell: shift-variant, and nothing else."""
    nodes = [
        helper.make_node("AveragePool", ["raw"], ["small"], kernel_shape=[size, size], strides=[size, size]),
        helper.make_node(
            "Resize", ["small", "", "scales"], ["out"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        ),
    ]
    save_graph(path, nodes, {"raw": 4}, {"out": 4}, scales=np.array([1, 1, size, size], np.float32))


def resample_graph(path: Path, *, up: int = 1, down: int = 1) -> None:
    """Mean over ``down`` pixels, or nearest-neighbour enlargement ``up`` times."""
    nodes = [helper.make_node("AveragePool", ["raw"], ["small"], kernel_shape=[down, down], strides=[down, down])]
    nodes.append(
        helper.make_node(
            "Resize", ["small", "", "scales"], ["out"], mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"
        )
    )
    save_graph(path, nodes, {"raw": 4}, {"out": 4}, scales=np.array([1, 1, up, up], np.float32))


def identity_graph(path: Path, *, rank: int = 4) -> None:
    """The input as it is."""
    save_graph(path, [helper.make_node("Identity", ["raw"], ["out"])], {"raw": rank}, {"out": rank})


def box_model(folder: Path, size: Any, *, halo: int = 1, filter_size: int = 3, **more: Any) -> Path:
    """A mean filter with sizes of the given kind along y and x; ``more`` goes to the input tensor."""
    box_graph(folder / "weights.onnx", size=filter_size)
    out = [space(a, follows(a), **({"halo": halo} if halo else {})) for a in ("y", "x")]
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), space("y", size), space("x", size), **more)],
        [tensor("out", BATCH, channels(), *out)],
    )
