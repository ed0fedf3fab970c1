"""The verdicts of the reference implementation, asked anew."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from corpus import DISAGREEMENTS, Several, Verdict, built_in_registry, model_trees, read_verdicts
from damaged_descriptions import DAMAGES, Damage, damaged
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from judge import Judge
from reasons import ACCEPTED, REFUSED, unexplained

from bioimageio_core.spec.validation import validate_tree

EXAMPLES = int(os.environ.get("BMZ_EXAMPLES", "2000"))
REGISTRY = built_in_registry()


@pytest.fixture(scope="session")
def verdicts(shared: Path) -> tuple[Verdict, ...]:
    return read_verdicts(shared)


@pytest.fixture(scope="session")
def trees(shared: Path, verdicts: tuple[Verdict, ...]) -> tuple[dict[str, Any], ...]:
    """Descriptions that are valid on both sides; models, which have most to say, come more often."""
    valid = [verdict.tree for verdict in verdicts if verdict.is_valid and verdict.sha not in DISAGREEMENTS]
    models = [tree for tree in valid if tree["type"] == "model"]
    return Several((*valid, *models, *model_trees(shared) * 10))


class TestCorpus:
    def test_verdicts(self, judge: Judge, verdicts: tuple[Verdict, ...]) -> None:
        """The table of verdicts holds what the reference says today, and so do we but for what is listed."""
        theirs = {verdict.sha for verdict in verdicts if judge.opinion(verdict.tree).is_valid}
        ours = {verdict.sha for verdict in verdicts if validate_tree(verdict.tree, REGISTRY).status == "valid"}
        assert theirs == {verdict.sha for verdict in verdicts if verdict.is_valid}
        assert ours ^ theirs == set(DISAGREEMENTS)


class TestDamaged:
    @settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= 2000, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 10_000), DAMAGES)
    def test_same_verdict(self, judge: Judge, trees: tuple[dict[str, Any], ...], which: int, damages: list[Damage]) -> None:
        """However a description is damaged, both sides say the same of it, or the reason is listed."""
        tree = damaged(trees[which % len(trees)], damages)
        report, opinion = validate_tree(tree, REGISTRY), judge.opinion(tree)
        if (report.status == "valid") is not opinion.is_valid:
            errors = unexplained(tree, report, opinion.errors)
            note(f"{tree.get('type')} {tree.get('format_version')}: {damages}")
            assert not errors


class TestReasons:
    @pytest.mark.parametrize("reasons", [ACCEPTED, REFUSED])
    def test_documented(self, reasons: dict[str, str]) -> None:
        """The documentation lists every reason."""
        text = " ".join((Path(__file__).parents[2] / "docs" / "reference.md").read_text(encoding="utf-8").split())
        assert not [reason for reason in reasons.values() if reason not in text]
