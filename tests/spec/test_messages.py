# ruff: noqa: E501 (messages are one line each)
from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bioimageio_core.errors import InvalidDescriptionError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.validation import read_tree, validate_tree


def _set(*path: Any) -> Callable[[Any], None]:
    """A damage: put the last item where the path before it leads."""
    *way, key, value = path

    def damage(tree: Any) -> None:
        for step in way:
            tree = tree[step]
        tree[key] = value

    return damage


class TestPathsAndMessages:
    @pytest.mark.parametrize(
        ("damage", "first", "errors"),
        [
            (
                _set("inputs", 0, "axes", 2, "size", "big"),
                "inputs.0.axes.2.size: expected an integer or a mapping with the keys min, step or a mapping with the keys tensor_id, axis_id, found 'big'",
                1,
            ),
            (_set("inputs", 0, "axes", 2, "size", {"min": 3}), "inputs.0.axes.2.size.step: expected a value, found none", 1),
            (_set("inputs", 0, "axes", 2, "size", {"min": 3, "stepp": 0}), "inputs.0.axes.2.size.step: expected a value, found none", 2),
            (_set("inputs", 0, "axes", 2, "type", "spce"), "inputs.0.axes.2.type: expected one of 'batch', 'channel', 'index', 'time', 'space', found 'spce'", 1),
            (_set("inputs", 0, "axes", 2, "halo", 3), "inputs.0.axes.2.halo: unknown key, expected one of type, id, description, unit, scale, size, concatenable", 1),
            (_set("outputs", 0, "axes", 2, "halo", None), "outputs.0.axes.2.halo: expected an integer, found null", 1),
            (_set("outputs", 0, "axes", 2, "halo", 256), "outputs.0.axes.2.halo: expected a halo that leaves something of the least size 512, found 256, which leaves 0", 1),
            (_set("outputs", 0, "axes", 2, "size", "axis_id", "batch"), "outputs.0.axes.2.size: expected a reference to an axis with a size of its own, found raw.batch, which is a batch axis", 1),
            (_set("outputs", 0, "axes", 2, "unit", "pixel"), "outputs.0.axes.2.unit: expected one of 'attometer', 'angstrom', 'centimeter', ... (26 in all) or null, found 'pixel'", 1),
            (_set("outputs", 0, "axes", 2, "unit", "micrometer"), "outputs.0.axes.2.unit: expected the unit of raw.y, null, found 'micrometer'", 1),
            (_set("licence", "MIT"), "licence: unknown key, did you mean 'license'?", 1),
            (_set("license", "MITT"), "license: expected an identifier of the SPDX license list or a mapping with the key source or null, found 'MITT'", 1),
            (_set("authors", "me"), "authors: expected a list, found 'me'", 1),
            (_set("authors", ["me", {"name": "a/b", "orcid": "0000-0002-1825-0098"}]), "authors.0: expected a mapping with the key name, found 'me'", 3),
            (_set("inputs", []), "inputs: expected a non-empty list, found an empty one", 1),
            (_set("inputs", 0, "data", {"values": [1, 300]}), "inputs.0.data.values.1: expected a value that uint8 can hold, found 300", 1),
            (_set("inputs", 0, "data", [{}, {}]), "inputs.0.data: expected one for each of 1 channels, found 2", 1),
            (_set("inputs", 0, "pad", {"mode": "edge", "value": 1}), "inputs.0.pad.value: expected none for mode 'edge', found 1.0", 1),
            (_set("weights", {}), "weights: expected a non-empty mapping, found an empty one", 1),
            (_set("weights", "onnx", "opset_version", 3), "weights.onnx.opset_version: expected a number >= 7, found 3", 1),
            (_set("weights", "onnx", "parent", "onnx"), "weights.onnx.parent: expected other weights of the model (torchscript), found 'onnx'", 1),
            (_set("weights", "pytorch_script", {"source": "a"}), "weights.pytorch_script: expected the key 'torchscript', found its old spelling 'pytorch_script'", 1),
            (
                _set("config", {"bioimageio": {"reproducibility_tolerance": [{"output_ids": ["q"]}]}}),
                "config.bioimageio.reproducibility_tolerance.0.output_ids.0: expected the id of an output (probability), found 'q'",
                1,
            ),
            (_set("format_version", "0.5"), "format_version: expected three numbers such as 0.5.14, found '0.5'", 1),
            (_set("format_version", "1.0.0"), "format_version: expected 0.3.0 to 0.3.6, 0.4.x or 0.5.x, found 1.0.0, which is not a supported format version", 1),
            (_set("type", "collection"), "type: expected one resource, found a collection: collections are no longer supported", 1),
        ],
    )  # fmt: skip
    def test_first_error(self, model: dict[str, Any], registry: Registry, damage: Callable[[Any], None], first: str, errors: int) -> None:
        """The first error names its place with dots, what was expected and what was found; all errors are counted."""
        damage(model)
        report = validate_tree(model, registry, "m.yaml")
        assert str(report.errors[0]) == first
        assert len(report.errors) == errors
        more = f" (and {errors - 1} more)" if errors > 1 else ""
        assert report.summary() == f"m.yaml is invalid: {first}{more}"

    def test_all_errors_at_once(self, model: dict[str, Any], registry: Registry) -> None:
        """Errors of different parts and kinds are found in one go, rules of parts that are well formed included."""
        model["git_repo"] = "foo"
        model["name"] = "a"
        model["inputs"][0]["axes"][2]["id"] = "x"
        model["inputs"][0]["preprocessing"] = []
        model["weights"]["onnx"].pop("opset_version")
        found = {issue.path for issue in validate_tree(model, registry).errors}
        assert found == {"git_repo", "name", "inputs.0.axes.3.id", "weights.onnx.opset_version"}

    def test_error_survives_pickling(self, model: dict[str, Any], registry: Registry) -> None:
        """The error and its report can be sent between processes."""
        model["name"] = ""
        with pytest.raises(InvalidDescriptionError) as caught:
            read_tree(model, registry, "m.yaml")
        again = pickle.loads(pickle.dumps(caught.value))
        assert str(again) == str(caught.value)
        assert again.report == caught.value.report

    def test_old_format(self, old_model: dict[str, Any], registry: Registry) -> None:
        """Format 0.4 has messages of the same form."""
        old_model["outputs"][0]["shape"]["scale"] = [1.0, None, 4.0, 4.0]
        old_model["weights"]["onnx"]["parent"] = "onnx"
        report = validate_tree(old_model, registry)
        assert [str(error) for error in report.errors] == [
            "outputs.0.shape.scale: expected a scale for each of the 4 axes of 'input', found 3",
            "weights.onnx.parent: expected another weights format, found 'onnx'",
        ]

    @pytest.mark.parametrize("tree", [None, [], "text", {}, {"type": 3, "format_version": 0.5}, {1: 2}])
    def test_no_description_at_all(self, tree: Any, registry: Registry) -> None:
        """What is no description gets a report too."""
        assert validate_tree(tree, registry).status == "invalid"

    def test_the_tree_is_left_as_it_is(self, model: dict[str, Any], old_model: dict[str, Any], registry: Registry) -> None:
        """Validation changes nothing in the tree, upgrades included."""
        for tree in (model, old_model):
            before = copy.deepcopy(tree)
            validate_tree(tree, registry)
            assert tree == before


class TestHostileNumbers:
    def test_sizes_that_overflow(self, model: dict[str, Any], old_model: dict[str, Any], registry: Registry) -> None:
        """Numbers beyond those of floats give errors, not exceptions."""
        model["outputs"][0]["axes"][2]["scale"] = 1e-308
        assert "outputs.0.axes.2.scale" in {issue.path for issue in validate_tree(model, registry).errors}
        model["inputs"][0]["axes"][2]["size"] = 10**400
        assert validate_tree(model, registry).status == "invalid"
        old_model["outputs"][0]["shape"]["scale"] = [1.0, 1.0, 1e308, 1e308]
        assert {issue.path for issue in validate_tree(old_model, registry).errors} == {"outputs.0.shape"}

    def test_trees_within_themselves(self, model: dict[str, Any], registry: Registry) -> None:
        """A tree that contains itself is refused."""
        model["config"] = {"a": model}
        assert "levels of nesting" in validate_tree(model, registry).summary()


class TestLaziness:
    def test_imports(self) -> None:
        """Importing the reports, and listing weights formats, imports no numpy, no cattrs, no YAML and no framework."""
        code = (
            "import sys, bioimageio_core.spec.validation, bioimageio_core.spec.yaml;"
            "from bioimageio_core.weights.plugin import bioimageio_weights_formats;"
            "assert len(list(bioimageio_weights_formats())) >= 7;"
            "print(sorted({'numpy', 'yaml', 'torch', 'onnx', 'dask', 'zarr', 'fsspec'} & set(sys.modules)))"
        )
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "[]"


class TestOneLine:
    def test_keys_with_line_breaks(self, model: dict[str, Any], registry: Registry) -> None:
        """Whatever the keys, a message is one line."""
        model["a\nb"] = 1
        model["id"] = {"c\nd": 1}
        assert [str(error) for error in validate_tree(model, registry).errors] == [
            "id: expected a string or null, found a mapping with the key c d",
            "a b: unknown key, expected one of format_version, type, name, id, id_emoji, version, version_comment, description, documentation, icon, covers, authors, ...",
        ]


class TestTensorIds:
    """Ids of tensors."""

    def test_two_inputs_of_one_id(self, model: dict[str, Any], registry: Registry) -> None:
        """Inputs must differ from each other."""
        model["inputs"].append(model["inputs"][0])
        errors = [str(e) for e in validate_tree(model, registry).errors]
        assert "inputs.1.id: expected distinct ids of inputs, found 'raw' more than once" in errors

    def test_output_named_as_an_input(self, model: dict[str, Any], registry: Registry) -> None:
        """An output may share the id of an input, as published models do, with a warning; not so where its sizes refer to it."""
        model["outputs"][0]["id"] = "raw"
        errors = [str(e) for e in validate_tree(model, registry).errors]
        assert len(errors) == 2
        assert errors[0].endswith("found raw.y, which is itself")
        for axis in model["outputs"][0]["axes"][2:]:
            axis.pop("halo")
            axis["size"] = 512
        report = validate_tree(model, registry)
        assert report.status == "valid"
        found = [str(i) for i in report.issues if i.severity == "warning"]
        assert "outputs.0.id: expected another id than those of inputs, found 'raw': references to it mean the input" in found


def test_type_in_one_line(registry: Registry) -> None:
    """Descriptions of types that nobody knows are valid, whatever the type; it is shown on one line, and not at any length."""
    tree = {"type": "a\nkind " * 100, "format_version": "0.3.0", "name": "thing", "description": "of a kind"}
    report = validate_tree(tree, registry, "m.yaml")
    assert report.status == "valid"
    assert "\n" not in report.summary()
    assert len(report.summary()) < 150
