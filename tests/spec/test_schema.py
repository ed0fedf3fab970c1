"""Generated JSON Schemas, judged by an independent validator."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from typing import Any, Literal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schema_judge import Judge, judge

from bioimageio_core.errors import InputError
from bioimageio_core.processing.op_needs import elementwise_needs
from bioimageio_core.registry import ProcessingOpEntry, Registry, WeightsFormatEntry
from bioimageio_core.spec import fields, strings
from bioimageio_core.spec.converters import make_converter
from bioimageio_core.spec.generic import v0_3
from bioimageio_core.spec.model.v0_5.data import SiUnit
from bioimageio_core.spec.node import Node, node
from bioimageio_core.spec.schema import ROOTS, json_schema
from bioimageio_core.spec.schema.types import SchemaTypes
from bioimageio_core.spec.validation import validate_tree
from bioimageio_core.typing import FrozenMapping

pytest.importorskip("jsonschema")

EXACT = {
    "Doi": strings.Doi,
    "DoiOrUrl": strings.DoiOrUrl,
    "HttpUrl": strings.HttpUrl,
    "PersonName": v0_3.PersonName,
    "ResourceId": strings.ResourceId,
    "ResourceIdAnyCase": strings.ResourceIdAnyCase,
    "Sha256": strings.Sha256,
    "SiUnit": SiUnit,
    "Version": strings.Version,
}
"""Types of strings whose schema takes what their check takes."""

WIDER = {
    "AxisId": fields.AxisId,
    "Email": strings.Email,
    "FileSource": strings.FileSource,
    "Identifier": fields.Identifier,
    "NonBatchAxisId": fields.NonBatchAxisId,
    "Orcid": strings.Orcid,
    "PackagedSource": strings.PackagedSource,
    "TensorId": fields.TensorId,
    "Timestamp": strings.Timestamp,
}
"""Types of strings whose schema takes more than their check: check digits, calendars, names of domains, letters beyond ASCII."""


class TestStrings:
    """What checks say they accept."""

    @pytest.mark.parametrize("name", sorted(EXACT | WIDER))
    def test_never_narrower(self, name: str) -> None:
        """What a check accepts fits its schema; where that is exact, and nothing ends in a line break, the other way round too."""
        type_ = (EXACT | WIDER)[name]
        schema = SchemaTypes(Registry(), "0.5", {}).of(type_)
        fits = judge(schema)
        converter = make_converter(Registry(), "0.5")
        holder = attrs.make_class("Holder", {"value": attrs.field(type=type_)}, bases=(Node,), frozen=True, kw_only=True)
        pattern = schema.get("pattern", r"^10\.[0-9]{4}/[a-z]{3}$")
        texts = st.text(max_size=40) | st.from_regex(pattern) | st.sampled_from(SAMPLES)

        @settings(max_examples=60, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
        @given(texts)
        def law(text: str) -> None:
            try:
                converter.structure({"value": text}, holder)
            except ValueError:
                assert name in WIDER or not fits(text) or text.splitlines() != [text]
            else:
                assert fits(text)

        law()


SAMPLES = [
    "https://example.org/a.npy", "HTTP://example.org?x", "https:a", "a.npy", "sub/bioimageio.yaml", "https://e.org/rdf.yaml/content?x=1",
    "b", "batch", "Batch", "if", "True", "x_1", "µm", "kg·m^2/s", "m s", "1.2.3rc1", "V1.0", "1!2+Ab.c", "2024-02-30",
    "2024-02-28T10:00:00", "2024-W05-1", "20240228", "2024", "0000-0002-1825-0097", "a@example.org", "Name <a@example.org>",
    "https://doi.org/10.1234/x", "10.1234/x", "a/b", "/a", "a/", "A-b", "f" * 64, " " + "F" * 64, "ä", "",
]  # fmt: skip


@node
class BlurKwargs(Node):
    """Arguments of `BlurDescr`."""

    sigma: float = attrs.field(validator=fields.in_range(above=0))
    """Standard deviation in pixels."""


@node
class BlurDescr(Node):
    """Gaussian blur."""

    id: Literal["blur"] = "blur"
    kwargs: BlurKwargs


class TestPlugins:
    """What the registry brings."""

    def test_op_of_a_plugin(self, registry: Registry, model: dict[str, Any]) -> None:
        """The arguments of a plugin's op are described and checked; without the plugin, any are taken."""
        entry = ProcessingOpEntry(
            name="blur", descr={"0.5": BlurDescr}, load=lambda: None, requirements=elementwise_needs, where=("preprocessing",)
        )  # type: ignore[arg-type,return-value]
        more = attrs.evolve(registry, processing_ops=FrozenMapping({**registry.processing_ops, "blur": entry}))
        schema = json_schema(more, type="model", format_version="0.5")
        kwargs = next(definition for name, definition in schema["$defs"].items() if name.endswith("BlurKwargs"))
        assert kwargs["properties"]["sigma"] == {
            "description": "Standard deviation in pixels.",
            "type": "number",
            "exclusiveMinimum": 0,
        }
        with_plugin, without = judge(schema), judge(json_schema(registry, type="model", format_version="0.5"))
        for step, good in (({"sigma": 1.5}, True), ({"sigma": 0}, False), ({"radius": 1}, False)):
            tree = copy.deepcopy(model)
            tree["inputs"][0]["preprocessing"] = [{"id": "blur", "kwargs": step}]
            assert with_plugin(tree) is good
            assert without(tree)
        tree = copy.deepcopy(model)
        tree["outputs"][0]["postprocessing"] = [{"id": "blur", "kwargs": {"sigma": 1.5}}]
        assert not with_plugin(tree)

    def test_weights(self, registry: Registry, model: dict[str, Any], fits: dict[str, Judge]) -> None:
        """Known formats are checked, unknown ones taken as they are, old spellings refused, null means none."""
        for entry, good in (
            ({"mine": {"source": 3}}, True),
            ({"mine": 3}, False),
            ({"onnx": {"source": "a.onnx"}}, False),
            ({"pytorch_script": {"source": "a.pt"}}, False),
            ({"tensorflow_js": None}, True),
        ):
            tree = {**model, "weights": {**model["weights"], **entry}}
            assert fits["model 0.5"](tree) is good, entry
            assert (validate_tree(tree, registry).status == "valid") is good, entry

    def test_weights_of_another_format(self, registry: Registry, old_model: dict[str, Any], fits: dict[str, Judge]) -> None:
        """Keras 3 is unknown to format 0.4."""
        assert isinstance(registry.weights_formats["keras_v3"], WeightsFormatEntry)
        tree = {**old_model, "weights": {**old_model["weights"], "keras_v3": {"source": "a.keras"}}}
        assert not fits["model 0.4"](tree)
        assert validate_tree(tree, registry).status == "invalid"


class TestContent:
    """What a schema tells its reader."""

    def test_fields(self, registry: Registry) -> None:
        """Descriptions from docstrings, defaults, limits and what is required, from the classes."""
        schema = json_schema(registry, type="model", format_version="0.5")
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert schema["title"] == "bioimage.io model 0.5"
        assert schema["required"] == ["format_version", "type", "name", "inputs", "outputs", "weights"]
        assert schema["additionalProperties"] is False
        definitions = schema["$defs"]
        axis = definitions["model.v0_5.axes.SpaceInputAxis"]
        assert axis["description"] == "A spatial axis of an input."
        assert axis["properties"]["type"] == {"const": "space"}
        assert axis["properties"]["scale"] == {
            "description": "In units per pixel.",
            "type": "number",
            "exclusiveMinimum": 0,
            "default": 1.0,
        }
        assert definitions["model.v0_5.config.BioimageioConfig"]["additionalProperties"] is True
        assert definitions["model.v0_5.tensors.Padding"]["properties"]["mode"]["enum"] == ["constant", "edge", "reflect", "symmetric"]

    def test_null(self, registry: Registry) -> None:
        """Only what may be null may be null."""
        definitions = json_schema(registry)["$defs"]
        old, new = (definitions[f"weights.descr_v0_{v}.TorchscriptWeightsDescr"]["properties"] for v in (4, 5))
        assert [part["type"] for part in old["pytorch_version"]["anyOf"]] == ["string", "number", "null"]
        assert [part["type"] for part in new["pytorch_version"]["anyOf"]] == ["string", "number"]

    def test_union_names_its_key(self, registry: Registry) -> None:
        """Axes go by their type, which has to be there."""
        items = json_schema(registry)["$defs"]["model.v0_5.tensors.InputTensorDescr"]["properties"]["axes"]["items"]
        assert items["required"] == ["type"]
        assert len(items["anyOf"]) == 5

    def test_earlier_forms(self, model: dict[str, Any], registry: Registry, fits: dict[str, Judge]) -> None:
        """A path as documentation was allowed until 0.5.10; later micro and minor versions are read as the latest known."""
        for version, path_allowed in (("0.5.10", True), ("0.5.11", False), ("0.5.99", False), ("0.6.0", False)):
            for documentation, good in (("README.md", path_allowed), ({"source": "README.md"}, True)):
                tree = {**model, "format_version": version, "documentation": documentation, "covers": []}
                assert fits["model 0.5"](tree) is fits["all"](tree) is good
                assert (validate_tree(tree, registry).status == "valid") is good

    @pytest.mark.parametrize("version", ["0.2.2", "0.3.7", "1.0.0", "0.5", "0.5.x", 0.5])
    def test_unread_versions(self, model: dict[str, Any], fits: dict[str, Judge], version: Any) -> None:
        """Versions that are not read do not fit."""
        assert not fits["model 0.5"]({**model, "format_version": version})
        assert not fits["all"]({**model, "format_version": version})

    @pytest.mark.parametrize(
        ("type_", "version", "documentation", "good"),
        [
            ("dataset", "0.3.3", "README.md", True),
            ("dataset", "0.3.4", "README.md", False),
            ("dataset", "0.3", "README.md", True),
            ("dataset", "1.0.0", "README.md", False),
            ("dataset", "1.0.0", {"source": "README.md"}, True),
            ("dataset", "0.2.4", "README.txt", True),
            ("dataset", "0.2", "README.txt", False),
            ("workflow", "0.2.0", "README.txt", True),
            ("workflow", "0.3.3", "README.txt", False),
            ("", "0.3.3", "README.md", True),
            ("collection", "0.2.4", "README.txt", False),
        ],
    )
    def test_types_and_versions(
        self, registry: Registry, fits: dict[str, Judge], type_: str, version: str, documentation: Any, good: bool
    ) -> None:
        """A type that nobody knows is generic, a version that nobody knows the newest; collections are not read."""
        tree = {"type": type_, "format_version": version, "name": "Five letters", "description": "", "documentation": documentation}
        assert (validate_tree(tree, registry).status == "valid") is fits["all"](tree) is good
        assert any(fits[f"{root.family} {root.format}"](tree) for root in ROOTS) is good

    def test_nicknames(self, registry: Registry, fits: dict[str, Judge]) -> None:
        """Up to 0.2.3 the nickname was the id, whatever else was called that."""
        tree = {"type": "dataset", "name": "Five letters", "description": "", "id": "no id!", "id_emoji": "none"}
        own = {"nickname": "affable-shark", "nickname_icon": "\U0001f988"}
        for version, config, good in (("0.2.3", own, True), ("0.2.4", own, False), ("0.2.3", {"nickname": "affable-shark"}, False)):
            changed = {**tree, "format_version": version, "config": {"bioimageio": config}}
            assert (validate_tree(changed, registry).status == "valid") is fits["all"](changed) is good
        assert not fits["all"]({**tree, "format_version": "0.2.3"})

    def test_datasets_within_models(self, registry: Registry, model: dict[str, Any], fits: dict[str, Judge]) -> None:
        """They keep their own version, and its earlier forms."""
        dataset = {"type": "dataset", "name": "Five letters", "description": "", "covers": ["a.png"]}
        for version, good in (("0.2.2", True), ("0.3.3", True), ("0.3.4", False)):
            tree = {**model, "training_data": {**dataset, "format_version": version}}
            assert (validate_tree(tree, registry).status == "valid") is fits["model 0.5"](tree) is fits["all"](tree) is good

    def test_other_keys(self, fits: dict[str, Judge]) -> None:
        """Only resources of types without a format of their own may have any."""
        tree = {"format_version": "0.3.4", "name": "Five letters", "steps": [1]}
        assert fits["all"]({**tree, "type": "workflow"})
        assert not fits["all"]({**tree, "type": "dataset"})

    def test_whole(self, registry: Registry) -> None:
        """All types in one schema of less than 200 kB, which names the types that it knows for editors; the licenses stand there once."""
        schema = json_schema(registry)
        text = json.dumps(schema)
        assert len(text) < 200_000
        assert text.count('"BSD-3-Clause-No-Nuclear-License-2014"') == 1
        assert schema["properties"]["type"]["anyOf"][0] == {"enum": ["application", "dataset", "model", "notebook"]}
        assert [root.family for root in ROOTS if root.format == "0.3"] == ["application", "dataset", "generic", "notebook"]

    def test_unknown_root(self, registry: Registry) -> None:
        """A type or version without a class is refused with what there is; a full version is as good as its first two numbers."""
        with pytest.raises(InputError, match=r"no JSON Schema describes 'model 0\.1': expected .* model 0\.5"):
            json_schema(registry, type="model", format_version="0.1")
        short = json_schema(registry, type="model", format_version="0.4")
        assert json_schema(registry, type="model", format_version="0.4.10") == short

    def test_deterministic(self) -> None:
        """The same text in every process."""
        code = "import json; from bioimageio_core.api import json_schema; print(json.dumps(json_schema()))"
        texts = {
            subprocess.run(
                [sys.executable, "-c", code],
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            ).stdout
            for seed in ("1", "2")
        }
        assert len(texts) == 1
