from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.application import v0_2 as application_v0_2
from bioimageio_core.spec.application import v0_3 as application_v0_3
from bioimageio_core.spec.dataset import v0_2 as dataset_v0_2
from bioimageio_core.spec.dataset import v0_3 as dataset_v0_3
from bioimageio_core.spec.generic import v0_2 as generic_v0_2
from bioimageio_core.spec.generic import v0_3 as generic_v0_3
from bioimageio_core.spec.model import v0_4, v0_5
from bioimageio_core.spec.notebook import v0_2 as notebook_v0_2
from bioimageio_core.spec.notebook import v0_3 as notebook_v0_3
from bioimageio_core.spec.validation import read_tree, validate_tree
from bioimageio_core.spec.yaml import load_yaml


def least(type_: str, version: str) -> dict[str, Any]:
    """The least that a valid description has."""
    tree = {"type": type_, "format_version": version, "name": "Five letters", "description": ""}
    return {**tree, "source": "a.ipynb"} if type_ == "notebook" else tree


class TestClasses:
    @pytest.mark.parametrize(
        ("type_", "version", "cls"),
        [
            ("application", "0.2.0", application_v0_2.ApplicationDescr),
            ("application", "0.3.0", application_v0_3.ApplicationDescr),
            ("dataset", "0.2.4", dataset_v0_2.DatasetDescr),
            ("dataset", "0.3.4", dataset_v0_3.DatasetDescr),
            ("notebook", "0.2.2", notebook_v0_2.NotebookDescr),
            ("notebook", "0.3.2", notebook_v0_3.NotebookDescr),
            ("workflow", "0.2.3", generic_v0_2.GenericDescr),
            ("", "0.3.4", generic_v0_3.GenericDescr),
            ("ray-serve", "0.6.0", generic_v0_3.GenericDescr),
        ],
    )
    def test_class_by_type_and_version(self, registry: Registry, type_: str, version: str, cls: type) -> None:
        """Each type has a class per format version; a type that nobody knows is generic, a version that nobody knows the newest."""
        descr, _ = read_tree(least(type_, version), registry)
        assert type(descr) is cls
        assert descr.type == type_

    @pytest.mark.parametrize(
        ("version", "status"), [("0.3", "valid"), ("0", "valid"), ("1.0.0", "valid"), ("0.2", "invalid"), ("x", "invalid")]
    )
    def test_spelling_of_versions(self, registry: Registry, version: str, status: str) -> None:
        """Versions of format 0.2 have three numbers; beyond it any number will do."""
        assert validate_tree(least("dataset", version), registry).status == status

    def test_unknown_keys(self, registry: Registry) -> None:
        """Generic descriptions keep keys that the format does not name; other types refuse them."""
        descr, _ = read_tree({**least("workflow", "0.2.4"), "steps": [1]}, registry)
        assert descr.written.unknown == {"steps": (1,)}
        report = validate_tree({**least("dataset", "0.2.4"), "steps": [1]}, registry)
        assert [issue.path for issue in report.errors] == ["steps"]


class TestRules:
    def test_what_others_will_miss_v0_2(self, registry: Registry) -> None:
        """In format 0.2 it is authors, something to cite and a license."""
        report = validate_tree(least("dataset", "0.2.4"), registry)
        assert [(i.path, i.severity) for i in report.issues] == [("authors", "warning"), ("cite", "warning"), ("license", "warning")]

    def test_what_others_will_miss_v0_3(self, registry: Registry) -> None:
        """In format 0.3 it is more, for datasets also the source; authors want somebody who looks after the resource."""
        report = validate_tree({**least("dataset", "0.3.4"), "authors": [{"name": "A"}]}, registry)
        missing = ["description", "cite", "license", "documentation", "tags", "source", "maintainers"]
        assert [(i.path, i.severity) for i in report.issues] == [(key, "alert") for key in missing]

    @pytest.mark.parametrize(
        ("version", "key", "value", "is_valid"),
        [
            ("0.2.4", "covers", ["a.TIF"], True),
            ("0.3.4", "covers", [{"source": "a.TIF"}], False),
            ("0.3.3", "covers", ["a.png"], True),
            ("0.3.4", "covers", ["a.png"], False),
            ("0.2.4", "documentation", "rdf.yaml", True),
            ("0.3.4", "documentation", {"source": "a.MD"}, False),
            ("0.2.4", "id_emoji", "ab", False),
            ("0.3.4", "id_emoji", "ab", True),
            ("0.2.4", "authors", ["Ada"], True),
            ("0.3.4", "authors", ["Ada"], False),
            ("0.2.4", "license", "mine", True),
            ("0.3.4", "license", "mine", False),
            ("0.2.4", "git_repo", "none", True),
            ("0.3.4", "git_repo", "none", False),
            ("0.2.4", "id", "Up", True),
            ("0.3.4", "id", "Up", False),
            ("0.2.4", "config", {"bioimageio": 1}, True),
            ("0.3.4", "config", {"bioimageio": 1}, False),
            ("0.2.4", "badges", [{"label": "b", "url": "http://a.b"}], True),
            ("0.2.4", "badges", [{"label": "b", "url": "a.b"}], False),
            ("0.3.4", "parent", "some/id", True),
        ],
    )
    def test_fields(self, registry: Registry, version: str, key: str, value: Any, is_valid: bool) -> None:
        """The same key can be right in one version and wrong in the other."""
        report = validate_tree({**least("dataset", version), key: value}, registry)
        assert (report.status == "valid") is is_valid
        assert all(issue.path.startswith(key) for issue in report.errors)

    def test_notebooks_have_a_source(self, registry: Registry) -> None:
        """A notebook is a file whose name ends in .ipynb."""
        tree = least("notebook", "0.3.4")
        assert (
            validate_tree({**tree, "source": "a.py"}, registry).errors[0].message == "expected a file name ending in .ipynb, found 'a.py'"
        )
        del tree["source"]
        assert validate_tree(tree, registry).errors[0].path == "source"


class TestDatasetsWithinModels:
    @pytest.mark.parametrize(("version", "cls"), [("0.2.2", dataset_v0_2.DatasetDescr), ("0.3.0", dataset_v0_3.DatasetDescr)])
    def test_v0_5(self, model: dict[str, Any], registry: Registry, version: str, cls: type) -> None:
        """The dataset keeps its own version."""
        descr, _ = read_tree({**model, "training_data": least("dataset", version)}, registry)
        assert isinstance(descr, v0_5.ModelDescr)
        assert type(descr.training_data) is cls

    def test_v0_4(self, old_model: dict[str, Any], registry: Registry) -> None:
        """Models of format 0.4 describe datasets of format 0.2."""
        descr, _ = read_tree({**old_model, "training_data": least("dataset", "0.2.0")}, registry)
        assert isinstance(descr, v0_4.ModelDescr)
        assert isinstance(descr.training_data, dataset_v0_2.DatasetDescr)

    def test_problems_name_the_dataset(self, model: dict[str, Any], registry: Registry) -> None:
        """What is wrong with the dataset is found where it stands."""
        report = validate_tree({**model, "training_data": {**least("dataset", "0.3.4"), "name": "a"}}, registry)
        assert [issue.path for issue in report.errors] == ["training_data.name"]


class TestModelsOfFormat03:
    def test_read_as_v0_4(self, old_model: dict[str, Any], registry: Registry) -> None:
        """The architecture moves to the PyTorch weights, people become mappings, references are to tensors."""
        tree = {key: value for key, value in old_model.items() if key not in ("training_data", "parent")}
        shape = tree["outputs"][0]["shape"]
        tree["outputs"] = [{**tree["outputs"][0], "shape": {**shape, "reference_input": shape["reference_tensor"]}}]
        del tree["outputs"][0]["shape"]["reference_tensor"]
        tree |= {
            "format_version": "0.3.1",
            "authors": ["Ada", "Bo"],
            "config": {"future": {"0.3.2": {"authors": [{"affiliation": "Lab"}], "version": "1.2"}}},
            "language": "python",
            "source": "net.py:Net",
            "sha256": "a" * 64,
            "kwargs": {"depth": 2},
            "weights": {"pytorch_state_dict": {"source": "w.pt"}, "pytorch_script": {"source": "s.pt"}},
        }
        descr, report = read_tree(tree, registry)
        assert isinstance(descr, v0_4.ModelDescr)
        assert descr.authors == (generic_v0_2.Author(name="Ada", affiliation="Lab"), generic_v0_2.Author(name="Bo"))
        assert descr.version == "1.2"
        assert descr.outputs[0].shape.reference_tensor == "input"  # type: ignore[union-attr]
        entry = descr.weights["pytorch_state_dict"]
        assert (entry.architecture, entry.architecture_sha256, entry.kwargs) == ("net.py:Net", "a" * 64, {"depth": 2})
        assert "torchscript" in descr.weights
        assert report.format_version == "0.3.1"
        assert ("language", "warning") in [(issue.path, issue.severity) for issue in report.issues]

    def test_least_sizes(self, shared: Path, registry: Registry) -> None:
        """Images of which the halo of 47 leaves nothing are too small: the least size becomes 8 + 11 * 8 = 96."""
        tree = load_yaml((shared / "models" / "keras_tf_unet" / "rdf.yaml").read_bytes())
        descr, report = read_tree(tree, registry)
        assert isinstance(descr, v0_4.ModelDescr)
        assert descr.inputs[0].shape == v0_4.ParameterizedInputShape(min=(1, 96, 96, 1), step=(0, 8, 8, 0))
        assert "inputs.0.shape.min" in [issue.path for issue in report.issues if issue.severity == "warning"]

    def test_prediction_names_its_weights(self, shared: Path) -> None:
        """The model loads; what it would need to run is said."""
        with pytest.raises(BioimageioError, match="keras_hdf5"):
            bc.predict(shared / "models" / "keras_tf_unet" / "rdf.yaml", np.zeros((1, 96, 96, 1), np.float32))

    def test_versions(self, old_model: dict[str, Any], registry: Registry) -> None:
        """Later or shorter versions never existed."""
        for version in ("0.3.7", "0.3"):
            assert validate_tree({**old_model, "format_version": version}, registry).errors[0].path == "format_version"
