"""Operations that TensorFlow.js melts into one, computed by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bioimageio_runtime_tensorflow.tensorflow_js import TensorflowJsAdapter
from made_tensorflow import context, save_shards

from bioimageio_core.errors import ModelRunError

FLOAT = {"type": "DT_FLOAT"}


def graph(folder: Path, op: str, steps: list[str], extra: dict[str, Any], **constants: Any) -> Path:
    """Write a graph-model of one melted operation on the input ``a`` and some constants; there is no signature in it."""
    arrays = {name: np.asarray(value, np.float32) for name, value in constants.items()}
    nodes: list[dict[str, Any]] = [{"name": "a", "op": "Placeholder", "attr": {"dtype": FLOAT}}]
    for name, array in arrays.items():
        shape = {"dim": [{"size": str(n)} for n in array.shape]}
        nodes.append(
            {"name": name, "op": "Const", "attr": {"dtype": FLOAT, "value": {"tensor": {"dtype": "DT_FLOAT", "tensorShape": shape}}}}
        )
    import base64

    names = [base64.b64encode(step.encode()).decode() for step in steps]
    settings = {"T": FLOAT, "fused_ops": {"list": {"s": names}}, "num_args": {"i": "1"}, "epsilon": {"f": 0.0}, **extra}
    nodes.append({"name": "b", "op": op, "input": ["a", *arrays], "attr": settings})
    manifest = [{"name": name, "shape": list(array.shape), "dtype": "float32"} for name, array in arrays.items()]
    tree = {"format": "graph-model", "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": 1000}}}
    return save_shards(folder, tree, manifest, b"".join(array.tobytes() for array in arrays.values()))


SAME = {"strides": {"list": {"i": ["1", "1", "1", "1"]}}, "padding": {"s": "U0FNRQ=="}, "data_format": {"s": "TkhXQw=="}}


class TestSeparateOps:
    """The same as their parts, one after the other."""

    @pytest.mark.parametrize(
        ("activation", "values"),
        [(["Relu"], [0, 1, 7]), (["LeakyRelu"], [-0.5, 1, 7]), (["Relu6"], [0, 1, 6]), ([], [-5, 1, 7])],
    )
    def test_matrix(self, tmp_path: Path, activation: list[str], values: list[float]) -> None:
        """2 a + 1, then an activation."""
        extra = {"leakyrelu_alpha": {"f": 0.1}}
        folder = graph(tmp_path / "w", "_FusedMatMul", ["BiasAdd", *activation], extra, matrix=[[2]], bias=[1])
        (found,) = TensorflowJsAdapter(context(folder))([np.array([[-3], [0], [3]], np.float32)])
        np.testing.assert_allclose(found[:, 0], values, rtol=1e-6)

    def test_prelu(self, tmp_path: Path) -> None:
        """Slopes that are parameters: 2 a + 1, a tenth of it where it is negative."""
        folder = graph(tmp_path / "w", "_FusedMatMul", ["BiasAdd", "Prelu"], {}, matrix=[[2]], bias=[1], slopes=[0.1])
        (found,) = TensorflowJsAdapter(context(folder))([np.array([[-3], [0], [3]], np.float32)])
        np.testing.assert_allclose(found[:, 0], [-0.5, 1, 7], rtol=1e-6)

    @pytest.mark.parametrize("op", ["_FusedConv2D", "FusedDepthwiseConv2dNative"])
    def test_convolutions(self, tmp_path: Path, op: str) -> None:
        """A mean of three pixels along x, minus 1, nothing below 0; TensorFlow itself lacks the second."""
        kernel = np.full((1, 3, 1, 1), 1 / 3)
        folder = graph(tmp_path / "w", op, ["BiasAdd", "Relu"], SAME, kernel=kernel, bias=[-1])
        (found,) = TensorflowJsAdapter(context(folder))([np.array([0, 3, 6, 0], np.float32).reshape(1, 1, 4, 1)])
        np.testing.assert_allclose(found.ravel(), [0, 2, 2, 1], rtol=1e-6)

    def test_unknown(self, tmp_path: Path) -> None:
        """What is not known is named."""
        folder = graph(tmp_path / "w", "_FusedMatMul", ["BiasAdd", "Dream"], {}, matrix=[[2]], bias=[1])
        with pytest.raises(ModelRunError, match="melts Dream into _FusedMatMul"):
            TensorflowJsAdapter(context(folder))
