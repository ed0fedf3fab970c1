from __future__ import annotations

import pickle
from typing import Any

import pytest

from bioimageio_core.registry import Registry
from bioimageio_core.spec.converters import make_converter
from bioimageio_core.spec.extensions import OpaqueOp, OpaqueWeights
from bioimageio_core.spec.model import v0_4, v0_5
from bioimageio_core.spec.model.tolerances import Tolerance, tolerances
from bioimageio_core.spec.validation import read_tree, validate_tree
from bioimageio_core.structuring.converter import unstructure
from bioimageio_core.structuring.problems import StructureProblems
from bioimageio_core.weights import descr_v0_4, descr_v0_5


class TestClasses:
    def test_v0_5(self, model: dict[str, Any], registry: Registry) -> None:
        """A description of format 0.5 is a frozen tree of nodes in the words of the format."""
        descr, _ = read_tree(model, registry)
        assert isinstance(descr, v0_5.ModelDescr)
        batch, channel, y, x = descr.inputs[0].axes
        assert batch == v0_5.BatchAxis(size=1)
        assert channel == v0_5.ChannelAxis(channel_names=("raw_intensity",))
        assert y == v0_5.SpaceInputAxis(id="y", size=512)
        assert x == v0_5.SpaceInputAxis(size=512)
        assert x.id == "x"
        assert descr.outputs[0].axes[2] == v0_5.SpaceOutputAxisWithHalo(
            id="y", size=v0_5.SizeReference(tensor_id="raw", axis_id="y"), halo=32
        )
        assert isinstance(descr.weights["onnx"], descr_v0_5.OnnxWeightsDescr)
        assert descr.weights["torchscript"].parent == "onnx"
        assert descr.outputs[0].dtype == "float32"
        with pytest.raises(AttributeError):
            descr.name = "other"  # type: ignore[misc]

    def test_v0_4(self, old_model: dict[str, Any], registry: Registry) -> None:
        """A description of format 0.4 keeps its own words."""
        descr, _ = read_tree(old_model, registry)
        assert isinstance(descr, v0_4.ModelDescr)
        assert descr.inputs[0].shape == v0_4.ParameterizedInputShape(min=(1, 1, 5, 5), step=(0, 0, 5, 5))
        assert descr.outputs[0].shape == v0_4.ImplicitOutputShape(
            reference_tensor="input", scale=(1.0, 0.0, 4.0, 4.0), offset=(0.0, 0.5, 0.0, 0.0)
        )
        assert isinstance(descr.weights["torchscript"], descr_v0_4.TorchscriptWeightsDescr)

    def test_pickle_and_hash(self, model: dict[str, Any], old_model: dict[str, Any], registry: Registry) -> None:
        """Descriptions can be sent to workers and used as keys."""
        for tree in (model, old_model):
            descr, _ = read_tree(tree, registry)
            assert pickle.loads(pickle.dumps(descr)) == descr
            assert len({descr, read_tree(tree, registry)[0]}) == 1

    @pytest.mark.parametrize(
        ("kwargs", "key"), [({"min": 3, "max": 1}, "max"), ({"min_percentile": 60, "max_percentile": 40}, "max_percentile")]
    )
    def test_clip_in_the_wrong_order(self, model: dict[str, Any], registry: Registry, kwargs: dict[str, Any], key: str) -> None:
        """Valid, as the format has no rule about it, but an alert: every prediction refuses it."""
        model["inputs"][0]["preprocessing"] = [{"id": "clip", "kwargs": kwargs}]
        alerts = {issue.path: issue.message for issue in read_tree(model, registry)[1].issues if issue.severity == "alert"}
        assert alerts[f"inputs.0.preprocessing.0.kwargs.{key}"].startswith(f"expected {key} of at least")

    @pytest.mark.parametrize(("written", "axis_id"), [("Y", "y"), ("c", "channel"), ("s", "channel"), ("T", "time"), ("i", "index")])
    def test_axis_ids_are_normalised(self, model: dict[str, Any], registry: Registry, written: str, axis_id: str) -> None:
        """Ids of axes are lower case and single letters are written out."""
        axis = {"type": "space", "id": written, "size": 3}
        assert make_converter(registry, "0.5").structure(axis, v0_5.SpaceInputAxis).id == axis_id

    def test_batch_id_is_for_batch_axes(self, registry: Registry) -> None:
        """No other axis may be called batch, however it is spelt."""
        with pytest.raises(StructureProblems, match="expected the id of an axis other than batch"):
            make_converter(registry, "0.5").structure({"type": "space", "id": "B", "size": 3}, v0_5.SpaceInputAxis)

    def test_unit_of_data_is_normalised(self, registry: Registry) -> None:
        """Products of units are joined by a middle dot."""
        data = make_converter(registry, "0.5").structure({"unit": "kg*m^2/s"}, v0_5.IntervalOrRatioDataDescr)
        assert data.unit == "kg·m^2/s"


class TestWriting:
    def test_built_in_python(self) -> None:
        """Of a node built in Python what differs from the defaults is written, and what names its class."""
        assert unstructure(v0_5.BatchAxis()) == {"type": "batch"}
        assert unstructure(v0_5.SpaceInputAxis(size=v0_5.ParameterizedSize(min=2, step=4), id="y")) == {
            "type": "space",
            "id": "y",
            "size": {"min": 2, "step": 4},
        }

    def test_explicit_defaults_and_unknown_keys_are_kept(self, model: dict[str, Any], registry: Registry) -> None:
        """What the document said is written back, defaults and free keys included."""
        model["description"] = ""
        model["inputs"][0]["axes"][3]["id"] = "x"
        model["config"] = {"mine": {"list": [1, {"deep": None}]}, "bioimageio": {"new key": 1}}
        written = unstructure(read_tree(model, registry)[0])
        assert written["description"] == ""
        assert written["inputs"][0]["axes"][3]["id"] == "x"
        assert written["config"] == model["config"]
        assert "links" not in written

    def test_order_of_keys(self, model: dict[str, Any], registry: Registry) -> None:
        """Keys have the order of the class, whatever the order of the document."""
        keys = list(unstructure(read_tree(model, registry)[0]))
        assert keys[:3] == ["format_version", "type", "name"]
        assert keys == list(unstructure(read_tree(dict(reversed(model.items())), registry)[0]))


class TestUnknownExtensions:
    def test_ops_and_weights_are_kept(self, model: dict[str, Any], registry: Registry) -> None:
        """What no plugin knows is alerted to, kept whole and written back unchanged."""
        step = {"id": "no_such_op", "kwargs": {"a": [1, None]}, "more": {}}
        entry = {"source": "w.bin", "parent": "onnx", "anything": [1]}
        model["inputs"][0]["preprocessing"].append(step)
        model["weights"]["no_such_format"] = entry
        descr, report = read_tree(model, registry)
        assert isinstance(descr.inputs[0].preprocessing[-1], OpaqueOp)
        assert descr.weights["no_such_format"].parent == "onnx"
        assert isinstance(descr.weights["no_such_format"], OpaqueWeights)
        alerts = {issue.path for issue in report.issues if issue.severity == "alert"}
        assert {f"inputs.0.preprocessing.{len(descr.inputs[0].preprocessing) - 1}", "weights.no_such_format"} <= alerts
        written = unstructure(descr)
        assert written["inputs"][0]["preprocessing"][-1] == step
        assert written["weights"]["no_such_format"] == entry

    @pytest.mark.parametrize("name", ["", " ", "a b", "../x", "a/b", "ä", "1st", "-x"])
    def test_names_that_no_plugin_can_have(self, model: dict[str, Any], registry: Registry, name: str) -> None:
        """Errors, of ops and of weights, since nothing can ever bring them."""
        model["inputs"][0]["preprocessing"].append({"id": name})
        model["weights"][name] = {"source": "w.bin"}
        at = f"inputs.0.preprocessing.{len(model['inputs'][0]['preprocessing']) - 1}.id"
        report = validate_tree(model, registry)
        assert {issue.path: issue.message for issue in report.errors} == dict.fromkeys(
            (at, f"weights.{name}"), f"expected a letter followed by letters, digits, '_', '-' or '.', found {name!r}"
        )

    def test_run_modes(self, model: dict[str, Any], registry: Registry) -> None:
        """Any run mode is read, with a warning."""
        model["run_mode"] = {"name": "mine", "kwargs": {"a": 1}}
        descr, report = read_tree(model, registry)
        assert descr.run_mode is not None
        assert descr.run_mode.kwargs == {"a": 1}
        assert ("warning", "run_mode.name") in {(issue.severity, issue.path) for issue in report.issues}


class TestVersions:
    def test_newer_micro_and_minor(self, model: dict[str, Any], registry: Registry) -> None:
        """Newer versions are read as the newest known one, with an alert."""
        model["documentation"] = {"source": "README.md"}
        model["covers"] = []
        for version in ("0.5.99", "0.6.0"):
            model["format_version"] = version
            descr, report = read_tree(model, registry)
            assert descr.format_version == "0.5.14"
            assert report.format_version == version
            assert report.issues[0].severity == "alert"
            assert report.issues[0].path == "format_version"

    def test_strings_for_files(self, model: dict[str, Any], registry: Registry) -> None:
        """Up to 0.5.10 strings were files; later they are errors."""
        model["format_version"] = "0.5.10"
        descr, report = read_tree(model, registry)
        assert isinstance(descr, v0_5.ModelDescr)
        assert descr.documentation is not None
        assert descr.documentation.source == "README.md"
        assert {issue.path for issue in report.issues if issue.severity == "info"} == {"documentation", "covers"}
        model["format_version"] = "0.5.11"
        assert {issue.path for issue in validate_tree(model, registry).errors} == {"documentation", "covers.0"}

    @pytest.mark.parametrize("config", [None, [], ""])
    def test_dependencies_beside_a_config_that_is_none(self, old_model: dict[str, Any], registry: Registry, config: Any) -> None:
        """Values that move into ``config`` do not hide that it is no mapping."""
        report = validate_tree({**old_model, "format_version": "0.4.0", "dependencies": "conda:env.yaml", "config": config}, registry)
        assert "config" in [issue.path for issue in report.errors]

    def test_0_4_0(self, old_model: dict[str, Any], registry: Registry) -> None:
        """What micro versions of 0.4 moved is found where it is now."""
        old_model |= {"format_version": "0.4.0", "dependencies": "conda:env.yaml", "name": "a/b", "authors": ["Me"]}
        old_model["config"] = {"bioimageio": {"nickname": "nice-one", "nickname_icon": "🦈"}}
        old_model["weights"]["pytorch_state_dict"] = {"source": "w.pt", "architecture": "torch.nn.Identity"}
        descr, report = read_tree(old_model, registry)
        assert isinstance(descr, v0_4.ModelDescr)
        assert descr.weights["pytorch_state_dict"].dependencies == "conda:env.yaml"
        assert (descr.name, descr.id, descr.id_emoji, descr.authors[0].name) == ("ab", "nice-one", "🦈", "Me")
        assert {issue.path for issue in report.issues if issue.severity == "info"} == {
            "dependencies",
            "name",
            "authors",
            "config.bioimageio.nickname",
            "config.bioimageio.nickname_icon",
        }


class TestTolerances:
    def test_defaults(self, model: dict[str, Any], registry: Registry) -> None:
        """Without configuration continuous outputs get the default tolerance."""
        descr, _ = read_tree(model, registry)
        assert tolerances(descr) == (Tolerance(relative=1e-3, absolute=1e-3, mismatched_per_million=100, output_ids=("probability",)),)

    def test_configured(self, model: dict[str, Any], registry: Registry) -> None:
        """Configured tolerances come first; discrete outputs are compared exactly."""
        model["outputs"][0]["data"] = {"type": "uint8"}
        model["config"] = {
            "bioimageio": {
                "reproducibility_tolerance": [
                    {"output_ids": "any_discrete_output", "weights_formats": ["onnx"]},
                    {"relative_tolerance": 0.005},
                ]
            }
        }
        descr, _ = read_tree(model, registry)
        assert tolerances(descr) == (
            Tolerance(relative=0, absolute=0, mismatched_per_million=1000, output_ids=("probability",), weights_formats=("onnx",)),
            Tolerance(relative=0.005, absolute=1e-3, mismatched_per_million=100, output_ids=("probability",)),
            Tolerance(relative=0, absolute=0, mismatched_per_million=1000, output_ids=("probability",)),
        )

    def test_kwargs_of_older_tools(self, model: dict[str, Any], registry: Registry) -> None:
        """Written by weights format; they come after those that the format describes, and what is no tolerance is left out."""
        model["config"] = {
            "bioimageio": {
                "reproducibility_tolerance": [{"weights_formats": ["onnx"]}],
                "test_kwargs": {
                    "torchscript": {"absolute_tolerance": 0.01, "relative_tolerance": 0.02, "decimal": 4},
                    "onnx": {"mismatched_elements_per_million": 50},
                    "keras_hdf5": {"absolute_tolerance": "much"},
                    "other": 3,
                },
            }
        }
        descr, _ = read_tree(model, registry)
        ids = ("probability",)
        assert tolerances(descr) == (
            Tolerance(relative=1e-3, absolute=1e-3, mismatched_per_million=100, output_ids=ids, weights_formats=("onnx",)),
            Tolerance(relative=0.02, absolute=0.01, mismatched_per_million=100, output_ids=ids, weights_formats=("torchscript",)),
            Tolerance(relative=1e-3, absolute=1e-3, mismatched_per_million=50, output_ids=ids, weights_formats=("onnx",)),
            Tolerance(relative=1e-3, absolute=1e-3, mismatched_per_million=100, output_ids=ids),
        )
