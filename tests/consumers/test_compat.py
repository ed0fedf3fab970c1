"""Which software can run a model, by rules with their sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bmz_process import run_process
from made_models import pointwise_model

import bioimageio_core as bc
from bioimageio_core.consumers.formats import SOFTWARE
from bioimageio_core.errors import InputError
from bioimageio_core.registry import collect

FORMATS = {
    "onnx": {"source": "weights.onnx", "opset_version": 17},
    "torchscript": {"source": "weights.pt", "pytorch_version": "2.0"},
    "tensorflow_js": {"source": "weights.zip", "tensorflow_version": "2.9"},
    "tensorflow_saved_model_bundle": {"source": "weights.zip", "tensorflow_version": "2.9"},
    "keras_hdf5": {"source": "weights.h5", "tensorflow_version": "2.9"},
}


def with_weights(folder: Path, *formats: str, **more: Any) -> Path:
    """Return a model with these weights; the files are not there."""
    model = pointwise_model(folder, **more)
    tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
    tree["weights"] = {name: FORMATS[name] for name in formats}
    (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
    return model


def answers(model: Path) -> dict[str, str]:
    """Return the answer of each software."""
    return {c.consumer: c.answer for c in bc.compat(model)}


class TestTable:
    """What the specification said of weights formats."""

    def test_agrees_with_the_specification(self, shared: Path) -> None:
        """Wherever its table states a fact."""
        text = (shared / "seeds" / "000_3529e55182af760c.txt").read_text()
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if line.startswith("|  `")]
        assert len(rows) == 6
        for name, *facts in rows:
            fmt = name.strip("`").replace("pytorch_script", "torchscript")
            for software, fact in zip(("ilastik", "deepImageJ", "Fiji"), facts, strict=True):
                if fact != "?":
                    assert SOFTWARE[software][fmt].answer == fact.lower(), (software, fmt)

    def test_every_answer_has_a_source(self) -> None:
        """And says when that was so."""
        for software, facts in SOFTWARE.items():
            for fmt, fact in facts.items():
                assert fact.source, (software, fmt)
                assert re.fullmatch(r"\d{4}(-\d\d){0,2}", fact.date), (software, fmt)


class TestAnswers:
    """Of models."""

    @pytest.mark.parametrize(
        ("formats", "ilastik", "deepimagej", "fiji"),
        [
            (["torchscript"], "no", "yes", "no"),
            (["tensorflow_js"], "no", "yes", "no"),
            (["tensorflow_saved_model_bundle"], "no", "yes", "yes"),
            (["keras_hdf5"], "no", "no", "unknown"),
            (["onnx"], "unknown", "yes", "unknown"),
            (["keras_hdf5", "torchscript"], "no", "yes", "unknown"),
        ],
    )
    def test_weights(self, tmp_path: Path, formats: list[str], ilastik: str, deepimagej: str, fiji: str) -> None:
        """The best of several formats counts."""
        found = answers(with_weights(tmp_path, *formats))
        assert (found["ilastik"], found["deepImageJ"], found["Fiji"]) == (ilastik, deepimagej, fiji)

    def test_remedy(self, tmp_path: Path) -> None:
        """What would make it a yes."""
        (ilastik,) = bc.compat(with_weights(tmp_path, "torchscript"), ["ILASTIK"])
        assert ilastik.judgements[0].remedy == "convert the weights to pytorch_state_dict (bmz convert)"

    def test_unknown_ops(self, tmp_path: Path) -> None:
        """Nothing is claimed of what nobody said."""
        model = with_weights(tmp_path, "torchscript", pre=[{"id": "sigmoid"}])
        assert answers(model)["deepImageJ"] == "unknown"
        assert answers(model)["napari"] == "yes"

    def test_this_library(self, tmp_path: Path) -> None:
        """Weights and ops that are installed here."""
        model = with_weights(tmp_path, "onnx")
        assert answers(model)["this library"] == "yes"
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["inputs"][0]["preprocessing"] = [{"id": "nobodys_op", "kwargs": {}}]
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        (ours,) = bc.compat(model, ["this library"])
        assert ours.answer == "no"
        assert "nobodys_op" in ours.judgements[0].reason

    def test_run_mode(self, tmp_path: Path) -> None:
        """It is one more rule."""
        model = with_weights(tmp_path, "torchscript")
        assert answers(model)["deepImageJ"] == "yes"
        tree = yaml.safe_load((model / "bioimageio.yaml").read_text())
        tree["run_mode"] = {"name": "deepimagej"}
        (model / "bioimageio.yaml").write_text(yaml.safe_dump(tree))
        assert answers(model)["deepImageJ"] == "unknown"
        assert answers(model)["napari"] == "no"


class TestZen:
    """What goes into a ``.czann`` file."""

    def test_good(self, tmp_path: Path) -> None:
        """ONNX weights, one input, one output, fixed numbers."""
        model = with_weights(tmp_path, "onnx", pre=[{"id": "scale_linear", "kwargs": {"gain": 2.0}}])
        assert answers(model)["ZEN"] == "yes"

    @pytest.mark.parametrize(
        ("formats", "more", "words"),
        [
            (["torchscript"], {}, "has ONNX weights"),
            (["onnx"], {"pre": [{"id": "zero_mean_unit_variance", "kwargs": {}}]}, "zero_mean_unit_variance can be part"),
            (["onnx"], {"axes": ("x",)}, "2 or 3 axes in space"),
        ],
    )
    def test_rule_by_rule(self, tmp_path: Path, formats: list[str], more: dict[str, Any], words: str) -> None:
        """The rule that says no."""
        (zen,) = bc.compat(with_weights(tmp_path, *formats, **more), ["ZEN"])
        assert [words in j.rule for j in zen.judgements if j.answer == "no"] == [True]


class TestCommand:
    """``bmz compat``."""

    def test_text_and_json(self, tmp_path: Path) -> None:
        """Rules with their sources, and a status where software is named."""
        model = with_weights(tmp_path, "torchscript")
        ran = run_process("compat", model)
        assert ran.status == 0
        assert "ilastik" in ran.out
        assert "2021" in ran.out
        listed = run_process("compat", model, "--json").json
        assert {c["consumer"] for c in listed} >= {"ilastik", "deepImageJ", "Fiji", "napari", "ZEN", "this library"}
        assert run_process("compat", model, "--consumer", "ilastik").status == 1
        assert run_process("compat", model, "--consumer", "deepImageJ").status == 0

    def test_unknown_software(self, tmp_path: Path) -> None:
        """Those that are known are named."""
        with pytest.raises(InputError, match="no rules are known of 'gimp': expected one of"):
            bc.compat(with_weights(tmp_path, "onnx"), ["gimp"])


def test_shared_models(shared: Path) -> None:
    """Real models, of every format version."""
    for path in sorted((shared / "models").glob("*/*.yaml")):
        if path.name == "environment.yaml" or path.name.startswith("invalid"):
            continue
        found = bc.compat(path)
        assert {c.consumer for c in found} >= set(SOFTWARE)
        model = bc.load_model_description(path)
        for software, facts in SOFTWARE.items():
            verdicts = {facts[fmt].answer for fmt in model.weights if fmt in facts}
            (one,) = [c for c in found if c.consumer == software]
            if verdicts == {"no"}:
                assert one.answer == "no"


def test_rules_are_registered() -> None:
    """Through the hook that strangers use."""
    assert set(SOFTWARE) | {"ZEN"} <= set(collect().consumers)
