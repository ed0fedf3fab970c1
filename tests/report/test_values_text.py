"""Which values tensors hold, in words."""

from __future__ import annotations

from typing import Any

import pytest
from made_models import BATCH, channels, space, tensor

import bioimageio_core as bc
from bioimageio_core.report.text.card_text import card_text


def model(data: Any, names: int = 1) -> dict[str, Any]:
    """Return a model whose tensors hold this."""
    axes = [BATCH, channels(*(f"channel{n}" for n in range(names))), space("x", 8)]
    return {
        "type": "model",
        "format_version": "0.5.4",
        "name": "made model",
        "description": "",
        "authors": [{"name": "A Tester"}],
        "cite": [{"text": "nothing", "url": "https://example.com/"}],
        "license": "MIT",
        "documentation": "https://example.com/README.md",
        "inputs": [{**tensor("raw", *axes), "data": data, "test_tensor": {"source": "raw.npy"}}],
        "outputs": [{**tensor("out", *axes), "test_tensor": {"source": "out.npy"}}],
        "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
    }


class TestValues:
    """`values_in_words`, as cards show them."""

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({}, ""),
            ({"range": [0, 1.5]}, "0 to 1.5"),
            ({"range": [0, None], "unit": "nm"}, "at least 0 nm"),
            ({"range": [None, 255]}, "at most 255"),
            ({"unit": "nm"}, "nm"),
            ({"values": [0, 1, 2]}, "one of 0, 1, 2"),
            ({"values": list(range(20))}, "one of 0, 1, 2, 3, 4, 5, ..., 19"),
        ],
    )
    def test_format_0_5(self, data: Any, words: str) -> None:
        """Ranges, units and lists."""
        assert bc.card(model(data)).as_dict()["inputs"][0]["values"] == words

    def test_by_channel(self) -> None:
        """Each kind once."""
        one = {"type": "uint8", "range": [0, 255]}
        card = bc.card(model([one, one, {"type": "uint8", "range": [0, 1]}], 3))
        assert card.as_dict()["inputs"][0]["values"] == "0 to 255; 0 to 1"

    def test_format_0_4(self) -> None:
        """Infinite bounds are none."""
        shape = {"min": [1, 8], "step": [0, 1]}
        tree = {
            "type": "model",
            "format_version": "0.4.10",
            "name": "made model",
            "description": "",
            "authors": [{"name": "A Tester"}],
            "license": "MIT",
            "documentation": "README.md",
            "timestamp": "2024-01-01T00:00:00+00:00",
            "inputs": [{"name": "raw", "axes": "bx", "data_type": "float32", "data_range": [float("-inf"), float("inf")], "shape": shape}],
            "outputs": [{"name": "out", "axes": "bx", "data_type": "float32", "data_range": [0, 1], "shape": [1, 8]}],
            "test_inputs": ["raw.npy"],
            "test_outputs": ["out.npy"],
            "weights": {"onnx": {"source": "weights.onnx", "opset_version": 17}},
        }
        card = bc.card(tree).as_dict()
        assert [card[key][0]["values"] for key in ("inputs", "outputs")] == ["", "0 to 1"]


def test_people_without_a_name() -> None:
    """A name may be empty, and so may that of the account."""
    people = [{"name": "", "github_user": ""}, {"name": "Ada"}]
    tree = {"type": "dataset", "format_version": "0.2.4", "name": "x", "description": "d", "authors": people}
    assert "(no name), Ada" in card_text(bc.card(tree))
