"""How far networks see, against numbers counted by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
from bioimageio_runtime_csbdeep.reach import Reach, reach_of
from bioimageio_runtime_csbdeep.saved_model import read_saved_model
from made_graphs import VALID, Graph, constant, conv, integers, kernel, saved_model

VARIABLE = ("VarHandleOp", [], {"shape": kernel(3, 3, 1, 1)})
WIDE = ("VarHandleOp", [], {"shape": kernel(5, 1, 1, 1)})
IMAGE: tuple[str, list[str], dict[str, bytes]] = ("Placeholder", [], {})


def reach(folder: Path, graph: Graph, rank: int = 2) -> Reach:
    """Return how far the node ``out`` sees."""
    path = folder / "saved_model.pb"
    path.write_bytes(saved_model({"input": IMAGE, **graph}, [-1] * (rank + 1) + [1], {"out": [-1] * (rank + 1) + [1]}))
    return reach_of(read_saved_model(path), "out:0", rank)


def pool(image: str, *size: int) -> tuple[str, list[str], dict[str, bytes]]:
    """Return a pooling."""
    return ("MaxPool", [image], {"ksize": integers(1, *size, 1), "strides": integers(1, *size, 1), "padding": VALID})


class TestByHand:
    """Each rule alone, then together."""

    def test_convolution(self, tmp_path: Path) -> None:
        """3 x 3 sees one pixel to either side, 5 x 1 two along y; one after the other, they add up."""
        graph = {"a": VARIABLE, "b": WIDE, "first": conv("input", "a"), "out": conv("first", "b")}
        assert reach(tmp_path, graph) == Reach(stride=(1, 1), overlap=(3, 1), grid=(1, 1))

    def test_stride(self, tmp_path: Path) -> None:
        """Along y, element i sees pixels 2 i to 2 i + 2, and the next kernel elements i - 1 to i + 1: 2 to the left, 4 to the right."""
        graph = {"a": VARIABLE, "first": conv("input", "a", 2, 1), "out": conv("first", "a")}
        assert reach(tmp_path, graph) == Reach(stride=(2, 1), overlap=(4, 2), grid=(2, 1))

    def test_pool_and_enlarge(self, tmp_path: Path) -> None:
        """A cell of 4 x 2 pixels sees its first to its last: 3 and 1 away."""
        graph = {
            "low": pool("input", 4, 2),
            "shape": ("Shape", ["low"], {}),
            "factor": ("Const", [], {"value": constant(4, 2)}),
            "size": ("Mul", ["shape", "factor"], {}),
            "out": ("ResizeNearestNeighbor", ["low", "size"], {}),
        }
        assert reach(tmp_path, graph) == Reach(stride=(4, 2), overlap=(3, 1), grid=(1, 1))

    def test_repeat_in_three_dimensions(self, tmp_path: Path) -> None:
        """Keras enlarges volumes axis by axis: it puts an axis behind, repeats along it, and makes one of both."""
        graph: dict[str, Any] = {
            "low": ("MaxPool3D", ["input"], {"ksize": integers(1, 1, 2, 2, 1), "strides": integers(1, 1, 2, 2, 1), "padding": VALID}),
            "y": ("Const", [], {"value": constant(1, 1, 1, 2, 1, 1)}),
            "x": ("Const", [], {"value": constant(1, 1, 1, 1, 2, 1)}),
            "behind": ("ExpandDims", ["low", "y"], {}),
            "repeated": ("Tile", ["behind", "y"], {}),
            "one": ("Reshape", ["repeated", "y"], {}),
            "again": ("Tile", ["one", "x"], {}),
            "out": ("Reshape", ["again", "x"], {}),
        }
        assert reach(tmp_path, graph, 3) == Reach(stride=(1, 2, 2), overlap=(0, 1, 1), grid=(1, 1, 1))

    def test_shortcut(self, tmp_path: Path) -> None:
        """Of two ways, the longer counts."""
        graph = {"a": VARIABLE, "long": conv("input", "a"), "out": ("AddV2", ["input", "long"], {})}
        assert reach(tmp_path, graph).overlap == (1, 1)


class TestUnknown:
    """What is not known is not guessed."""

    @pytest.mark.parametrize(
        ("graph", "words"),
        [
            ({"out": ("FFT2D", ["input"], {})}, "the operation FFT2D, of which"),
            ({"out": ("Relu", ["nowhere"], {})}, "refers to 'nowhere'"),
            ({"a": VARIABLE, "out": conv("input", "a", padding=VALID)}, "smaller at their borders"),
            ({"a": ("VarHandleOp", [], {}), "out": conv("input", "a")}, "no known size"),
            ({"low": pool("input", 2, 2), "out": ("Add", ["low", "input"], {})}, "not of one size"),
            ({"other": ("Relu", ["out"], {}), "out": ("Relu", ["other"], {})}, "in a circle"),
            ({"out": ("Const", [], {})}, "does not depend on its input"),
            (
                {
                    "a": ("Identity", ["a"], {}),
                    "out": ("Conv2D", ["input", "b"], {}),
                    "b": ("Identity", ["c"], {}),
                    "c": ("Identity", ["b"], {}),
                },
                "in a circle",
            ),
        ],
    )
    def test_refused(self, tmp_path: Path, graph: Graph, words: str) -> None:
        """In one sentence."""
        with pytest.raises(ValueError, match=words):
            reach(tmp_path, graph)


def test_of_a_network_with_known_overlap(exports: Path, tmp_path: Path) -> None:
    """CSBDeep measured 22 for this U-Net with random parameters; what can be seen at most is 23."""
    with zipfile.ZipFile(exports / "care_plain.zip") as archive:
        archive.extract("saved_model.pb", tmp_path)
    network = read_saved_model(tmp_path / "saved_model.pb")
    assert reach_of(network, network.outputs[0].tensor, 2) == Reach(stride=(4, 4), overlap=(23, 23), grid=(1, 1))
