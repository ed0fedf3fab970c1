from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mending import model_0_3

import bioimageio_core as bc
from bioimageio_core.errors import InputError, InvalidDescriptionError, OutputError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.updating import update_tree
from bioimageio_core.spec.validation import ValidationReport, validate_tree
from bioimageio_core.spec.yaml import load_yaml
from bioimageio_core.structuring.converter import unstructure


def updated(tree: Any, registry: Registry) -> tuple[dict[str, Any], dict[str, str]]:
    """The tree in the newest version, and the severity of what that took by path."""
    descr, report = update_tree(tree, registry)
    return unstructure(descr), {issue.path: issue.severity for issue in report.issues if issue.severity in ("info", "warning")}


@pytest.fixture
def bare_model() -> dict[str, Any]:
    """A model of format 0.4 with one input and one output of letters bcyx."""
    tensor = {"name": "raw", "axes": "bcyx", "data_type": "float32", "shape": {"min": [1, 2, 32, 32], "step": [0, 0, 16, 0]}}
    shape = {"reference_tensor": "raw", "scale": [1, 1, 2, 0.5], "offset": [0, 0, -2, 1.5]}
    return {
        "format_version": "0.4.10",
        "type": "model",
        "name": "A model",
        "description": "",
        "timestamp": "2024-01-01T00:00:00",
        "documentation": "README.md",
        "authors": [{"name": "Ada"}],
        "cite": [{"text": "t", "url": "https://example.com"}],
        "license": "MIT",
        "inputs": [tensor],
        "outputs": [{"name": "seg", "axes": "bcyx", "data_type": "float32", "shape": shape}],
        "test_inputs": ["in.npy"],
        "test_outputs": ["out.npy"],
        "weights": {"onnx": {"source": "w.onnx", "opset_version": 15, "sha256": "a" * 64}},
    }


class TestCorpus:
    def test_all_that_the_reference_can(self, verdicts: tuple[Any, ...], registry: Registry) -> None:
        """What the reference implementation can bring to the newest version is valid there, and most of what it can not."""
        beyond: set[str] = set()
        failed: set[str] = set()
        for verdict in verdicts:
            if validate_tree(verdict.tree, registry).status == "invalid":
                continue
            try:
                descr, report = update_tree(verdict.tree, registry, verdict.sha)
            except InvalidDescriptionError:
                failed.add(verdict.sha)
                continue
            assert report.status == "valid"
            assert descr.format_version in ("0.3.4", "0.5.14")
            assert validate_tree(unstructure(descr), registry).status == "valid", verdict.sha
            if not verdict.is_valid_updated:
                beyond.add(verdict.sha)
        assert not failed & {verdict.sha for verdict in verdicts if verdict.is_valid_updated}
        assert (len(beyond), len(failed)) == (108, 6)

    def test_twice_is_once(self, verdicts: tuple[Any, ...], registry: Registry) -> None:
        """What is of the newest version stays as it is."""
        for verdict in verdicts[::7]:
            if verdict.is_valid_updated:
                once, _ = update_tree(verdict.tree, registry)
                assert update_tree(unstructure(once), registry)[0] == once, verdict.sha


class TestGeneric:
    def test_everything_is_said(self, registry: Registry) -> None:
        """Each change has its path: information where nothing is lost, a warning where something is."""
        tree = {
            "format_version": "0.2.0",
            "type": "dataset",
            "name": "a/b: cells",
            "description": "",
            "authors": ["X/Y"],
            "icon": "ic.png",
            "covers": ["a.png", "b.tif"],
            "documentation": "https://example.com/page",
            "license": "bsd 3 clause license",
            "git_repo": "see page",
            "download_url": "https://example.com/zip",
            "version_number": 2,
            "attachments": {"files": ["f.txt"], "other": 1},
            "config": {"bioimageio": {"nickname": "Nice-name"}},
        }
        new, notes = updated(tree, registry)
        kept = ("format_version", "type", "name", "authors", "icon", "covers", "license", "attachments")
        assert {key: new[key] for key in kept} == {
            "format_version": "0.3.4",
            "type": "dataset",
            "name": "ab  cells",
            "authors": [{"name": "XY"}],
            "icon": {"source": "ic.png"},
            "covers": [{"source": "a.png"}],
            "license": "BSD-3-Clause",
            "attachments": [{"source": "f.txt"}, {"source": "b.tif"}],
        }
        assert new["links"] == ["https://example.com/page", "see page"]
        assert (new["id"], new["version"]) == ("nice-name", 2)
        assert not {"documentation", "git_repo", "download_url", "version_number"} & set(new)
        lost = {"covers.1", "documentation", "git_repo", "download_url", "attachments.other"}
        assert all(notes[path] == "warning" for path in lost)
        assert all(notes[path] == "info" for path in ("authors", "license", "version_number", "config.bioimageio.nickname"))

    def test_what_can_not_be_guessed(self, registry: Registry) -> None:
        """An error names the field of the new version that people have to decide on."""
        tree = {"format_version": "0.2.4", "type": "dataset", "name": "cells", "description": "", "license": "mine"}
        with pytest.raises(InvalidDescriptionError, match="cannot be updated: license: expected an identifier") as caught:
            update_tree(tree, registry, "it")
        assert [issue.path for issue in caught.value.report.errors] == ["license"]


class TestTensors:
    def test_sizes(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Scale 2 and offset -2 are an axis of scale 0.5 with an offset of -4 pixels; a halo goes along."""
        bare_model["outputs"][0]["halo"] = [0, 0, 8, 0]
        new, _ = updated(bare_model, registry)
        assert new["inputs"][0]["axes"] == [
            {"type": "batch"},
            {"type": "channel", "channel_names": ["channel0", "channel1"]},
            {"type": "space", "id": "y", "size": {"min": 32, "step": 16}},
            {"type": "space", "id": "x", "size": 32},
        ]
        y, x = new["outputs"][0]["axes"][2:]
        reference = {"tensor_id": "raw", "axis_id": "y", "offset": -4}
        assert y == {"type": "space", "id": "y", "size": reference, "scale": 0.5, "halo": 8}
        assert x == {"type": "space", "id": "x", "size": {"tensor_id": "raw", "axis_id": "x", "offset": 3}, "scale": 2.0}

    def test_halo_of_fixed_size(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Only sizes that refer to another axis have a halo, so they refer to the input of fixed size."""
        bare_model["inputs"][0]["shape"] = [1, 2, 64, 64]
        bare_model["outputs"][0] |= {"shape": [1, 1, 128, 60], "halo": [0, 0, 4, 4]}
        new, _ = updated(bare_model, registry)
        y, x = new["outputs"][0]["axes"][2:]
        assert y == {"type": "space", "id": "y", "size": {"tensor_id": "raw", "axis_id": "y"}, "scale": 0.5, "halo": 4}
        assert x == {"type": "space", "id": "x", "size": {"tensor_id": "raw", "axis_id": "x", "offset": -4}, "halo": 4}

    def test_halo_is_a_whole_number_of_pixels(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """A halo of 3 at twice the resolution is one and a half pixels of the input: 4 is the next that fits."""
        bare_model["outputs"][0]["halo"] = [0, 0, 3, 0]
        new, notes = updated(bare_model, registry)
        assert new["outputs"][0]["axes"][2]["halo"] == 4
        assert notes["outputs.0.halo.2"] == "warning"

    def test_reference_to_an_output(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Of a chain of references the sizes are multiplied out: (n * 2 - 4) * 2 + 2 = 4 n - 6."""
        shape = {"reference_tensor": "seg", "scale": [1, 1, 2, 1], "offset": [0, 0, 1, 0]}
        bare_model["outputs"].append({"name": "big", "axes": "bcyx", "data_type": "uint8", "shape": shape})
        new, _ = updated(bare_model, registry)
        y = new["outputs"][1]["axes"][2]
        assert y == {"type": "space", "id": "y", "size": {"tensor_id": "raw", "axis_id": "y", "offset": -6}, "scale": 0.25}
        assert len(new["outputs"][1]["axes"][1]["channel_names"]) == 2

    def test_new_axis(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """An axis that the reference lacks has twice its offset as size."""
        shape = {"reference_tensor": "raw", "scale": [1, 1, None, 1, 1], "offset": [0, 0, 2.5, 0, 0]}
        bare_model["outputs"][0] |= {"axes": "bczyx", "shape": shape}
        new, _ = updated(bare_model, registry)
        assert new["outputs"][0]["axes"][2] == {"type": "space", "id": "z", "size": 5}

    def test_nothing_is_dropped(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Ranges, descriptions, samples and hashes are kept; files of no tensor become attachments."""
        bare_model["inputs"][0] |= {"description": "d" * 130, "data_range": [0.0, float("inf")]}
        bare_model["outputs"][0] |= {"data_type": "bool", "description": "mask"}
        bare_model["sample_inputs"] = ["s.tif", "t.tif"]
        new, notes = updated(bare_model, registry)
        raw, seg = new["inputs"][0], new["outputs"][0]
        assert raw["description"] == "d" * 128
        assert raw["data"] == {"type": "float32", "range": [0.0, None]}
        assert (raw["test_tensor"], raw["sample_tensor"]) == ({"source": "in.npy"}, {"source": "s.tif"})
        assert (seg["description"], seg["data"]) == ("mask", {"values": [False, True], "type": "bool"})
        assert new["attachments"] == [{"source": "t.tif"}]
        assert new["weights"]["onnx"]["sha256"] == "a" * 64
        assert notes == {"inputs.0.description": "warning", "sample_inputs.1": "warning", "inputs.0.data_range": "info"}

    def test_rank_has_to_fit(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Where shape and axes differ in number nothing is guessed."""
        bare_model["inputs"][0]["shape"] = [1, 2, 64]
        bare_model["outputs"][0]["shape"] = [1, 2, 64, 64]
        with pytest.raises(InvalidDescriptionError, match=r"cannot be updated: inputs\.0\.shape: expected a number for each"):
            update_tree(bare_model, registry)


class TestProcessing:
    @pytest.mark.parametrize(
        ("step", "converted"),
        [
            (
                {"name": "scale_linear", "kwargs": {"axes": "yx", "gain": [2.0, 3.0], "offset": 0.5}},
                {"id": "scale_linear", "kwargs": {"axis": "channel", "gain": [2.0, 3.0], "offset": [0.5, 0.5]}},
            ),
            (
                {"name": "scale_linear", "kwargs": {"axes": "yx", "gain": 2.0}},
                {"id": "scale_linear", "kwargs": {"gain": 2.0, "offset": 0.0}},
            ),
            (
                {"name": "zero_mean_unit_variance", "kwargs": {"axes": "cyx", "mean": 1.0, "std": 2.0}},
                {"id": "fixed_zero_mean_unit_variance", "kwargs": {"mean": 1.0, "std": 2.0}},
            ),
            (
                {"name": "zero_mean_unit_variance", "kwargs": {"axes": "yx", "mean": [1.0, 2.0], "std": 4.0, "eps": 0.015625 + 1e-6}},
                {"id": "fixed_zero_mean_unit_variance", "kwargs": {"axis": "channel", "mean": [1.0, 2.0], "std": [4.015625, 4.015625]}},
            ),
            (
                {"name": "zero_mean_unit_variance", "kwargs": {"mode": "per_dataset", "axes": "cyx"}},
                {"id": "zero_mean_unit_variance", "kwargs": {"axes": ["batch", "channel", "y", "x"]}},
            ),
            (
                {"name": "scale_range", "kwargs": {"mode": "per_sample", "axes": "yx", "max_percentile": 99.0}},
                {"id": "scale_range", "kwargs": {"axes": ["y", "x"], "max_percentile": 99.0}},
            ),
            ({"name": "clip", "kwargs": {"min": 0.0, "max": 1.0}}, {"id": "clip", "kwargs": {"min": 0.0, "max": 1.0}}),
            ({"name": "sigmoid"}, {"id": "sigmoid"}),
        ],
    )
    def test_input(self, bare_model: dict[str, Any], registry: Registry, step: Any, converted: Any) -> None:
        """Modes and letters become axes; the network gets float32 as in format 0.4."""
        bare_model["inputs"][0]["preprocessing"] = [step]
        new, _ = updated(bare_model, registry)
        cast = {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}
        assert new["inputs"][0]["preprocessing"] == [converted, cast]

    def test_output(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """The tensor that statistics are of is kept; the mode for the dataset is said by the batch axis."""
        kwargs = {"mode": "per_dataset", "reference_tensor": "raw"}
        bare_model["outputs"][0]["postprocessing"] = [{"name": "scale_mean_variance", "kwargs": kwargs}]
        new, _ = updated(bare_model, registry)
        assert new["outputs"][0]["postprocessing"] == [
            {"id": "scale_mean_variance", "kwargs": {"axes": ["batch", "channel", "y", "x"], "reference_tensor": "raw"}},
            {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}},
        ]


class TestWeights:
    def test_entries(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Architectures and environments become parts; versions that are missing are assumed, with a warning."""
        torch = {
            "source": "w.pt",
            "architecture": "net.py:Net",
            "architecture_sha256": "b" * 64,
            "kwargs": {"depth": 3},
            "dependencies": "conda:https://example.com/env.yaml/content",
            "parent": "torchscript",
            "attachments": {"files": ["log.txt"]},
        }
        library = {"source": "w.h5", "tensorflow_version": "2.10", "dependencies": "pip:requirements.txt"}
        bare_model["weights"] |= {"pytorch_state_dict": torch, "keras_hdf5": library}
        new, notes = updated(bare_model, registry)
        assert new["weights"]["pytorch_state_dict"] == {
            "source": "w.pt",
            "architecture": {"source": "net.py", "sha256": "b" * 64, "callable": "Net", "kwargs": {"depth": 3}},
            "pytorch_version": "1.10",
            "dependencies": {"source": "https://example.com/env.yaml/content"},
        }
        assert new["weights"]["keras_hdf5"] == {"source": "w.h5", "tensorflow_version": "2.10"}
        assert new["attachments"] == [{"source": "log.txt"}, {"source": "requirements.txt"}]
        torch_path = "weights.pytorch_state_dict"
        paths = {f"{torch_path}.{key}" for key in ("pytorch_version", "attachments", "parent")} | {"weights.keras_hdf5.dependencies"}
        assert all(notes[path] == "warning" for path in paths)


class TestModelsOf03:
    """Values that format 0.3 has at the top, for weights that the model lacks."""

    @pytest.mark.parametrize("config", [{}, {"config": {"mine": 1}}, {"config": {"model_0_3": "taken"}}])
    def test_kept(self, registry: Registry, config: dict[str, Any]) -> None:
        """They are kept in ``config``, beside what is there, and nothing else about the architecture is dropped either."""
        former = {"source": "net.py:Net", "sha256": "c" * 64, "kwargs": {"depth": 3}, "dependencies": "conda:environment.yaml"}
        former |= {"language": "python", "framework": "pytorch"}
        tree = model_0_3() | former | config | {"weights": {"torchscript": {"source": "w.pt"}}}
        new, notes = updated(tree, registry)
        was = {"model_0_3": "taken"} if config.get("config") == {"model_0_3": "taken"} else {}
        assert new["config"] == {**config.get("config", {}), "model_0_3": {**was, **former}}
        assert all(notes[key] == "warning" for key in former)

    def test_numbers_that_config_cannot_hold(self, registry: Registry) -> None:
        """As text."""
        tree = model_0_3() | {"kwargs": {"most": float("inf")}, "weights": {"torchscript": {"source": "w.pt"}}}
        assert updated(tree, registry)[0]["config"]["model_0_3"]["kwargs"] == {"most": "inf"}

    def test_in_place(self, registry: Registry) -> None:
        """With the weights that they are for, ``config`` gets nothing."""
        new, _ = updated(model_0_3(), registry)
        assert "config" not in new
        assert new["weights"]["pytorch_state_dict"]["architecture"]["callable"] == "Net"


class TestLinks:
    def test_parent_and_training_data(self, bare_model: dict[str, Any], registry: Registry) -> None:
        """Numbers of versions become versions, a dataset in place one of format 0.3, addresses links."""
        dataset = {"type": "dataset", "format_version": "0.2.4", "name": "cells: a", "description": ""}
        bare_model |= {"parent": {"uri": "https://example.com/parent"}, "training_data": dataset}
        new, notes = updated(bare_model, registry)
        assert new["links"] == ["https://example.com/parent"]
        assert (new["training_data"]["format_version"], new["training_data"]["name"]) == ("0.3.4", "cells  a")
        assert (notes["parent"], notes["training_data.name"]) == ("warning", "warning")
        bare_model |= {"parent": {"id": "Some/Id", "version_number": 3}, "training_data": {"id": "data", "version_number": 1}}
        new, _ = updated(bare_model, registry)
        assert (new["parent"], new["training_data"]) == ({"id": "some/id", "version": 3}, {"id": "data", "version": 1})


class TestPublicFunctions:
    @pytest.mark.parametrize("name", ["upsample_test_model/v0_4.bioimageio.yaml", "unet2d_multi_tensor_v0_4"])
    def test_same_numbers(self, shared: Path, tmp_path: Path, name: str) -> None:
        """An updated model reproduces its test outputs as it did before."""
        pytest.importorskip("onnxruntime")
        source = shared / "models" / name
        folder = source if source.is_dir() else source.parent
        shutil.copytree(folder, tmp_path / "model", ignore=shutil.ignore_patterns("*.yaml"))
        reports: list[ValidationReport] = []
        descr = bc.update_format(source, report=reports.append)
        bc.save_description(descr, tmp_path / "model" / "bioimageio.yaml")
        assert descr.format_version == "0.5.14"
        assert reports[0].status == "valid"
        before, after = (bc.test_model(s, weights_format="onnx") for s in (source, tmp_path / "model"))
        assert after.status == before.status == "passed"
        for old, new in zip(before.tests[0].outputs, after.tests[0].outputs, strict=True):
            assert np.isclose(old.greatest_deviation, new.greatest_deviation, atol=1e-6)

    def test_saved_is_loaded(self, model: dict[str, Any], tmp_path: Path) -> None:
        """What is written is what is read; what it is comes first, and no file is lost by accident."""
        descr = bc.load_description(model)
        bc.save_description(descr, tmp_path / "a.yaml")
        assert bc.load_description(tmp_path / "a.yaml") == descr
        assert list(load_yaml((tmp_path / "a.yaml").read_bytes()))[:3] == ["format_version", "type", "name"]
        with pytest.raises(OutputError, match=r"a\.yaml exists already"):
            bc.save_description(descr, tmp_path / "a.yaml")
        bc.save_description(descr, str(tmp_path / "a.yaml"), overwrite=True)
        with pytest.raises(OutputError, match=r"can ?not be written"):
            bc.save_description(descr, tmp_path / "none" / "a.yaml")


class TestWantedVersion:
    """`load_description` with a format version."""

    def test_own_and_newest(self, bare_model: dict[str, Any]) -> None:
        """As it is written, or the newest of its type; in full or by major and minor."""
        for wanted in ("discover", "0.4", "0.4.10"):
            assert bc.load_description(bare_model, wanted).format_version == "0.4.10"
        for wanted in ("latest", "0.5", "0.5.14"):
            assert bc.load_description(bare_model, format_version=wanted).format_version == "0.5.14"
            assert bc.load_model_description(bare_model, wanted).format_version == "0.5.14"
        assert bc.load_description(bare_model).format_version == bc.load_model_description(bare_model).format_version == "0.4.10"

    def test_other_types(self) -> None:
        """Their newest format version is 0.3."""
        tree = {"type": "dataset", "format_version": "0.2.1", "name": "Five letters", "description": ""}
        for wanted, found in (("discover", "0.2.4"), ("0.2", "0.2.4"), ("latest", "0.3.4"), ("0.3", "0.3.4")):
            assert bc.load_description(tree, wanted).format_version == found

    @pytest.mark.parametrize("wanted", ["0.3", "0.4.9", "0.6", "1", "", "newest"])
    def test_neither(self, bare_model: dict[str, Any], wanted: str) -> None:
        """Anything else is refused, with what there is."""
        for load in (bc.load_description, bc.load_model_description):
            with pytest.raises(
                InputError, match=r"format 0\.4, which cannot be converted to .*: expected .* 'latest', or '0\.4' or '0\.5'"
            ):
                load(bare_model, wanted)

    def test_never_back(self, model: dict[str, Any]) -> None:
        """The newest is not brought to an older one."""
        with pytest.raises(InputError, match=r"is of format 0\.5, .* 'latest', or '0\.5'; descriptions are not converted to older"):
            bc.load_description(model, "0.4")
