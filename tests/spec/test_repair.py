from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpus import Several
from damaged_descriptions import DAMAGES, Damage, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refused_models import refused

import bioimageio_core as bc
from bioimageio_core.errors import InvalidDescriptionError, YamlError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.identity import is_model
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.spec.repair.text import load_damaged_yaml
from bioimageio_core.spec.structuring import unstructure
from bioimageio_core.spec.updating import update_tree
from bioimageio_core.spec.validation import ValidationReport, validate_tree

Warnings = dict[str, list[str]]
ABSENT = object()


def mended(tree: Any, registry: Registry) -> tuple[dict[str, Any], Warnings]:
    """The tree repaired and in the newest version, and the warnings by path."""
    assert validate_tree(tree, registry).status == "invalid"
    descr, report = repair_and_update(tree, registry)
    assert report.status == "valid"
    warnings: Warnings = {}
    for issue in report.issues:
        if issue.severity == "warning":
            warnings.setdefault(issue.path, []).append(issue.message)
    return unstructure(descr), warnings


def errors(tree: Any, registry: Registry) -> Warnings:
    """The errors that stay, by path."""
    with pytest.raises(InvalidDescriptionError, match="can not be repaired") as caught:
        repair_and_update(tree, registry)
    assert isinstance(caught.value.report, ValidationReport)
    return {issue.path: [issue.message] for issue in caught.value.report.errors}


@pytest.fixture
def tree() -> dict[str, Any]:
    """A valid model of format 0.4 with letters byxc, and weights of two formats."""
    shape = {"reference_tensor": "raw", "scale": [1, 1, 1, 1], "offset": [0, 0, 0, 0]}
    return {
        "format_version": "0.4.10",
        "type": "model",
        "name": "A model",
        "description": "Finds cells",
        "timestamp": "2024-01-01T00:00:00",
        "documentation": "README.md",
        "authors": [{"name": "Ada"}],
        "cite": [{"text": "t", "url": "https://example.com"}],
        "license": "MIT",
        "inputs": [{"name": "raw", "axes": "byxc", "data_type": "float32", "shape": {"min": [1, 64, 64, 3], "step": [0, 16, 16, 0]}}],
        "outputs": [{"name": "seg", "axes": "byxc", "data_type": "float32", "shape": shape, "halo": [0, 8, 8, 0]}],
        "test_inputs": ["in.npy"],
        "test_outputs": ["out.npy"],
        "weights": {
            "onnx": {"source": "w.onnx", "opset_version": 15, "sha256": "a" * 64},
            "torchscript": {"source": "w.pt", "sha256": "b" * 64, "pytorch_version": "2.0"},
        },
    }


@pytest.fixture
def early(tree: dict[str, Any]) -> dict[str, Any]:
    """A valid model of format 0.3.2, with the architecture at the top."""
    del tree["weights"]
    return tree | {
        "format_version": "0.3.2",
        "language": "python",
        "framework": "pytorch",
        "source": "net.py:Net",
        "sha256": "c" * 64,
        "kwargs": {"depth": 3},
        "weights": {"pytorch_state_dict": {"source": "w.pt", "sha256": "d" * 64}},
    }


class TestIdentity:
    """Type and version."""

    def test_type_of_models(self, early: dict[str, Any], registry: Registry) -> None:
        """What has inputs, outputs and weights, and no type, is a model; what lacks one of these is not said to be one."""
        del early["type"]
        new, warnings = mended(early, registry)
        assert new["type"] == "model"
        assert warnings["type"] == ["expected a type, found none: read as model, since there are inputs, outputs and weights"]
        del early["weights"]
        assert not is_model(early)
        assert set(errors(early, registry)) == {"type"}

    @pytest.mark.parametrize("written", ["Model", " model", "models", "MODEL"])
    def test_spelling(self, tree: dict[str, Any], registry: Registry, written: str) -> None:
        tree["type"] = written
        new, warnings = mended(tree, registry)
        assert new["type"] == "model"
        assert warnings["type"] == [f"{written!r} was read as model"]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (0.4, "0.4.0"),
            ("0.4", "0.4.0"),
            ("0.3.0.", "0.3.0"),
            ("v0.4.9", "0.4.9"),
            ("0.2.0-csbdeep", "0.3.0"),
            ("0.1.0", "0.3.0"),
            (None, "0.3.0"),
            (ABSENT, "0.3.0"),
        ],
    )
    def test_version(self, tree: dict[str, Any], registry: Registry, written: Any, read: str) -> None:
        """Numbers, short and early versions are read as the nearest that there is, missing ones by the form of the axes."""
        tree["format_version"] = written
        if written is ABSENT:
            del tree["format_version"]
        new, warnings = mended(tree, registry)
        assert new["format_version"] == "0.5.14"
        assert len(warnings["format_version"]) == 1
        assert f"read as {read}" in warnings["format_version"][0]

    def test_version_of_the_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Axes that are mappings are those of format 0.5."""
        del model["format_version"]
        assert "read as 0.5.0, going by its form" in mended(model, registry)[1]["format_version"][0]

    def test_unknown_version(self, tree: dict[str, Any], registry: Registry) -> None:
        """A version that is to come is not read as one that is."""
        tree["format_version"] = "7.0.0"
        assert set(errors(tree, registry)) == {"format_version"}

    def test_other_types(self, registry: Registry) -> None:
        """Versions of other types count on their own."""
        data = {"type": "dataset", "format_version": 0.2, "name": "cells", "description": ""}
        new, warnings = mended(data, registry)
        assert new["format_version"] == "0.3.4"
        assert "read as 0.2.0" in warnings["format_version"][0]


class TestSharedFields:
    """Fields of every description."""

    @pytest.mark.parametrize(
        ("key", "written", "read"),
        [
            ("authors", "Ada", [{"name": "Ada"}]),
            ("authors", {"name": "Ada"}, [{"name": "Ada"}]),
            (
                "authors",
                [{"name": "Ada", "orcid": "https://orcid.org/0000-0001-5109-3700"}],
                [{"name": "Ada", "orcid": "0000-0001-5109-3700"}],
            ),
            ("authors", [{"name": "Ada", "github": "ada"}], [{"name": "Ada", "github_user": "ada"}]),
            ("authors", [{"name": "Ada", "email": "missing"}], [{"name": "Ada"}]),
            ("packaged_by", ["Ada"], [{"name": "Ada"}]),
            ("cite", {"text": "t", "doi": "10.1234/a"}, [{"text": "t", "doi": "10.1234/a"}]),
            ("cite", [{"text": "t", "doi": "doi:10.1234/a"}], [{"text": "t", "doi": "10.1234/a"}]),
            ("cite", [{"text": "t", "doi": "dx.doi.org/10.1234/a"}], [{"text": "t", "doi": "10.1234/a"}]),
            ("cite", [{"text": "t", "doi": "https://arxiv.org/abs/1"}], [{"text": "t", "url": "https://arxiv.org/abs/1"}]),
            ("cite", ["Ada, https://example.com/a"], [{"text": "Ada, https://example.com/a", "url": "https://example.com/a"}]),
            ("cite", "todo", ABSENT),
            ("cite", None, ABSENT),
            ("tags", "cells, nuclei", ["cells", "nuclei"]),
            ("covers", "cover.png", [{"source": "cover.png"}]),
            ("links", "a/b, c/d", ["a/b", "c/d"]),
            ("git_repo", 3, ABSENT),
            ("name", 12345, "12345"),
            ("tags", [2024, "cells"], ["2024", "cells"]),
            ("run_mode", [{"name": "deepimagej"}], {"name": "deepimagej"}),
            ("run_mode", "deepimagej", {"name": "deepimagej"}),
            ("timestamp", 2019, "2019"),
            ("timestamp", "2019/12/11", "2019-12-11"),
            ("attachments", ["a.txt", {"source": "b.txt"}], [{"source": "a.txt"}, {"source": "b.txt"}]),
            ("parent", "null", ABSENT),
            ("parent", "Some/Id", {"id": "some/id"}),
        ],
    )
    def test_read_as(self, tree: dict[str, Any], registry: Registry, key: str, written: Any, read: Any) -> None:
        """Other forms are read as what they mean, with a warning at the place."""
        tree[key] = written
        new, warnings = mended(tree, registry)
        assert new.get(key, ABSENT) == read
        assert [path for path in warnings if path.split(".")[0] == key]

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("BSD 3", "BSD-3-Clause"),
            ("BSD2", "BSD-2-Clause"),
            ("Apache License 2.0", "Apache-2.0"),
            ("Apache 2", "Apache-2.0"),
            ("bsd", None),
        ],
    )
    def test_license(self, early: dict[str, Any], registry: Registry, written: str, read: str | None) -> None:
        """Other spellings of one license are read; what may be several is kept in the config for people to decide on."""
        del early["type"]
        early["license"] = written
        new, warnings = mended(early, registry)
        assert new.get("license") == read
        if written == "bsd":
            assert new["config"]["repaired"] == {"license": "bsd"}
            assert "'bsd' was moved to config.repaired: expected an identifier" in warnings["license"][0]

    def test_date(self, early: dict[str, Any], registry: Registry) -> None:
        """The time was called date."""
        early |= {"date": 2019}
        del early["timestamp"]
        new, warnings = mended(early, registry)
        assert new["timestamp"] == "2019"
        assert warnings["date"] == ["2019 was read as timestamp"]

    def test_parent_by_address(self, early: dict[str, Any], registry: Registry) -> None:
        """Where a parent was is a link; a hash that nothing takes is kept."""
        del early["type"]
        early["parent"] = {"uri": "https://example.com/parent", "sha256": "e" * 64}
        new, _ = mended(early, registry)
        assert new["links"] == ["https://example.com/parent"]
        assert "parent" not in new
        assert new["config"]["repaired"] == {"parent.sha256": "e" * 64}

    def test_fields_of_collections(self, tree: dict[str, Any], registry: Registry) -> None:
        """What a collection or website added is kept in config, by its path."""
        tree |= {"owners": [1], "status": "accepted", "download_count": 3, "config": {"mine": 1}}
        tree["authors"][0]["role"] = "boss"
        tree["weights"]["onnx"]["tag"] = "serve"
        new, warnings = mended(tree, registry)
        kept = {"owners": [1], "status": "accepted", "download_count": 3, "authors.0.role": "boss", "weights.onnx.tag": "serve"}
        assert new["config"] == {"mine": 1, "repaired": kept}
        assert warnings["download_count"] == ["3 was moved to config.repaired: unknown key, did you mean 'download_url'?"]
        assert set(kept) <= set(warnings)

    def test_config_of_another_kind(self, tree: dict[str, Any], registry: Registry) -> None:
        """A config that is no mapping is kept within one, and beside it what else is kept."""
        tree |= {"config": ["a"], "owners": [1]}
        new, _ = mended(tree, registry)
        assert new["config"] == {"repaired": {"config": ["a"], "owners": [1]}}

    def test_config_of_other_values(self, tree: dict[str, Any], registry: Registry) -> None:
        """Keys that are no text, and numbers that are not finite, become text, also of what is kept."""
        tree |= {"config": {1: [float("inf")], "a": 0.5}, "owners": {2: float("nan")}}
        new, warnings = mended(tree, registry)
        assert new["config"] == {"1": ["inf"], "a": 0.5, "repaired": {"owners": {"2": "nan"}}}
        assert set(warnings) >= {"config", "owners"}

    def test_what_is_left_of_a_person(self, tree: dict[str, Any], registry: Registry) -> None:
        """A person without a name, and a citation without a place, are none, and kept whole."""
        tree["authors"] = [{"affiliation": "Home"}, {"name": "Ada"}, 3]
        tree["cite"] = [{"text": "nowhere"}]
        new, _ = mended(tree, registry)
        assert new["authors"] == [{"name": "Ada"}]
        assert new["config"]["repaired"] == {"authors.0": {"affiliation": "Home"}, "authors.2": 3, "cite.0": {"text": "nowhere"}}

    def test_missing(self, tree: dict[str, Any], registry: Registry) -> None:
        """What format 0.5 does not ask for is not made up, and its absence is said."""
        lacking = ("authors", "description", "documentation", "license", "test_inputs", "test_outputs", "timestamp")
        for key in lacking:
            del tree[key]
        new, warnings = mended(tree, registry)
        assert not {"authors", "documentation", "license", "timestamp"} & set(new)
        assert all(warnings[key] == ["expected a value, found none, which format 0.5 allows"] for key in lacking)
        del tree["name"]
        assert errors(tree, registry) == {"name": ["expected a value, found none"]}

    def test_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Names and descriptions of the newest version are cut and cleaned, and the whole is kept."""
        model |= {"name": "cells: a/b", "description": "d" * 2000, "attachments": {"files": ["a.txt"], "more": 1}}
        model["authors"] = [{"name": "Ada/Bob"}]
        new, warnings = mended(model, registry)
        assert (new["name"], new["description"], new["authors"]) == ("cells  a b", "d" * 1024, [{"name": "AdaBob"}])
        assert new["config"]["repaired"] == {"description": "d" * 2000, "attachments.more": 1}
        assert {"name", "description", "authors.0.name", "attachments"} <= set(warnings)

    def test_names_for_ids(self, model: dict[str, Any], registry: Registry) -> None:
        """What formats up to 0.4 called names are ids, of tensors and ops."""
        tensor, step = model["inputs"][0], model["inputs"][0]["preprocessing"][0]
        expected = tensor["id"], step["id"]
        tensor["name"], step["name"] = tensor.pop("id"), step.pop("id")
        new, warnings = mended(model, registry)
        assert (new["inputs"][0]["id"], new["inputs"][0]["preprocessing"][0]["id"]) == expected
        assert {"inputs.0.name", "inputs.0.preprocessing.0.name"} <= set(warnings)

    def test_long_ids(self, tree: dict[str, Any], registry: Registry) -> None:
        """Names of tensors may be longer in format 0.4, which is valid; only the newest version asks for less."""
        tree["inputs"][0]["name"] = tree["outputs"][0]["shape"]["reference_tensor"] = "raw" * 11
        descr, report = repair_and_update(tree, registry)
        new = unstructure(descr)
        assert new["inputs"][0]["id"] == ("raw" * 11)[:32]
        assert new["outputs"][0]["axes"][1]["size"]["tensor_id"] == ("raw" * 11)[:32]
        assert "inputs.0.id" in {issue.path for issue in report.issues}


class TestFiles:
    """Test and sample files."""

    def test_images_are_samples(self, tree: dict[str, Any], registry: Registry) -> None:
        """Test files that are no arrays become samples, since no test can use them."""
        tree |= {"test_inputs": ["a.tif"], "test_outputs": "b.tif"}
        new, warnings = mended(tree, registry)
        assert new["inputs"][0]["sample_tensor"] == {"source": "a.tif"}
        assert "test_tensor" not in new["inputs"][0]
        assert new["outputs"][0]["sample_tensor"] == {"source": "b.tif"}
        assert warnings["test_inputs"][0] == "expected .npy files, found a.tif: moved to sample_inputs"

    def test_exchanged(self, tree: dict[str, Any], registry: Registry) -> None:
        """Arrays among the samples, of the same names, are the test files."""
        tree |= {"test_inputs": ["./a.tif"], "sample_inputs": ["./a.npy"]}
        new, warnings = mended(tree, registry)
        assert new["inputs"][0]["test_tensor"] == {"source": "./a.npy"}
        assert new["inputs"][0]["sample_tensor"] == {"source": "./a.tif"}
        assert warnings["test_inputs"] == ["exchanged with sample_inputs, since test files are .npy, and those are"]

    def test_of_weights(self, early: dict[str, Any], registry: Registry) -> None:
        """Test files of weights formats are those of the model."""
        del early["test_inputs"], early["test_outputs"], early["type"]
        early["weights"]["pytorch_state_dict"] |= {"test_input": "a.npy", "test_outputs": ["b.npy"]}
        early["weights"]["torchscript"] = {"source": "t.pt", "test_input": "a.npy", "test_outputs": ["c.npy"]}
        new, warnings = mended(early, registry)
        assert (new["inputs"][0]["test_tensor"], new["outputs"][0]["test_tensor"]) == ({"source": "a.npy"}, {"source": "b.npy"})
        assert new["config"]["repaired"] == {"weights.torchscript.test_outputs": ["c.npy"]}
        assert warnings["weights.torchscript.test_input"] == ["left out, since it is what test_inputs says"]

    def test_singular(self, early: dict[str, Any], registry: Registry) -> None:
        """Early versions said test_input."""
        early |= {"test_input": early.pop("test_inputs")[0], "test_output": early.pop("test_outputs")[0]}
        new, _ = mended(early, registry)
        assert new["inputs"][0]["test_tensor"] == {"source": "in.npy"}

    def test_lists_in_the_newest_form(self, model: dict[str, Any], registry: Registry) -> None:
        """Lists of files in format 0.5 are those of tensors; what a tensor has already stays."""
        was = model["inputs"][0]["test_tensor"]
        model |= {"test_inputs": ["other.npy"], "sample_inputs": ["s.tif"]}
        model["inputs"][0].pop("sample_tensor", None)
        new, _ = mended(model, registry)
        assert (new["inputs"][0]["test_tensor"], new["inputs"][0]["sample_tensor"]) == (was, {"source": "s.tif"})
        assert new["config"]["repaired"] == {"test_inputs.0": "other.npy"}


class TestTensors:
    """Inputs and outputs; numbers by hand."""

    def test_reference_input(self, tree: dict[str, Any], registry: Registry) -> None:
        """The name of up to 0.3.2 in a later version."""
        shape = tree["outputs"][0]["shape"]
        shape["reference_input"] = shape.pop("reference_tensor")
        new, warnings = mended(tree, registry)
        assert new["outputs"][0]["axes"][1]["size"] == {"tensor_id": "raw", "axis_id": "y"}
        assert warnings["outputs.0.shape.reference_input"] == ["read as reference_tensor"]

    def test_names(self, tree: dict[str, Any], registry: Registry) -> None:
        """A name becomes an identifier wherever it is referred to."""
        tree["inputs"][0]["name"] = "raw image [a.u.]"
        tree["outputs"][0]["shape"]["reference_tensor"] = "raw image [a.u.]"
        step = {"name": "scale_mean_variance", "kwargs": {"mode": "per_sample", "axes": "yx", "reference_tensor": "raw image [a.u.]"}}
        tree["outputs"][0]["postprocessing"] = [step]
        new, _ = mended(tree, registry)
        assert new["inputs"][0]["id"] == "raw_image_a_u"
        assert new["outputs"][0]["axes"][1]["size"]["tensor_id"] == "raw_image_a_u"
        assert new["outputs"][0]["postprocessing"][0]["kwargs"]["reference_tensor"] == "raw_image_a_u"

    def test_axes_and_range(self, tree: dict[str, Any], registry: Registry) -> None:
        """Capitals, lists of letters, and a range that is text."""
        tree["inputs"][0] |= {"axes": "BYXC", "data_range": "[0, inf]"}
        tree["outputs"][0] |= {"axes": ["b", "y", "x", "c"], "data_range": "[-inf, inf]"}
        new, _ = mended(tree, registry)
        assert [axis["type"] for axis in new["inputs"][0]["axes"]] == ["batch", "space", "space", "channel"]
        assert new["inputs"][0]["data"]["range"] == [0.0, None]
        assert [axis["type"] for axis in new["outputs"][0]["axes"]] == ["batch", "space", "space", "channel"]

    def test_without_batch(self, tree: dict[str, Any], registry: Registry) -> None:
        """Three numbers for byxc, the first of which the batch can not have, are those of y, x and c."""
        tree["inputs"][0]["shape"] = {"min": [32, 48, 3], "step": [16, 16, 0]}
        tree["outputs"][0] |= {"shape": {"reference_tensor": "raw", "scale": [2, 2, 1], "offset": [0, 0, -1]}, "halo": [8, 8, 0]}
        new, warnings = mended(tree, registry)
        _, y, x, c = new["inputs"][0]["axes"]
        assert (y["size"], x["size"], len(c["channel_names"])) == ({"min": 32, "step": 16}, {"min": 48, "step": 16}, 3)
        _, y, x, c = new["outputs"][0]["axes"]
        assert y == {"type": "space", "id": "y", "size": {"tensor_id": "raw", "axis_id": "y"}, "scale": 0.5, "halo": 8}
        assert len(c["channel_names"]) == 1
        assert {"inputs.0.shape.min", "inputs.0.shape.step", "outputs.0.shape.scale", "outputs.0.halo"} <= set(warnings)

    def test_which_is_missing_is_not_guessed(self, tree: dict[str, Any], registry: Registry) -> None:
        """Three numbers for byxc that may be those of b, y and x stay."""
        tree["inputs"][0]["shape"] = [1, 64, 64]
        assert "outputs.0.shape.scale" in errors(tree, registry)

    @pytest.mark.parametrize(("scale", "offset"), [([1, 1, 1, 2], [1, 0, 0, 0]), ([1, 1, 2], [0, 0, 0])])
    def test_new_batch_axis(self, tree: dict[str, Any], registry: Registry, scale: list[int], offset: list[int]) -> None:
        """An output with a batch axis that the input lacks: the scales are those of the other axes."""
        tree["inputs"][0] |= {"axes": "yxc", "shape": {"min": [64, 64, 3], "step": [16, 16, 0]}}
        tree["outputs"][0]["shape"] |= {"scale": scale, "offset": offset}
        tree["license"] = 3
        new, _ = mended(tree, registry)
        b, y, _, c = new["outputs"][0]["axes"]
        assert (b, y["size"], len(c["channel_names"])) == ({"type": "batch"}, {"tensor_id": "raw", "axis_id": "y"}, 6)

    def test_least_sizes(self, tree: dict[str, Any], registry: Registry) -> None:
        """Halo 40 takes all of 64 + 16 n up to n = 1: 96 is the least of which something is left."""
        tree["outputs"][0]["halo"] = [0, 40, 8, 0]
        new, warnings = mended(tree, registry)
        assert [axis["size"] for axis in new["inputs"][0]["axes"][1:3]] == [{"min": 96, "step": 16}, {"min": 64, "step": 16}]
        assert "inputs.0.shape.min" in warnings

    def test_exact(self, tree: dict[str, Any], registry: Registry) -> None:
        """The first drafts had a key for fixed shapes."""
        tree["inputs"][0]["shape"] = {"exact": [1, 64, 64, 3]}
        assert [axis.get("size") for axis in mended(tree, registry)[0]["inputs"][0]["axes"]] == [None, 64, 64, None]

    def test_missing_is_not_made_up(self, tree: dict[str, Any], registry: Registry) -> None:
        """Without a type of data, or with an unknown size, there is no tensor."""
        del tree["outputs"][0]["data_type"]
        tree["outputs"][0]["shape"] = [1, -1, -1, 3]
        assert "outputs.0.data_type" in errors(tree, registry)


class TestSteps:
    """Processing; numbers by hand."""

    @pytest.mark.parametrize(
        ("written", "step"),
        [
            (
                {"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample", "axes": "xy"}},
                {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["x", "y"]}},
            ),
            (
                [{"scale_range": {"kwargs": {"mode": "per_sample", "axes": "xyz", "max_percentile": 99.0}}}],
                {"id": "scale_range", "kwargs": {"axes": ["x", "y"], "max_percentile": 99.0}},
            ),
            (
                [{"name": "zero_mean_unit_var", "kwargs": {"mean": 129, "std": [23]}}],
                {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 129.0, "std": 23.0}},
            ),
            (
                [{"name": "scale_linear", "kwargs": {"mode": "fixed", "gain": [10.0], "offset": [1.0]}}],
                {"id": "scale_linear", "kwargs": {"gain": 10.0, "offset": 1.0}},
            ),
            (
                [{"name": "min_max_normalization", "kwargs": {"mode": "fixed", "axes": "xy", "min": 2, "max": 10}}],
                {"id": "scale_linear", "kwargs": {"gain": 0.125, "offset": -0.25}},
            ),
        ],
    )
    def test_read_as(self, tree: dict[str, Any], registry: Registry, written: Any, step: Any) -> None:
        """Earlier forms of steps compute what they did."""
        tree["inputs"][0]["preprocessing"] = written
        tree["inputs"][0]["data_range"] = "[0, 255]"
        new, warnings = mended(tree, registry)
        assert new["inputs"][0]["preprocessing"][0] == step
        assert any(path.startswith("inputs.0.preprocessing") for path in warnings)

    def test_null(self, tree: dict[str, Any], registry: Registry) -> None:
        """No steps may be said by null."""
        tree["inputs"][0]["preprocessing"] = None
        new, warnings = mended(tree, registry)
        assert [step["id"] for step in new["inputs"][0]["preprocessing"]] == ["ensure_dtype"]
        assert warnings["inputs.0.preprocessing"] == ["null was left out"]

    def test_normalization(self, tree: dict[str, Any], registry: Registry) -> None:
        """The one step of the first drafts."""
        tree["inputs"][0]["normalization"] = {"name": "zero_mean_unit_var", "kwargs": {"mean": 1, "std": 2}}
        new, _ = mended(tree, registry)
        assert new["inputs"][0]["preprocessing"][0]["kwargs"] == {"mean": 1.0, "std": 2.0}

    @pytest.mark.parametrize(
        "step",
        [
            {"name": "zero_mean_unit_variance"},
            {"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_sample"}},
            {"name": "zero_mean_unit_variance", "kwargs": {"mean": [1, 2, 3], "std": [1, 2, 3]}},
            {"name": "custom"},
            {"name": "clip", "kwargs": {"min": 0, "max": 1, "mean": 3}},
        ],
    )
    def test_not_guessed(self, tree: dict[str, Any], registry: Registry, step: Any) -> None:
        """What a step computes is not changed by adding or taking away arguments."""
        tree["inputs"][0]["preprocessing"] = [step]
        assert all(path.startswith("inputs.0.preprocessing.0") for path in errors(tree, registry))


class TestWeights:
    """Weights and architectures."""

    def test_former_name(self, tree: dict[str, Any], registry: Registry) -> None:
        """Of pytorch_script, also as a parent."""
        weights = tree["weights"]
        weights["pytorch_script"] = weights.pop("torchscript")
        weights["onnx"]["parent"] = "pytorch_script"
        new, warnings = mended(tree, registry)
        assert new["weights"]["onnx"]["parent"] == "torchscript"
        assert new["weights"]["torchscript"] == {"source": "w.pt", "sha256": "b" * 64, "pytorch_version": "2.0"}
        assert "weights.pytorch_script" in warnings

    def test_listed(self, early: dict[str, Any], registry: Registry) -> None:
        """Of a list the first entry is kept in its place, the others in the config."""
        first, second = ({"id": name, "source": f"{name}.pt", "sha256": "d" * 64} for name in ("one", "two"))
        early["weights"] = [first, second]
        new, warnings = mended(early, registry)
        entry = new["weights"]["pytorch_state_dict"]
        assert (entry["source"], entry["sha256"], entry["architecture"]["kwargs"]) == ("one.pt", "d" * 64, {"depth": 3})
        assert new["config"]["repaired"] == {"weights.1": second, "weights.pytorch_state_dict.id": "one"}
        assert "its first entry was read as pytorch_state_dict" in warnings["weights"][0]

    def test_model_block(self, early: dict[str, Any], registry: Registry) -> None:
        """The drafts had the architecture under model, and the hash of its file nowhere."""
        early["model"] = {key: early.pop(key) for key in ("source", "kwargs", "language", "framework")} | {"covers": ["a.png"]}
        del early["sha256"], early["type"]
        new, _ = mended(early, registry)
        architecture = {"source": "net.py", "callable": "Net", "kwargs": {"depth": 3}}
        assert new["weights"]["pytorch_state_dict"]["architecture"] == architecture
        assert new["config"]["repaired"] == {"model.covers": ["a.png"]}

    @pytest.mark.parametrize("written", ["net.py::Net", "https://example.com/files/net.py:Net/content"])
    def test_architecture(self, early: dict[str, Any], registry: Registry, written: str) -> None:
        """One colon, and the name last; arguments under an earlier name."""
        early |= {"source": written, "optional_kwargs": early.pop("kwargs")}
        new, _ = mended(early, registry)
        architecture = new["weights"]["pytorch_state_dict"]["architecture"]
        assert architecture["source"] in ("net.py", "https://example.com/files/net.py/content")
        assert (architecture["callable"], architecture["kwargs"]) == ("Net", {"depth": 3})

    def test_architecture_for_nobody(self, early: dict[str, Any], registry: Registry) -> None:
        """An architecture that no weights need is kept, not dropped."""
        del early["type"]
        early["weights"] = {"torchscript": {"source": "w.pt"}}
        new, _ = mended(early, registry)
        assert new["config"]["repaired"] == {
            "source": "net.py:Net",
            "sha256": "c" * 64,
            "kwargs": {"depth": 3},
            "language": "python",
            "framework": "pytorch",
        }

    def test_version_that_is_none(self, tree: dict[str, Any], registry: Registry) -> None:
        """A version that can not be read is kept, and an early one assumed as for weights without."""
        tree["weights"]["torchscript"]["pytorch_version"] = "1.x"
        new, _ = mended(tree, registry)
        assert new["weights"]["torchscript"]["pytorch_version"] == "1.10"
        assert new["config"]["repaired"] == {"weights.torchscript.pytorch_version": "1.x"}

    def test_hashes_are_left_alone(self, tree: dict[str, Any], registry: Registry) -> None:
        """A hash that is none is for people to decide on, as is a file that nobody names; a word that says nothing is left out."""
        tree["weights"]["onnx"]["sha256"] = "1234567"
        del tree["weights"]["torchscript"]["source"]
        assert set(errors(tree, registry)) == {"weights.onnx.sha256", "weights.torchscript.source"}
        tree["weights"] = {"onnx": {"source": "w.onnx", "sha256": "TODO"}}
        assert "sha256" not in mended(tree, registry)[0]["weights"]["onnx"]


class TestText:
    """What is not quite YAML."""

    @pytest.mark.parametrize(
        ("text", "tree", "said"),
        [
            (b"a:\n\tb: 1\n\tc: 2\n", {"a": {"b": 1, "c": 2}}, "tabs, which were read as steps of 8 columns"),
            (b"a:\n    b: 1\n\tc: 2\n", {"a": {"b": 1, "c": 2}}, "tabs, which were read as steps of 4 columns"),
            (b"a: 1\na: 1\n", {"a": 1}, "twice with the same value"),
            (b"a: 1\na: 2\n", {"a": 2, "config": {"repaired": {"a": 1}}}, "1 was moved to config.repaired"),
            (
                b"x:\n- {a: 1}\n- {a: 1, a: 2}\n",
                {"x": [{"a": 1}, {"a": 2}], "config": {"repaired": {"x.1.a": 1}}},
                "1 was moved to config.repaired",
            ),
            (b"---\n---\na: 1\n---\nb: 2\n", {"a": 1, "config": {"repaired": {"document 2": {"b": 2}}}}, "a description is one document"),
            ("a: ü".encode("cp1252"), {"a": "ü"}, "read as Windows-1252"),
            ("a: ü".encode("utf-16"), {"a": "ü"}, "found UTF-16"),
            (b"\xef\xbb\xbfa: 1", {"a": 1}, ""),
        ],
    )
    def test_read_as(self, text: bytes, tree: dict[str, Any], said: str) -> None:
        """Each is read as what it means, with a warning."""
        found, notes = load_damaged_yaml(text)
        assert found == tree
        assert [note.severity for note in notes] == ["warning"] * bool(said)
        assert said in "".join(note.message for note in notes)

    @pytest.mark.parametrize("text", [b"a: [1", b"a: b: c", b"- 1", b"", b"a: {b: 1, {}: 2}", b"a: &a [*a]"])
    def test_no_yaml(self, text: bytes) -> None:
        """What can not be read stays unread."""
        with pytest.raises(YamlError):
            load_damaged_yaml(text, source="it")

    @given(st.text(st.sampled_from("ab:-[]{}\t\n '\"#&*!|\ufeffü1."), max_size=30))
    def test_only_our_errors(self, text: str) -> None:
        """Any text is a mapping or an error of ours."""
        try:
            tree, _ = load_damaged_yaml(text.encode())
        except YamlError:
            return
        assert isinstance(tree, dict)


@pytest.fixture(scope="module")
def documents(shared: Path) -> tuple[dict[str, Any], ...]:
    """Real descriptions that the reference implementation refuses."""
    return Several(each.tree for each in refused(shared))


class TestAnyDamage:
    @settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(st.integers(0, 10_000), DAMAGES)
    def test_repaired_or_refused(self, documents: tuple[Any, ...], registry: Registry, which: int, damages: list[Damage]) -> None:
        """However a real description is damaged, it becomes a valid one, and the same again, or is refused with errors."""
        tree = damaged(documents[which % len(documents)], damages)
        try:
            descr, report = repair_and_update(tree, registry, "damaged.yaml")
        except InvalidDescriptionError as error:
            report = error.report  # type: ignore[assignment]
        if report.errors:
            return
        newest = unstructure(descr)
        assert validate_tree(newest, registry).status == "valid"
        assert unstructure(update_tree(newest, registry)[0]) == newest


class TestPublicFunctions:
    def test_repair(self, early: dict[str, Any]) -> None:
        """Repairs are made when asked for, and reported."""
        del early["type"]
        with pytest.raises(InvalidDescriptionError, match="type: expected a string, found none"):
            bc.update_format(early)
        reports: list[ValidationReport] = []
        descr = bc.update_format(early, repair=True, report=reports.append)
        assert descr.format_version == "0.5.14"
        assert next(issue.path for issue in reports[0].issues if issue.severity == "warning") == "type"
        assert "type" not in early

    def test_bytes(self) -> None:
        """A file that is not quite YAML is read only when repairs are asked for."""
        text = b"type: dataset\nformat_version: 0.2.4\nname: cells\nname: cells\ndescription: ''\n"
        with pytest.raises(YamlError, match="expected distinct keys"):
            bc.update_format(text)
        assert bc.update_format(text, repair=True).name == "cells"
        with pytest.raises(YamlError, match="expected valid YAML"):
            bc.update_format(b"a: [1", repair=True)
