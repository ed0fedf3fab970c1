"""Descriptions of ops: what documents may say."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from bioimageio_core.processing import descr_v0_5 as v0_5
from bioimageio_core.registry import ProcessingOpEntry, Registry
from bioimageio_core.spec.converters import make_converter
from bioimageio_core.structuring.problems import StructureProblems
from bioimageio_core.structuring.rules import collect_problems
from bioimageio_core.typing import FrozenMapping

STARDIST = {"prob_threshold": 0.5, "nms_threshold": 0.4, "n_rays": 32, "grid": [2, 2], "b": 2}

VALID: list[tuple[Any, dict[str, Any]]] = [
    ("0.4", {"name": "binarize", "kwargs": {"threshold": 0.5}}),
    ("0.4", {"name": "clip", "kwargs": {"min": 2, "max": 3}}),
    ("0.4", {"name": "scale_linear", "kwargs": {"axes": "yx", "gain": [1.0, 2.0]}}),
    ("0.4", {"name": "sigmoid"}),
    ("0.4", {"name": "zero_mean_unit_variance", "kwargs": {"axes": "yx", "mean": 1.0, "std": [2.0]}}),
    ("0.4", {"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample", "axes": "czyx", "eps": 0.1}}),
    ("0.4", {"name": "scale_range", "kwargs": {"mode": "per_sample", "axes": "", "max_percentile": 99.8, "reference_tensor": "raw"}}),
    ("0.4", {"name": "scale_mean_variance", "kwargs": {"mode": "per_dataset", "reference_tensor": "raw"}}),
    ("0.5", {"id": "binarize", "kwargs": {"threshold": 0.5}}),
    ("0.5", {"id": "binarize", "kwargs": {"threshold": [0.5, 1.0], "axis": "channel"}}),
    ("0.5", {"id": "clip", "kwargs": {"min": 0.0, "max_percentile": 99.0, "axes": ["x"]}}),
    ("0.5", {"id": "ensure_dtype", "kwargs": {"dtype": "uint8"}}),
    ("0.5", {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 1.0, "std": 1e-6}}),
    ("0.5", {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": [1.0], "std": [2.0], "axis": "channel"}}),
    ("0.5", {"id": "scale_linear", "kwargs": {"gain": 2.0}}),
    ("0.5", {"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [2.0, 1.0], "offset": 1.0}}),
    ("0.5", {"id": "scale_range"}),
    ("0.5", {"id": "sigmoid"}),
    ("0.5", {"id": "softmax"}),
    ("0.5", {"id": "zero_mean_unit_variance", "kwargs": {}}),
    ("0.5", {"id": "scale_mean_variance", "kwargs": {"reference_tensor": "raw"}}),
    ("0.5", {"id": "stardist_postprocessing", "kwargs": STARDIST}),
    ("0.5", {"id": "stardist_postprocessing", "kwargs": {**STARDIST, "grid": [1, 2, 2], "b": [[1, 2]] * 3, "anisotropy": [2.0, 1.0, 1.0]}}),
    ("0.5", {"id": "cellpose_flow_dynamics", "kwargs": {"cellprob_threshold": 0.0, "flow_threshold": 0.4, "do_3D": False}}),
    ("0.5", {"id": "custom", "source": "post.py", "callable": "Post", "kwargs": {"threshold": 0.5}}),
]

INVALID: list[tuple[Any, dict[str, Any], str]] = [
    ("0.4", {"name": "binarize", "kwargs": {}}, "threshold"),
    ("0.4", {"name": "clip", "kwargs": {"min": 3}}, "max"),
    ("0.4", {"name": "scale_linear", "kwargs": {"axes": "yx"}}, ""),
    ("0.4", {"name": "scale_linear", "kwargs": {"gain": [1, 1], "offset": [0.0]}}, ""),
    ("0.4", {"name": "scale_linear", "kwargs": {"axes": "bx", "gain": 2}}, "axes"),
    ("0.4", {"name": "scale_linear", "kwargs": {"axes": "xx", "gain": 2}}, "axes"),
    ("0.4", {"name": "zero_mean_unit_variance", "kwargs": {"axes": "x"}}, "mean"),
    ("0.4", {"name": "zero_mean_unit_variance", "kwargs": {"axes": "x", "mean": [], "std": 1}}, "mean"),
    ("0.4", {"name": "zero_mean_unit_variance", "kwargs": {"axes": "x", "mode": "per_sample", "std": 1}}, "std"),
    ("0.4", {"name": "zero_mean_unit_variance", "kwargs": {"axes": "x", "mode": "per_sample", "eps": 0}}, "eps"),
    ("0.4", {"name": "scale_range", "kwargs": {"mode": "fixed", "axes": "x"}}, "mode"),
    (
        "0.4",
        {"name": "scale_range", "kwargs": {"mode": "per_sample", "axes": "x", "min_percentile": 50, "max_percentile": 50}},
        "max_percentile",
    ),
    ("0.5", {"id": "binarize", "kwargs": {"threshold": [], "axis": "channel"}}, "threshold"),
    ("0.5", {"id": "binarize", "kwargs": {"threshold": [1], "axis": "batch"}}, "axis"),
    ("0.5", {"id": "clip", "kwargs": {}}, ""),
    ("0.5", {"id": "clip", "kwargs": {"min": 1, "min_percentile": 1}}, "min_percentile"),
    ("0.5", {"id": "clip", "kwargs": {"max": 1, "max_percentile": 99}}, "max_percentile"),
    ("0.5", {"id": "clip", "kwargs": {"max": 1, "axes": ["x"]}}, "axes"),
    ("0.5", {"id": "clip", "kwargs": {"max_percentile": 1}}, "max_percentile"),
    ("0.5", {"id": "clip", "kwargs": {"min_percentile": 100}}, "min_percentile"),
    ("0.5", {"id": "ensure_dtype", "kwargs": {"dtype": "float16"}}, "dtype"),
    ("0.5", {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 1.0, "std": 1e-7}}, "std"),
    ("0.5", {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": [1.0], "std": [1e-7], "axis": "x"}}, "std"),
    ("0.5", {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": [1.0, 2.0], "std": [1.0], "axis": "x"}}, "std"),
    ("0.5", {"id": "scale_linear", "kwargs": {}}, ""),
    ("0.5", {"id": "scale_linear", "kwargs": {"axis": "x", "gain": 2}}, "gain"),
    ("0.5", {"id": "scale_linear", "kwargs": {"axis": "x", "gain": [1, 1]}}, ""),
    ("0.5", {"id": "scale_linear", "kwargs": {"axis": "x", "gain": [1, 2], "offset": [1]}}, "offset"),
    ("0.5", {"id": "scale_range", "kwargs": {"min_percentile": 99, "max_percentile": 2}}, "max_percentile"),
    ("0.5", {"id": "zero_mean_unit_variance", "kwargs": {"eps": 0.2}}, "eps"),
    ("0.5", {"id": "scale_mean_variance", "kwargs": {}}, "reference_tensor"),
    ("0.5", {"id": "stardist_postprocessing", "kwargs": {**STARDIST, "grid": [1, 2, 2]}}, "grid"),
    ("0.5", {"id": "cellpose_flow_dynamics", "kwargs": {"cellprob_threshold": 0.0, "flow_threshold": 0.4}}, "do_3D"),
    ("0.5", {"id": "custom", "source": "post.py"}, "callable"),
]


def structure(entries: dict[str, ProcessingOpEntry], version: Any, tree: dict[str, Any]) -> Any:
    cls = entries[tree["name" if version == "0.4" else "id"]].descr[version]
    return make_converter(Registry(processing_ops=FrozenMapping(entries)), version).structure(tree, cls)


class TestDocuments:
    @pytest.mark.parametrize(("version", "tree"), VALID)
    def test_round_trip(self, entries: dict[str, ProcessingOpEntry], version: Any, tree: dict[str, Any]) -> None:
        """What is valid has no problems and is written back as it was."""
        descr = structure(entries, version, tree)
        assert list(collect_problems(descr)) == []
        assert make_converter(Registry(), version).unstructure(descr) == tree
        hash(descr)

    @pytest.mark.parametrize(("version", "tree", "key"), INVALID)
    def test_problems(self, entries: dict[str, ProcessingOpEntry], version: Any, tree: dict[str, Any], key: str) -> None:
        """What is invalid is found where it stands."""
        try:
            problems = list(collect_problems(structure(entries, version, tree)))
        except StructureProblems as error:
            problems = error.problems
        assert problems
        expected = ("kwargs", key) if key and key != "callable" else (key,) if key else ("kwargs",)
        assert expected in [p.loc[: len(expected)] for p in problems]
        assert all("expected " in p.message and ", found " in p.message for p in problems)

    @pytest.mark.parametrize("version", ["0.4", "0.5"])
    def test_forbidden_kwargs(self, entries: dict[str, ProcessingOpEntry], version: Any) -> None:
        """Sigmoid has no kwargs, not even none of them."""
        with pytest.raises(StructureProblems, match="unknown key"):
            structure(entries, version, {"name" if version == "0.4" else "id": "sigmoid", "kwargs": {}})

    def test_axis_letters(self, entries: dict[str, ProcessingOpEntry]) -> None:
        """Letters of axes become ids."""
        descr = structure(entries, "0.5", {"id": "softmax", "kwargs": {"axis": "C"}})
        assert descr == v0_5.SoftmaxDescr()


class TestClasses:
    def test_constraints(self) -> None:
        """Constraints of a field hold for classes that are made without a document."""
        with pytest.raises(ValueError, match=r"expected a number > 0 and <= 0.1, found 1"):
            v0_5.ZeroMeanUnitVarianceKwargs(eps=1)
        with pytest.raises(ValueError, match="item 1: expected a number >= 1e-06, found 0"):
            v0_5.FixedZeroMeanUnitVarianceAlongAxisKwargs(mean=(1, 1), std=(1, 0), axis="channel")

    def test_frozen(self) -> None:
        """Descriptions do not change."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            v0_5.SoftmaxDescr().id = "sigmoid"  # type: ignore[misc,assignment]
