"""The op ``subtract_median``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from bioimageio_runtime_median import SubtractMedianKwargs, SubtractMedianKwargsV04, bioimageio_processing_ops, median

import bioimageio_core as bc
from bioimageio_core.errors import DescriptionError
from bioimageio_core.registry import Needs
from bioimageio_core.testing import ProcessingOpConformance

(ENTRY,) = bioimageio_processing_ops()
AXES = ("batch", "channel", "y", "x")
PIXELS = np.array([[0, 1, 2], [10, 20, 90]], np.float32)
"""Median 6 of all; 1 and 20 of the rows."""


class TestContract(ProcessingOpConformance):
    """What every op keeps."""

    entry = ENTRY
    kwargs = ({}, {"axes": ["y"]}, {"axes": ["batch", "channel", "y", "x"]}, {"axes": ["channel", "x"]})


class TestContractV04(ProcessingOpConformance):
    """The same, as descriptions of format 0.4 name it."""

    entry = ENTRY
    format_version = "0.4"
    kwargs = ({}, {"axes": "yx"}, {"axes": "cyx"})


class TestAxes:
    """Which axes the median is taken over."""

    @pytest.mark.parametrize(
        ("kwargs", "expected"),
        [
            (SubtractMedianKwargs(), ("y", "x")),
            (SubtractMedianKwargs(axes=("x", "channel")), ("channel", "x")),
            (SubtractMedianKwargs(axes=("batch", "y")), ("batch", "y")),
            (SubtractMedianKwargsV04(), ("y", "x")),
            (SubtractMedianKwargsV04(axes="xc"), ("channel", "x")),
        ],
    )
    def test_over(self, kwargs: Any, expected: tuple[str, ...]) -> None:
        """In the order of the tensor; without batch and channel unless they are named."""
        assert median(kwargs, AXES).axes == expected

    @pytest.mark.parametrize(
        ("kwargs", "axes", "found"),
        [(SubtractMedianKwargs(axes=("z",)), AXES, "found 'z'"), (SubtractMedianKwargs(), ("batch", "channel"), "found none")],
    )
    def test_not_there(self, kwargs: Any, axes: tuple[str, ...], found: str) -> None:
        """Axes that the tensor lacks are an error, not a statistic over others."""
        with pytest.raises(DescriptionError, match=found):
            median(kwargs, axes)

    def test_needs_nothing_but_the_median(self) -> None:
        """Blocks are processed on their own."""
        kwargs = SubtractMedianKwargs()
        assert ENTRY.requirements(kwargs, AXES) == Needs(measures=(median(kwargs, AXES),), dtype="float32")


class TestPrediction:
    """Numbers that were computed by hand, from a network that returns its input."""

    def test_before_the_network(self, tmp_path: Path) -> None:
        """The median of six pixels lies between the third and the fourth."""
        found = bc.predict(identity_model(tmp_path, pre=[{"id": "subtract_median"}]), PIXELS, axes="yx")
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], [[-6, -5, -4], [4, 14, 84]])
        assert list(found.statistics) == ["raw: 2. subtract_median: percentile 50 over y, x"]

    def test_after_the_network(self, tmp_path: Path) -> None:
        """Here of each row on its own."""
        model = identity_model(tmp_path, post=[{"id": "subtract_median", "kwargs": {"axes": ["x"]}}])
        found = bc.predict(model, PIXELS, axes="yx")
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], [[-1, 0, 1], [-10, 0, 70]])

    def test_channels_on_their_own(self, tmp_path: Path) -> None:
        """Each channel has its own median, unless the channel axis is among the axes."""
        both = np.stack([PIXELS, PIXELS + 100])
        for kwargs, expected in (({}, [6, 106]), ({"axes": ["channel", "y", "x"]}, [95, 95])):
            model = identity_model(tmp_path, pre=[{"id": "subtract_median", "kwargs": kwargs}], channels=2)
            found = np.asarray(bc.predict(model, both, axes="cyx")["out"])[0]
            np.testing.assert_array_equal(found, both - np.reshape(expected, (2, 1, 1)))

    def test_format_0_4(self, tmp_path: Path) -> None:
        """Known by ``name`` there."""
        model = identity_model_0_4(tmp_path, [{"name": "subtract_median", "kwargs": {"axes": "yx"}}])
        found = bc.predict(model, PIXELS, axes="yx")
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], [[-6, -5, -4], [4, 14, 84]])

    def test_large_integers(self, tmp_path: Path) -> None:
        """Differences are exact where float32 holds no such numbers."""
        pixels = np.array([[2**24 + 1, 2**24 + 2, 2**24 + 4]], np.float64)
        model = identity_model(tmp_path, pre=[{"id": "subtract_median"}], dtype="float64")
        found = bc.predict(model, pixels, axes="yx")
        np.testing.assert_array_equal(np.asarray(found["out"])[0, 0], [[-1, 0, 2]])

    def test_wrong_arguments(self, tmp_path: Path) -> None:
        """Are told with their place, as a warning: whether a description is valid does not depend on what is installed."""
        model = identity_model(tmp_path, pre=[{"id": "subtract_median", "kwargs": {"axes": []}}])
        (issue,) = [issue for issue in bc.validate(model).issues if issue.loc[:1] == ("inputs",) and "kwargs" in issue.loc]
        assert issue.severity == "warning"
        assert issue.loc == ("inputs", 0, "preprocessing", 0, "kwargs", "axes")


def save_identity(path: Path) -> None:
    """Write a network that returns its input."""
    info = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["b", "c", "y", "x"]) for name in ("raw", "out")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["raw"], ["out"])], "identity", info[:1], info[1:])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), str(path))


COMMON = {
    "type": "model",
    "name": "identity",
    "description": "returns its input",
    "cite": [{"text": "nothing", "url": "https://example.com/"}],
    "license": "MIT",
    "documentation": "README.md",
    "tags": [],
    "timestamp": "2024-01-01T00:00:00+00:00",
    "authors": [{"name": "An author"}],
    "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
}


def identity_model(folder: Path, *, pre: Any = (), post: Any = (), channels: int = 1, dtype: str = "float32") -> Path:
    """Write a model of format 0.5 whose network returns its input."""
    save_identity(folder / "weights.onnx")
    first = [{"type": "batch"}, {"type": "channel", "channel_names": [f"c{n}" for n in range(channels)]}]
    raw = {"id": "raw", "axes": [*first, *({"type": "space", "id": a, "size": {"min": 1, "step": 1}} for a in "yx")]}
    out = {"id": "out", "axes": [*first, *({"type": "space", "id": a, "size": {"tensor_id": "raw", "axis_id": a}} for a in "yx")]}
    cast = [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}] if dtype != "float32" else []
    raw |= {"data": {"type": dtype}, "preprocessing": [*pre, *cast]}
    out |= {"data": {"type": "float32"}, "postprocessing": list(post)}
    tree = {**COMMON, "format_version": "0.5.4", "inputs": [raw], "outputs": [out]}
    (folder / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return folder


def identity_model_0_4(folder: Path, pre: Any) -> Path:
    """Write a model of format 0.4 whose network returns its input."""
    save_identity(folder / "weights.onnx")
    raw = {
        "name": "raw",
        "axes": "bcyx",
        "data_type": "float32",
        "shape": {"min": [1, 1, 1, 1], "step": [0, 0, 1, 1]},
        "preprocessing": pre,
    }
    shape = {"reference_tensor": "raw", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    out = {"name": "out", "axes": "bcyx", "data_type": "float32", "shape": shape}
    tree = {
        **COMMON,
        "format_version": "0.4.10",
        "inputs": [raw],
        "outputs": [out],
        "test_inputs": ["raw.npy"],
        "test_outputs": ["out.npy"],
    }
    (folder / "rdf.yaml").write_text(yaml.safe_dump(tree))
    return folder
