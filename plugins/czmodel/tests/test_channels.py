"""Axes, colors and classes: what ZEN gives, and what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from comparing import assert_same, exported, integers, lost, predicted
from made_files import bare, metadata_of, network_of
from made_models import BATCH, box_model, channels, follows, pointwise_model, save_description_0_5, save_graph, space, tensor
from onnx import helper

from bioimageio_core.errors import InputError

BOUNDED = {"post": [{"id": "sigmoid"}]}


class TestAxes:
    """Axes in any order, in the plane and in space."""

    @pytest.mark.parametrize(
        ("order", "wanted"),
        [("byxc", "yxc"), ("bcxy", "yxc"), ("cyx", "yxc"), ("yx", "yxc"), ("bczyx", "zyxc"), ("bzyxc", "zyxc"), ("xczyb", "zyxc")],
    )
    def test_orders(self, tmp_path: Path, order: str, wanted: str) -> None:
        """Whatever the network takes, the file takes batch, axes in space, channel."""
        names = ("a", "b") if "c" in order else ("a",)
        made = {"b": BATCH, "c": channels(*names), **{a: space(a, {"min": 2, "step": 2}) for a in "zyx"}}
        out = {**made, **{a: space(a, follows(a)) for a in "zyx"}}
        power = helper.make_node("Pow", ["raw", "two"], ["out"])
        save_graph(tmp_path / "weights.onnx", [power], {"raw": len(order)}, {"out": len(order)}, two=np.float32(2).reshape(1))
        pre = [{"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [2.0, 3.0]}}] if len(names) == 2 else []
        model = save_description_0_5(
            tmp_path, [tensor("raw", *(made[a] for a in order), preprocessing=pre)], [tensor("out", *(out[a] for a in order))]
        )
        sizes = {"z": 4, "y": 6, "x": 8}
        path = exported(model, tmp_path / "m.czann", type="Regression", spatial_dims=[sizes[a] for a in wanted[:-1]])
        shape = [*(sizes[a] for a in wanted[:-1]), len(names)]
        assert (metadata_of(path)["InputShape"], metadata_of(path)["OutputShape"]) == (shape, shape)
        image = np.random.default_rng(5).random((1, *shape)).astype(np.float32)
        found = bare(network_of(path), image)
        without = "c" not in order  # then the image has no channel axis, either
        expected = predicted(model, image[..., 0] if without else image, axes=f"b{wanted[: -1 if without else None]}")
        np.testing.assert_allclose(found, expected, atol=1e-5)

    def test_other_id(self, tmp_path: Path) -> None:
        """The axis of the channels may have another id, by which ops name it."""
        made = {"type": "channel", "id": "stain", "channel_names": ["a", "b"]}
        softmax = {"id": "softmax", "kwargs": {"axis": "stain"}}
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 4}, {"out": 4})
        axes = [BATCH, made, space("y", 8), space("x", 8)]
        model = save_description_0_5(tmp_path, [tensor("raw", *axes)], [tensor("out", *axes, postprocessing=[softmax])])
        path = exported(model, tmp_path / "m.czann")
        assert metadata_of(path)["Classes"] == ["a", "b"]
        image = np.random.default_rng(7).random((1, 8, 8, 2))
        np.testing.assert_allclose(bare(network_of(path), image), np.exp(image) / np.exp(image).sum(-1, keepdims=True), atol=1e-6)

    def test_other_axes(self, tmp_path: Path) -> None:
        """Time is not an axis of ZEN."""
        time = {"type": "time", "size": {"min": 1, "step": 1}}
        follow = {"type": "time", "size": {"tensor_id": "raw", "axis_id": "time"}}
        made = [BATCH, channels(), space("y", 8), space("x", 8)]
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": 5}, {"out": 5})
        model = save_description_0_5(tmp_path, [tensor("raw", *made, time)], [tensor("out", *made, follow)])
        with pytest.raises(InputError, match=r"the axis 'time' of 'raw' is not an axis of ZEN.*; the axis 'time' of 'out'"):
            exported(model, tmp_path / "m.czann")

    def test_legacy_in_space(self, tmp_path: Path) -> None:
        """A czmodel file has two axes in space."""
        model = pointwise_model(tmp_path, axes=("z", "y", "x"), **BOUNDED)
        with pytest.raises(InputError, match="three axes in space: expected two in a czmodel file"):
            exported(model, tmp_path / "m.czmodel")

    @pytest.mark.parametrize(
        ("size", "dims", "expected"),
        [
            ({"min": 64, "step": 16}, None, [512, 512]),
            ({"min": 600, "step": 100}, None, [600, 600]),
            ({"min": 5, "step": 7}, None, [509, 509]),
            (48, None, [48, 48]),
            ({"min": 64, "step": 16}, [64, 96], [64, 96]),
        ],
    )
    def test_sizes(self, tmp_path: Path, size: Any, dims: Any, expected: list[int]) -> None:
        """The size of a block: as described, the largest that is not unusually large, or what is asked for."""
        path = exported(box_model(tmp_path, size), tmp_path / "m.czann", type="Regression", spatial_dims=dims)
        assert metadata_of(path)["InputShape"] == [*expected, 1]
        assert metadata_of(path)["MinOverlap"] == [2, 2]

    @pytest.mark.parametrize("dims", [[65, 64], [64], [64, 64, 64], [0, 64], "large"])
    def test_impossible_sizes(self, tmp_path: Path, dims: Any) -> None:
        """Sizes that the network does not take."""
        with pytest.raises(InputError, match="spatial_dims"):
            exported(box_model(tmp_path, {"min": 64, "step": 16}), tmp_path / "m.czann", type="Regression", spatial_dims=dims)

    def test_border(self, tmp_path: Path) -> None:
        """Another border than the halo."""
        path = exported(box_model(tmp_path, 64), tmp_path / "m.czann", type="Regression", border=7)
        assert metadata_of(path)["MinOverlap"] == [14, 14]

    def test_insisting_graph(self, tmp_path: Path) -> None:
        """A graph that takes another size than is described is told before it runs."""
        model = box_model(tmp_path, {"min": 64, "step": 16})
        save_graph(tmp_path / "weights.onnx", [helper.make_node("Identity", ["raw"], ["out"])], {"raw": ("b", 1, 64, 64)}, {"out": 4})
        with pytest.raises(InputError, match=r"takes an input of the shape \[0, 1, 64, 64\] and no other: expected it to take \[1, 1, 512"):
            exported(model, tmp_path / "m.czann", type="Regression")


class TestColor:
    """ZEN gives blue, green, red."""

    @pytest.mark.parametrize(
        ("names", "option", "flipped"),
        [
            (("red", "green", "blue"), None, True),
            (("R", "G", "B"), None, True),
            (("blue", "green", "red"), None, False),
            (("a", "b", "c"), None, False),
            (("a", "b", "c"), True, True),
            (("red", "green", "blue"), False, False),
            (("red", "green", "blue", "alpha"), None, True),
        ],
    )
    def test_order(self, tmp_path: Path, names: tuple[str, ...], option: bool | None, flipped: bool) -> None:
        """A network of red, green, blue gets its channels in that order; names or an option say it."""
        gain = [1.0, 10.0, 100.0, 1000.0][: len(names)]
        model = pointwise_model(tmp_path, names=names, gain=gain, pre=[{"id": "scale_linear", "kwargs": {"gain": 2.0}}])
        said = lost(model, tmp_path / "m.czann", type="Regression", spatial_dims=[8, 8], rgb_to_bgr=option)
        image = integers((1, 8, 8, len(names)))
        as_network = image[..., [2, 1, 0, 3][: len(names)]] if flipped else image
        found = bare(network_of(tmp_path / "m.czann"), image)
        np.testing.assert_allclose(found, predicted(model, as_network), rtol=1e-6)
        assert ("rgb_to_bgr=true" in said) == (names == ("a", "b", "c") and option is None)

    def test_no_color(self, tmp_path: Path) -> None:
        """Two channels are none."""
        with pytest.raises(InputError, match="rgb_to_bgr is for 3 or 4 channels, the network takes 2"):
            exported(pointwise_model(tmp_path, names=("a", "b")), tmp_path / "m.czann", type="Regression", rgb_to_bgr=True)


class TestClasses:
    """Probabilities that sum to 1."""

    def test_background(self, tmp_path: Path) -> None:
        """One probability gets a class for the rest."""
        model = pointwise_model(tmp_path, names=("nucleus",), gain=0.02, offset=-2, **BOUNDED)
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20])
        found = metadata_of(path)
        assert (found["Type"], found["Classes"]) == ("SingleClassSemanticSegmentation", ["Background", "nucleus"])
        assert_same(model, path, integers((1, 12, 20, 1)), background=True)

    def test_several_with_background(self, tmp_path: Path) -> None:
        """Several share what there is: divided by their sum where that is above 1."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.02, 0.01], offset=-2, **BOUNDED)
        with pytest.raises(InputError, match="the 2 channels of 'out' are not known to be probabilities that sum to 1"):
            exported(model, tmp_path / "m.czann")
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20], probabilities="background", classes=["none", "A", "B"])
        assert metadata_of(path)["Classes"] == ["none", "A", "B"]
        image = integers((1, 12, 20, 2))
        own = predicted(model, image)
        total = own.sum(-1, keepdims=True)
        expected = np.concatenate([np.maximum(0, 1 - total), own / np.maximum(1, total)], axis=-1)
        assert total.min() < 1 < total.max()
        np.testing.assert_allclose(bare(network_of(path), image), expected, atol=1e-6)

    def test_softmax_described(self, tmp_path: Path) -> None:
        """A softmax among the ops becomes part of the network, and makes it a segmentation."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.02, 0.01], post=[{"id": "softmax"}])
        path = exported(model, tmp_path / "m.czmodel", spatial_dims=[12, 20])
        assert_same(model, path, integers((1, 12, 20, 2)))
        np.testing.assert_allclose(bare(network_of(path), integers((1, 12, 20, 2))).sum(-1), 1, atol=1e-6)

    def test_softmax_asked_for(self, tmp_path: Path) -> None:
        """Scores become probabilities."""
        model = pointwise_model(tmp_path, names=("a", "b"), gain=[0.02, 0.01])
        path = exported(model, tmp_path / "m.czann", spatial_dims=[12, 20], probabilities="softmax")
        assert metadata_of(path)["Type"] == "SingleClassSemanticSegmentation"
        scores = np.exp(predicted(model, integers((1, 12, 20, 2))))
        np.testing.assert_allclose(bare(network_of(path), integers((1, 12, 20, 2))), scores / scores.sum(-1, keepdims=True), atol=1e-6)

    def test_regression(self, tmp_path: Path) -> None:
        """What is not said to be probabilities is none; a czmodel file cannot hold it."""
        model = pointwise_model(tmp_path)
        found = metadata_of(exported(model, tmp_path / "m.czann", spatial_dims=[12, 20]))
        assert found["Type"] == "Regression"
        assert "Classes" not in found
        with pytest.raises(InputError, match="the 1 channels of 'out' are not known to be probabilities"):
            exported(model, tmp_path / "m.czmodel")

    def test_too_few(self, tmp_path: Path) -> None:
        """One class is none."""
        model = pointwise_model(tmp_path, **BOUNDED)
        with pytest.raises(InputError, match="'out' has one class: expected at least two"):
            exported(model, tmp_path / "m.czann", probabilities="as_is")
        with pytest.raises(InputError, match="there are 3 classes in the option: expected 2"):
            exported(model, tmp_path / "m.czann", classes=["a", "b", "c"])

    def test_one_of_several_outputs(self, tmp_path: Path) -> None:
        """One output is chosen by its id."""
        nodes = [helper.make_node("Identity", ["raw"], ["one"]), helper.make_node("Neg", ["raw"], ["two"])]
        save_graph(tmp_path / "weights.onnx", nodes, {"raw": 4}, {"one": 4, "two": 4})
        made = [BATCH, channels(), space("y", 8), space("x", 8)]
        model = save_description_0_5(tmp_path, [tensor("raw", *made)], [tensor("one", *made), tensor("two", *made)])
        path = tmp_path / "m.czann"
        assert "Outputs other than two are not written: one." in lost(model, path, output="two")
        image = integers((1, 8, 8, 1))
        np.testing.assert_array_equal(bare(network_of(path), image), -image)
        with pytest.raises(InputError, match="there is no output 'three': expected one of one, two"):
            exported(model, path, output="three")
