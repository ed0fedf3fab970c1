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
from bioimageio_core.consumers.package_readers import SOFTWARE
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


def shared_models(shared: Path) -> list[Path]:
    """Return the descriptions of real models."""
    paths = sorted((shared / "models").glob("*/*.yaml"))
    return [path for path in paths if path.name != "environment.yaml" and not path.name.startswith("invalid")]


SYSTEMS = ("ilastik", "deepImageJ", "Fiji")
"""The columns of the tables in the specification."""


def table_of(shared: Path, heading: str) -> dict[str, dict[str, str]]:
    """Return a table of the specification: what is said of each row and software, in lower case; ``?`` where nothing is."""
    text = (shared / "seeds" / "000_3529e55182af760c.txt").read_text()
    lines = iter(text.splitlines())
    rows = {}
    for line in lines:
        if line.startswith("|") and heading in line:
            assert tuple(cell.strip() for cell in line.strip().strip("|").split("|")[1:]) == SYSTEMS
            break
    for line in lines:
        if not line.startswith("|"):
            break
        name, *facts = (cell.strip() for cell in line.strip().strip("|").split("|"))
        if not name.startswith("---"):
            rows[name.strip("`").replace("pytorch_script", "torchscript")] = dict(zip(SYSTEMS, map(str.lower, facts), strict=True))
    return rows


class TestTable:
    """What the specification said of weights formats and ops."""

    def test_agrees_with_the_specification(self, shared: Path) -> None:
        """Wherever its table states a fact; that is the source, then."""
        rows = table_of(shared, "weight_format")
        assert len(rows) == 6
        stated = 0
        for fmt, facts in rows.items():
            for software, fact in facts.items():
                if fact == "?":
                    continue
                stated += 1
                ours = SOFTWARE[software][fmt]
                assert (ours.answer, ours.date) == (fact, "2021"), (software, fmt)
                assert "table of weight formats" in ours.source
        assert stated == 14

    def test_shared_models(self, shared: Path) -> None:
        """What is said of real models follows from the table: a yes for any of the weights, a no where all are no."""
        rows, decided = table_of(shared, "weight_format"), {"yes": 0, "no": 0}
        for path in shared_models(shared):
            weights = [*bc.load_model_description(path).weights]
            found = {one.consumer: one for one in bc.compat(path, SYSTEMS)}
            for software in SYSTEMS:
                facts = {rows[fmt][software] for fmt in weights if fmt in rows}
                (judgement,) = [j for j in found[software].judgements if j.rule == f"has weights in a format that {software} runs"]
                if "yes" in facts or facts == {"no"}:
                    wanted = "yes" if "yes" in facts else "no"
                    decided[wanted] += 1
                    assert judgement.answer == wanted, (path, software)
                    assert wanted == "yes" or found[software].answer == "no"
        assert min(decided.values()) > 5

    @pytest.mark.parametrize("software", SYSTEMS)
    def test_ops(self, shared: Path, tmp_path: Path, software: str) -> None:
        """Where the table has a question mark, nothing is claimed."""
        rows = table_of(shared, "postprocesing")
        assert {*rows} == {"scale_mean_variance", "scale_range"}
        for op, facts in rows.items():
            kwargs = {"reference_tensor": "raw"} if op == "scale_mean_variance" else {}
            (tmp_path / op).mkdir()
            model = with_weights(tmp_path / op, "torchscript", post=[{"id": op, "kwargs": kwargs}])
            (one,) = bc.compat(model, [software])
            (judgement,) = [j for j in one.judgements if op in j.rule]
            assert facts[software] == "?"
            assert judgement.answer == "unknown"

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
        assert ilastik.judgements[0].remedy == "convert the weights to pytorch_state_dict, as with convert_weights() (bmz convert)"

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

    def test_reasons(self, tmp_path: Path) -> None:
        """Ops of the whole image have another reason than ops that ZEN does not know."""
        pre = [{"id": "zero_mean_unit_variance", "kwargs": {}}, {"id": "nobodys_op", "kwargs": {}}]
        (zen,) = bc.compat(with_weights(tmp_path, "onnx", pre=pre), ["ZEN"])
        found = [j.reason for j in zen.judgements if j.answer == "no"]
        assert found == [
            "zero_mean_unit_variance needs statistics of the complete image, and ZEN runs the network alone",
            "ZEN runs the network alone, without nobodys_op",
        ]


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
        with pytest.raises(InputError, match="'gimp': expected one of"):
            bc.compat(with_weights(tmp_path, "onnx"), ["gimp"])


def test_shared_models(shared: Path) -> None:
    """Real models, of every format version."""
    for path in shared_models(shared):
        found = bc.compat(path)
        assert {c.consumer for c in found} >= set(SOFTWARE)
        model = bc.load_model_description(path)
        for software, facts in SOFTWARE.items():
            verdicts = {facts[fmt].answer for fmt in model.weights if fmt in facts}
            (one,) = [c for c in found if c.consumer == software]
            if verdicts == {"no"}:
                assert one.answer == "no"


def test_rules_are_registered() -> None:
    """Through the hook that third-party plugins use."""
    assert set(SOFTWARE) | {"ZEN"} <= set(collect().consumers)
