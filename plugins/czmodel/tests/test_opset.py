"""Networks in other versions of the ONNX operators compute what they did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from bioimageio_runtime_czmodel.graphs.opset import to_opset
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
INT64 = np.int64


def model_of(nodes: Sequence[Any], opset: int, rank: int | None = 4, **constants: Any) -> Any:
    """Return a model from ``x`` to ``y``."""
    shape = None if rank is None else [f"n{n}" for n in range(rank)]
    graph = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=helper.find_min_ir_version_for(opsets))


def run(model: Any) -> Any:
    image = np.random.default_rng(0).normal(size=(2, 3, 8, 12)).astype(np.float32)
    options = ort.SessionOptions()
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


RESIZE = {"mode": "linear", "coordinate_transformation_mode": "align_corners"}

NETWORKS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "types only": ([node("Relu", ["x"], ["r"]), node("Add", ["r", "r"], ["y"])], {}),
    "convolution": ([node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])], {"w": np.ones((2, 3, 3, 3), np.float32)}),
    "reduction": ([node("ReduceMean", ["x", "a"], ["y"], keepdims=1)], {"a": np.array([2, 3], INT64)}),
    "reduction of all": ([node("ReduceMax", ["x"], ["y"], keepdims=0)], {}),
    "reduction of nothing": ([node("ReduceSum", ["x"], ["y"], noop_with_empty_axes=1)], {}),
    "sum": ([node("ReduceSum", ["x", "a"], ["y"], keepdims=0)], {"a": np.array([-1], INT64)}),
    "squeezed": (
        [node("Unsqueeze", ["x", "a"], ["u"]), node("Squeeze", ["u", "a"], ["s"]), node("Neg", ["s"], ["y"])],
        {"a": np.array([0, 2], INT64)},
    ),
    "split": ([node("Split", ["x", "s"], ["a", "b"], axis=1), node("Concat", ["b", "a"], ["y"], axis=1)], {"s": np.array([1, 2], INT64)}),
    "split evenly": ([node("Split", ["x"], ["a", "b"], axis=2, num_outputs=2), node("Sub", ["a", "b"], ["y"])], {}),
    "softmax of the last": ([node("Softmax", ["x"], ["y"])], {}),
    "softmax of channels": ([node("Softmax", ["x"], ["y"], axis=1)], {}),
    "log softmax of rows": ([node("LogSoftmax", ["x"], ["y"], axis=-2)], {}),
    "enlarged by scales": ([node("Resize", ["x", "", "s"], ["y"], **RESIZE)], {"s": np.array([1, 1, 2, 2], np.float32)}),
    "enlarged to sizes": ([node("Resize", ["x", "", "", "s"], ["y"], mode="nearest")], {"s": np.array([2, 3, 16, 20], INT64)}),
    "padded": ([node("Pad", ["x", "p", "", "a"], ["y"], mode="edge")], {"p": np.array([1, 2, 3, 4], INT64), "a": np.array([2, 3], INT64)}),
    "padded along all": ([node("Pad", ["x", "p"], ["y"], mode="reflect")], {"p": np.array([0, 0, 1, 2, 0, 0, 3, 4], INT64)}),
    "part of the shape": ([node("Shape", ["x"], ["s"], start=1, end=3), node("Cast", ["s"], ["y"], to=1)], {}),
    "normalised": (
        [node("BatchNormalization", ["x", "s", "b", "m", "v"], ["y"])],
        {k: np.array([0.5, 1, 2], np.float32) for k in "sbmv"},
    ),
    "pooled": ([node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2], dilations=[1, 1])], {}),
    "constants as nodes": (
        [node("Constant", [], ["a"], value=numpy_helper.from_array(np.array([1], INT64))), node("ReduceMin", ["x", "a"], ["y"])],
        {},
    ),
    "activations": ([node("Gelu", ["x"], ["g"]), node("HardSwish", ["g"], ["h"]), node("Mish", ["h"], ["y"])], {}),
    "normalised over rows": (
        [node("LayerNormalization", ["x", "s", "b"], ["y"], axis=-1)],
        {"s": np.linspace(1, 2, 12, dtype=np.float32), "b": np.ones(12, np.float32)},
    ),
    "within a branch": (
        [
            node("ReduceSum", ["x"], ["sum"], keepdims=0),
            node("Greater", ["sum", "zero"], ["c"]),
            node(
                "If",
                ["c"],
                ["y"],
                **{
                    f"{branch}_branch": helper.make_graph(
                        [
                            node("ReduceMean", ["x", "axis"], [branch], keepdims=1),
                            *([node("Neg", [branch], ["n"])] if branch == "else" else []),
                        ],
                        branch,
                        [],
                        [helper.make_tensor_value_info("n" if branch == "else" else branch, TensorProto.FLOAT, ["a", 1, "b", "c"])],
                        [numpy_helper.from_array(np.array([1], INT64), "axis")],
                    )
                    for branch in ("then", "else")
                },
            ),
        ],
        {"zero": np.float32(0)},
    ),
}


class TestLower:
    """From the newest operators to old ones."""

    @pytest.mark.parametrize("opset", [12, 18])
    @pytest.mark.parametrize("name", NETWORKS)
    def test_same(self, name: str, opset: int) -> None:
        """The same numbers from a graph that is valid in the old version."""
        nodes, constants = NETWORKS[name]
        model = model_of(nodes, 20, **constants)
        before = model.SerializeToString()
        lowered = to_opset(model, opset)
        for size in run(model).shape:  # which the checker wants to be there
            lowered.graph.output[0].type.tensor_type.shape.dim.add().dim_value = size
        lowered.graph.output[0].type.tensor_type.shape.SetInParent()
        onnx.checker.check_model(lowered)
        assert [(entry.domain, entry.version) for entry in lowered.opset_import] == [("", opset)]
        np.testing.assert_allclose(run(lowered), run(model), atol=1e-6)
        assert model.SerializeToString() == before

    @pytest.mark.parametrize(
        ("nodes", "words"),
        [
            ([node("GridSample", ["x", "x"], ["y"])], "it has no operator GridSample"),
            ([node("Trilu", ["x"], ["t"]), node("DFT", ["t"], ["y"])], "it has no operator DFT; it has no operator Trilu"),
            ([node("Resize", ["x", "", "x"], ["y"], antialias=1)], "Resize has no attribute antialias in it"),
            ([node("ReduceMean", ["x", "x"], ["y"])], "ReduceMean cannot be expressed in it with computed arguments"),
            ([node("AveragePool", ["x"], ["y"], kernel_shape=[2, 2], dilations=[2, 2])], "AveragePool has no attribute dilations in it"),
        ],
    )
    def test_cannot(self, nodes: list[Any], words: str) -> None:
        """What the old version cannot say, all of it."""
        with pytest.raises(ValueError, match=f"the network is of ONNX opset 20 and cannot be brought to 12: {words}$"):
            to_opset(model_of(nodes, 20), 12)

    def test_unknown_rank(self) -> None:
        """A softmax over other axes than the last needs to know which that is."""
        with pytest.raises(ValueError, match="Softmax cannot be expressed in it"):
            to_opset(model_of([node("Softmax", ["x"], ["y"], axis=1)], 20, rank=None), 12)


class TestRaise:
    """From old operators to newer ones, and from others."""

    @pytest.mark.parametrize("opset", [12, 18])
    def test_same(self, opset: int) -> None:
        """By the converter of ONNX."""
        model = model_of([node("ReduceMean", ["x"], ["m"], axes=[1]), node("Relu", ["m"], ["y"])], 9)
        raised = to_opset(model, opset)
        assert [entry.version for entry in raised.opset_import] == [opset]
        np.testing.assert_allclose(run(raised), run(model), atol=1e-6)

    def test_nothing_to_do(self) -> None:
        """The same model."""
        model = model_of([node("Relu", ["x"], ["y"])], 12)
        assert to_opset(model, 12) is model

    def test_strange_operators(self) -> None:
        """Operators of others are listed."""
        nodes = [node("FusedConv", ["x"], ["a"], domain="com.microsoft"), node("Magic", ["a"], ["y"], domain="mine")]
        with pytest.raises(ValueError, match=r"not those of ONNX: com\.microsoft\.FusedConv, mine\.Magic"):
            to_opset(model_of(nodes, 20), 12)

    def test_functions(self) -> None:
        """Functions of the model's own are written out."""
        model = model_of([node("Twice", ["x"], ["y"], domain="mine")], 18)
        body = [node("Add", ["a", "a"], ["b"])]
        model.functions.append(helper.make_function("mine", "Twice", ["a"], ["b"], body, [helper.make_opsetid("", 18)]))
        model.opset_import.append(helper.make_opsetid("mine", 1))
        lowered = to_opset(model, 12)
        assert [n.op_type for n in lowered.graph.node] == ["Add"]
        np.testing.assert_allclose(run(lowered), run(model))
