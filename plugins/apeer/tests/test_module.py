"""Modules as folders: what is in them, and whether their specification is one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from bioimageio_runtime_apeer import bioimageio_foreign_formats
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.errors import InputError
from bioimageio_core.testing import ForeignFormatConformance

FORMATS = {entry.name: entry for entry in bioimageio_foreign_formats()}

MODELS = [
    "unet2d_nuclei_broad/bioimageio.yaml",
    "unet2d_nuclei_broad/v0_4_9.bioimageio.yaml",
    "unet2d_multi_tensor/bioimageio.yaml",
    "unet2d_diff_output_shape/bioimageio.yaml",
]


def specification(module: Path) -> dict[str, Any]:
    """Return the specification of a module."""
    return dict(json.loads((module / "module_specification.json").read_text()))


class TestConformance(ForeignFormatConformance):
    """What every format keeps: a module holds its model, which comes out of it again."""

    entry = FORMATS["apeer"]

    @pytest.fixture
    def files(self, nuclei: Path) -> Sequence[Path]:
        """A module."""
        return [nuclei]

    @pytest.fixture
    def other_files(self, shared: Path) -> Sequence[Path]:
        """A model that is no module."""
        return [shared / "models/unet2d_nuclei_broad"]


class TestSpecification:
    """By the official schema."""

    @pytest.mark.parametrize("model", MODELS)
    @pytest.mark.parametrize("options", [{}, {"gpu": True}])
    def test_valid(self, shared: Path, tmp_path: Path, model: str, options: dict[str, Any]) -> None:
        """Each input has a widget, and everything that it names is there."""
        module = bc.export_model(shared / "models" / model, "apeer", tmp_path / "module", **options).path
        schema = json.loads((shared / "formats/fixtures/apeer_schema.json").read_text())
        jsonschema.Draft4Validator.check_schema(schema)
        said = specification(module)
        jsonschema.Draft4Validator(schema).validate(said)
        assert said["ui"]["inputs"].keys() == said["spec"]["inputs"].keys()
        assert said["ui"]["outputs"].keys() == said["spec"]["outputs"].keys()
        assert len({ui["index"] for ui in said["ui"]["inputs"].values()}) == len(said["ui"]["inputs"])
        assert ("hardware" in said["requirements"]) is bool(options)

    def test_choice_of_weights(self, shared: Path, tmp_path: Path) -> None:
        """A user is asked where there are several."""
        model = shared / "models/unet2d_nuclei_broad/bioimageio.yaml"
        one = bc.export_model(model, "apeer", tmp_path / "one")
        assert "weights_format" not in specification(one.path)["spec"]["inputs"]
        assert one.lost == (
            "the weights torchscript are not part of the module: give weights_formats=[onnx, torchscript] "
            "(--option weights_formats=[onnx, torchscript])",
        )
        both = bc.export_model(model, "apeer", tmp_path / "both", weights_formats=["torchscript", "onnx"])
        schema = json.loads((shared / "formats/fixtures/apeer_schema.json").read_text())
        jsonschema.Draft4Validator(schema).validate(specification(both.path))
        assert specification(both.path)["spec"]["inputs"]["weights_format"] == {
            "type:choice_single": ["torchscript", "onnx"],
            "default": "torchscript",
        }
        assert both.lost == ()

    def test_several_inputs(self, shared: Path, tmp_path: Path) -> None:
        """Each has a file and axes of its own."""
        module = bc.export_model(shared / "models/unet2d_multi_tensor/bioimageio.yaml", "apeer", tmp_path / "module").path
        inputs = specification(module)["spec"]["inputs"]
        ids = [tensor.id for tensor in bc.load_model_description(module / "model").inputs]
        assert len(ids) == 2
        assert {*inputs} >= {f"{what}_{i}" for what in ("image", "axes") for i in ids}


class TestFolder:
    """What the container is made of."""

    def test_files(self, nuclei: Path) -> None:
        """All that the Dockerfile copies is there."""
        copied = [line.split()[1:-1] for line in (nuclei / "Dockerfile").read_text().splitlines() if line.startswith("COPY")]
        assert all((nuclei / name).exists() for names in copied for name in names)
        assert sorted(p.name for p in nuclei.iterdir()) == sorted({"Dockerfile", *(name for names in copied for name in names)})
        assert bc.validate(nuclei / "model").status == "valid"

    def test_requirements(self, nuclei: Path) -> None:
        """What runs the weights, and what reads images."""
        assert (nuclei / "requirements.txt").read_text().splitlines() == ["bioimageio-runtime[images]", "bioimageio-runtime[onnx]"]

    def test_base_image(self, tmp_path: Path) -> None:
        """As it is said."""
        (tmp_path / "model").mkdir()
        module = bc.export_model(pointwise_model(tmp_path / "model"), "apeer", tmp_path / "module", base_image="python:3.11").path
        assert (module / "Dockerfile").read_text().startswith("FROM python:3.11\n")

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"gpu": "yes"}, "gpu: expected true or false, found 'yes'"),
            ({"trust": 1}, "trust: expected true or false, found 1"),
            ({"base_image": "a b"}, "base_image: expected the name of an image"),
            ({"weights_formats": ["onnx", "keras_v3"]}, "weights_formats: expected some of onnx, found"),
            ({"weights_formats": []}, "weights_formats: expected some of onnx"),
            ({"colour": 1}, "has no option 'colour': expected one of weights_formats, base_image, gpu, trust"),
        ],
    )
    def test_wrong_options(self, tmp_path: Path, options: dict[str, Any], words: str) -> None:
        """One sentence, and nothing is written."""
        (tmp_path / "model").mkdir()
        with pytest.raises(InputError, match=words):
            bc.export_model(pointwise_model(tmp_path / "model"), "apeer", tmp_path / "module", **options)
        assert not (tmp_path / "module").exists()

    def test_broken_modules(self, nuclei: Path, tmp_path: Path) -> None:
        """One sentence."""
        import shutil

        for text in ('{"spec"', "[]", "[" * 100_000):
            module = tmp_path / f"module{len(text)}"
            shutil.copytree(nuclei, module)
            (module / "module_specification.json").write_text(text)
            with pytest.raises(InputError, match="cannot be read as apeer: its module_specification"):
                bc.import_model(module, tmp_path / "out")
