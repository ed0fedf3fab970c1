"""Descriptions of format 0.5 in the words of format 0.4."""

from __future__ import annotations

from typing import Any

import pytest
from bioimageio_runtime_deepimagej.to_v0_4 import as_v0_4

CHANNELS = {"type": "channel", "id": "channel", "channel_names": ["red", "green"]}


def space(axis: str, size: Any, **more: Any) -> dict[str, Any]:
    """A spatial axis."""
    return {"type": "space", "id": axis, "size": size, **more}


def model(*ops: dict[str, Any], size: Any = None, **output: Any) -> dict[str, Any]:
    """A description whose output is half as large as the input, and four pixels smaller."""
    given = [{"type": "batch", "id": "batch"}, CHANNELS, *(space(a, {"min": 32, "step": 16}, scale=0.5) for a in "yx")]
    reference = {"tensor_id": "raw", "offset": -4}
    found = [{"type": "batch", "id": "batch"}, CHANNELS, *(space(a, size or {**reference, "axis_id": a}, scale=1.0, halo=8) for a in "yx")]
    return {
        "name": "made model",
        "license": "MIT",
        "documentation": {"source": "README.md", "sha256": "0" * 64},
        "authors": [{"name": "A Tester", "orcid": None}],
        "inputs": [{"id": "raw", "axes": given, "test_tensor": {"source": "in.npy"}, "preprocessing": list(ops)}],
        "outputs": [{"id": "out", "axes": found, "test_tensor": "out.npy", **output}],
        "weights": {"onnx": {"source": "a.onnx", "opset_version": 17}, "pytorch_state_dict": {"source": "a.pt"}},
    }


class TestTensors:
    """Axes and sizes."""

    def test_sizes(self) -> None:
        """Size references become scale and half of the offset; a channel has scale 0."""
        tree, lost = as_v0_4(model())
        assert tree["inputs"][0]["axes"] == "bcyx"
        assert tree["inputs"][0]["shape"] == {"min": [1, 2, 32, 32], "step": [0, 0, 16, 16]}
        assert tree["outputs"][0]["shape"] == {"reference_tensor": "raw", "scale": [1, 0, 0.5, 0.5], "offset": [0, 1, -2, -2]}
        assert tree["outputs"][0]["halo"] == [0, 0, 8, 8]
        assert (tree["test_inputs"], tree["test_outputs"], tree["documentation"]) == (["in.npy"], ["out.npy"], "README.md")
        assert tree["authors"] == [{"name": "A Tester"}]
        assert lost == ["The weights pytorch_state_dict are left out."]

    def test_all_reasons_at_once(self) -> None:
        """What format 0.4 cannot hold is told in one sentence."""
        tree = model(size={"min": 1, "max": None})
        tree["license"] = None
        del tree["inputs"][0]["test_tensor"]
        with pytest.raises(ValueError, match=r"axis 'y' of 'out' has a size .*expected test tensors of all inputs .*expected a license"):
            as_v0_4(tree)


class TestOps:
    """Processing ops and their arguments."""

    @pytest.mark.parametrize(
        ("op", "name", "kwargs"),
        [
            ({"id": "binarize", "kwargs": {"threshold": 0.5}}, "binarize", {"threshold": 0.5}),
            ({"id": "scale_linear", "kwargs": {"gain": 2.0, "offset": 1.0}}, "scale_linear", {"gain": 2.0, "offset": 1.0}),
            (
                {"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [1, 2], "offset": [0, 0]}},
                "scale_linear",
                {"axes": "yx", "gain": [1, 2], "offset": [0, 0]},
            ),
            (
                {"id": "fixed_zero_mean_unit_variance", "kwargs": {"axis": "channel", "mean": [1, 2], "std": [3, 4]}},
                "zero_mean_unit_variance",
                {"mode": "fixed", "axes": "yx", "mean": [1, 2], "std": [3, 4]},
            ),
            ({"id": "zero_mean_unit_variance"}, "zero_mean_unit_variance", {"mode": "per_sample", "axes": "cyx"}),
            (
                {"id": "scale_range", "kwargs": {"axes": ["batch", "y", "x"], "max_percentile": 99}},
                "scale_range",
                {"mode": "per_dataset", "axes": "yx", "max_percentile": 99},
            ),
            ({"id": "clip", "kwargs": {"min": 0, "max": 1}}, "clip", {"min": 0, "max": 1}),
        ],
    )
    def test_translated(self, op: dict[str, Any], name: str, kwargs: dict[str, Any]) -> None:
        """With the names and arguments of format 0.4."""
        tree, _ = as_v0_4(model(op))
        assert tree["inputs"][0]["preprocessing"] == [{"name": name, "kwargs": kwargs}]

    @pytest.mark.parametrize(
        "op",
        [
            {"id": "softmax"},
            {"id": "clip", "kwargs": {"min": 0}},
            {"id": "clip", "kwargs": {"min_percentile": 1, "max": 3}},
            {"id": "binarize", "kwargs": {"threshold": [1, 2], "axis": "channel"}},
        ],
    )
    def test_lost(self, op: dict[str, Any]) -> None:
        """What it does not know is left out, and told."""
        tree, lost = as_v0_4(model(op))
        assert "preprocessing" not in tree["inputs"][0]
        assert f"Format 0.4 does not know the op {op['id']} of 'raw' as it is used here." in lost
