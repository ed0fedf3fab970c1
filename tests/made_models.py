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


Shape = int | tuple[int | str, ...]


def save_graph(
    path: Path, nodes: Sequence[onnx.NodeProto], inputs: dict[str, Shape], outputs: dict[str, Shape], **constants: np.ndarray
) -> None:
    """Write a graph of float32; inputs and outputs are given with their ranks, for any size, or with a shape that is insisted on."""

    def info(name: str, shape: Shape) -> onnx.ValueInfoProto:
        dims = [f"{name}{n}" for n in range(shape)] if isinstance(shape, int) else list(shape)
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)

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


def null_model(
    folder: Path,
    axes: str = "zyx",
    *,
    halo: int = 4,
    step: int = 8,
    pre: Sequence[dict[str, Any]] = (),
    post: Sequence[dict[str, Any]] = (),
) -> Path:
    """What it takes, it gives back, and wants a halo for it; sizes are ``2 * halo + step`` and more, by steps."""
    folder.mkdir(parents=True, exist_ok=True)
    identity_graph(folder / "weights.onnx", rank=len(axes) + 2)
    size = {"min": 2 * halo + step, "step": step}
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), *(space(a, size) for a in axes), preprocessing=list(pre))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), halo=halo) for a in axes), postprocessing=list(post))],
    )


def pointwise_model(
    folder: Path,
    *,
    axes: Sequence[str] = ("y", "x"),
    size: Any = None,
    names: Sequence[str] = ("intensity",),
    pre: Sequence[dict[str, Any]] = (),
    post: Sequence[dict[str, Any]] = (),
    dtype: str = "float32",
    out_dtype: str = "float32",
    gain: float | Sequence[float] = 1.0,
    offset: float = 0.0,
    **more: Any,
) -> Path:
    """``raw * gain + offset`` along batch, channel and the given spatial axes, of any size unless said otherwise."""
    size = {"min": 1, "step": 1} if size is None else size
    rank = len(axes) + 2
    factors = np.asarray(gain, np.float32).reshape((1, -1) + (1,) * len(axes))
    nodes = [helper.make_node("Mul", ["raw", "gain"], ["product"]), helper.make_node("Add", ["product", "offset"], ["out"])]
    save_graph(folder / "weights.onnx", nodes, {"raw": rank}, {"out": rank}, gain=factors, offset=np.float32(offset).reshape(1))
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(*names), *(space(a, size) for a in axes), dtype=dtype, preprocessing=list(pre))],
        [tensor("out", BATCH, channels(*names), *(space(a, follows(a)) for a in axes), dtype=out_dtype, postprocessing=list(post))],
        **more,
    )


def pointwise_model_0_4(
    folder: Path,
    *,
    shape: Any = None,
    pre: Sequence[dict[str, Any]] = (),
    post: Sequence[dict[str, Any]] = (),
    dtype: str = "float32",
    out_dtype: str = "float32",
    gain: float = 1.0,
    offset: float = 0.0,
) -> Path:
    """The same in format 0.4, along ``bcyx``."""
    shape = {"min": [1, 1, 1, 1], "step": [0, 0, 1, 1]} if shape is None else shape
    nodes = [helper.make_node("Mul", ["raw", "gain"], ["product"]), helper.make_node("Add", ["product", "offset"], ["out"])]
    one = {"gain": np.float32(gain).reshape(1), "offset": np.float32(offset).reshape(1)}
    save_graph(folder / "weights.onnx", nodes, {"raw": 4}, {"out": 4}, **one)
    out_shape = {"reference_tensor": "raw", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    return save_description_0_4(
        folder,
        [{"name": "raw", "axes": "bcyx", "data_type": dtype, "shape": shape, "preprocessing": list(pre)}],
        [{"name": "out", "axes": "bcyx", "data_type": out_dtype, "shape": out_shape, "postprocessing": list(post)}],
    )


def with_test_tensors(folder: Path, inputs: dict[str, np.ndarray], outputs: dict[str, np.ndarray]) -> Path:
    """Write the test tensors of a description of format 0.5, and name them in it."""
    path = folder / "bioimageio.yaml"
    tree = yaml.safe_load(path.read_text())
    for described, arrays in ((tree["inputs"], inputs), (tree["outputs"], outputs)):
        for one in described:
            if one["id"] in arrays:
                np.save(folder / f"{one['id']}.npy", arrays[one["id"]])
                one["test_tensor"] = {"source": f"{one['id']}.npy"}
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return folder


def half_micrometer_model(folder: Path) -> Path:
    """The image itself along y and x, of at least 8 pixels of 0.5 micrometers."""
    identity_graph(folder / "weights.onnx")
    scaled = {"scale": 0.5, "unit": "micrometer"}
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), *(space(a, {"min": 8, "step": 1}, **scaled) for a in "yx"))],
        [tensor("out", BATCH, channels(), *(space(a, follows(a), **scaled) for a in "yx"))],
    )


def waiting_model(folder: Path) -> Path:
    """Two outputs: one in blocks, one whose postprocessing waits for all of it; the input is normalised by its statistics."""
    normalise = [{"id": "zero_mean_unit_variance", "kwargs": {"axes": ["y", "x"]}}]
    kernel = np.full((1, 1, 3, 3), 1 / 9, np.float32)
    nodes = [
        helper.make_node("Conv", ["raw", "kernel"], ["smooth"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["smooth", "smooth"], ["energy"]),
    ]
    save_graph(folder / "weights.onnx", nodes, {"raw": 4}, {"smooth": 4, "energy": 4}, kernel=kernel)
    out = [space(a, follows(a), halo=4) for a in "yx"]
    return save_description_0_5(
        folder,
        [tensor("raw", BATCH, channels(), *(space(a, {"min": 16, "step": 4}) for a in "yx"), preprocessing=normalise)],
        [tensor("smooth", BATCH, channels(), *out), tensor("energy", BATCH, channels(), *out, postprocessing=normalise)],
    )
