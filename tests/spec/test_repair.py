from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpus import Several
from damaged_descriptions import DAMAGES, Damage, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mending import model_0_3, model_0_4
from refused_models import refused

import bioimageio_core as bc
from bioimageio_core.errors import InvalidDescriptionError, YamlError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.spec.repair.text import load_damaged_yaml
from bioimageio_core.spec.updating import update_tree
from bioimageio_core.spec.validation import ValidationReport, validate_tree
from bioimageio_core.structuring.converter import unstructure


@pytest.fixture
def tree() -> dict[str, Any]:
    """A valid model of format 0.4 with letters byxc, and weights of two formats."""
    return model_0_4()


@pytest.fixture
def early() -> dict[str, Any]:
    """A valid model of format 0.3.2, with the architecture at the top."""
    return model_0_3()


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


class TestTogether:
    """Faults that meet in one place."""

    def test_two_wrong_entries_under_one_key(self, tree: dict[str, Any], registry: Registry) -> None:
        """The key is moved once."""
        tree["weights"]["onnx"]["authors"] = [{"name": 3}, {"affiliation": "here"}]
        _, report = repair_and_update(tree, registry)
        assert report.status == "valid"
        assert [i for i in report.issues if i.path.startswith("weights.onnx.authors")]

    @pytest.mark.parametrize("name", [["scale_linear"], {"op": 1}, 3, None])
    def test_name_of_an_op_that_is_no_text(self, tree: dict[str, Any], registry: Registry, name: Any) -> None:
        """Is refused with a report, like any other op that nobody knows."""
        tree["inputs"][0]["preprocessing"] = [{"name": name}]
        with pytest.raises(InvalidDescriptionError, match="cannot be repaired"):
            repair_and_update(tree, registry)

    def test_arguments_of_an_unknown_op_that_are_no_mapping(self, tree: dict[str, Any], registry: Registry) -> None:
        """Are kept as they are: what they mean is for the plugin to say."""
        tree["inputs"][0]["preprocessing"] = [{"name": "unheard_of", "kwargs": "abc"}]
        descr, _ = repair_and_update(tree, registry)
        assert unstructure(descr)["inputs"][0]["preprocessing"][0] == {"id": "unheard_of", "kwargs": "abc"}
