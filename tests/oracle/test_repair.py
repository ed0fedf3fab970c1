"""Repaired descriptions, judged by the reference implementation."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from corpus import Several, built_in_registry
from damaged_descriptions import DAMAGES, Damage, damaged
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from judge import Judge
from reasons import unexplained
from refused_models import BEYOND_REPAIR, OPAQUE, Refused, refused

from bioimageio_core.errors import InvalidDescriptionError
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.structuring.converter import unstructure

EXAMPLES = int(os.environ.get("BMZ_EXAMPLES", "2000")) // 4
REGISTRY = built_in_registry()

LEAST_SHARE = 0.7
"""Of the models that the reference refuses, how many have to be valid for it once repaired."""


@pytest.fixture(scope="module")
def repaired(shared: Path) -> dict[str, tuple[Refused, dict[str, Any] | None]]:
    """Every description that the reference refuses and, in the newest version, what became of it."""
    found: dict[str, tuple[Refused, dict[str, Any] | None]] = {}
    for each in refused(shared):
        try:
            descr, _ = repair_and_update(each.tree, REGISTRY, each.sha, each.notes)
            found[each.sha] = each, unstructure(descr)
        except InvalidDescriptionError:
            found[each.sha] = each, None
    return found


class TestJudge:
    """What the reference implementation says."""

    def test_refused_as_they_are(self, repaired: dict[str, Any], judge: Judge) -> None:
        """The models that count are those that it refuses."""
        models = [each for each, _ in repaired.values() if each.is_model]
        assert len(models) == 220
        assert not [each.sha for each in models if not each.notes and judge.opinion(each.tree).is_valid]

    def test_models(self, repaired: dict[str, Any], judge: Judge) -> None:
        """At least 70 % of the models become valid; the others are those of the tables, group by group."""
        models = {sha: newest for sha, (each, newest) in repaired.items() if each.is_model}
        valid = {sha for sha, newest in models.items() if newest is not None and judge.opinion(newest, format_version="latest").is_valid}
        rest = {sha for shas in (*BEYOND_REPAIR.values(), *OPAQUE.values()) for sha in shas.split()}
        assert set(models) - valid == rest
        assert (len(valid), len(models)) == (161, 220)
        assert len(valid) / len(models) >= LEAST_SHARE

    def test_others(self, repaired: dict[str, Any], judge: Judge) -> None:
        """What is no model is valid for it too wherever it is for us."""
        others = {sha: newest for sha, (each, newest) in repaired.items() if not each.is_model and newest is not None}
        assert len(others) > 100
        opinions = {sha: judge.opinion(newest, format_version="latest") for sha, newest in others.items()}
        assert {sha: opinion.errors for sha, opinion in opinions.items() if not opinion.is_valid} == {}


@pytest.fixture(scope="module")
def trees(repaired: dict[str, tuple[Refused, Any]]) -> tuple[dict[str, Any], ...]:
    """The descriptions that become valid on both sides, as they are."""
    opaque = {sha for shas in OPAQUE.values() for sha in shas.split()}
    return Several(each.tree for each, newest in repaired.values() if newest is not None and each.sha not in opaque)


class TestDamaged:
    @settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= 500, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 10_000), DAMAGES)
    def test_valid_for_both(self, judge: Judge, trees: tuple[dict[str, Any], ...], which: int, damages: list[Damage]) -> None:
        """However a description is damaged, what is repaired of it is valid for the reference, or the reason is listed."""
        tree = damaged(trees[which % len(trees)], damages)
        try:
            descr, report = repair_and_update(tree, REGISTRY)
        except InvalidDescriptionError:
            return
        newest = unstructure(descr)
        opinion = judge.opinion(newest, format_version="latest")
        if not opinion.is_valid:
            note(f"{tree.get('type')} {tree.get('format_version')}: {damages}")
            # One op that the reference does not know makes it doubt the sizes of the tensor too.
            errors = unexplained(newest, report, opinion.errors)
            assert not [error for error in errors if "Invalid tensor axis reference" not in error or "plugin" not in str(report.issues)]
