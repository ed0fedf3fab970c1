"""Repaired descriptions, judged by the reference implementation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from refused_models import BEYOND_REPAIR, OPAQUE, Refused, refused

from bioimageio_core.errors import InvalidDescriptionError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.spec.structuring import unstructure

LEAST_SHARE = 0.7
"""Of the models that the reference refuses, how many have to be valid for it once repaired."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    """The ops and weights of the library itself."""
    from bioimageio_core.processing.plugin import bioimageio_processing_ops
    from bioimageio_core.typing import FrozenMapping
    from bioimageio_core.weights.plugin import bioimageio_weights_formats

    return Registry(
        weights_formats=FrozenMapping({entry.name: entry for entry in bioimageio_weights_formats()}),
        processing_ops=FrozenMapping({entry.name: entry for entry in bioimageio_processing_ops()}),
    )


@pytest.fixture(scope="module")
def repaired(shared: Path, registry: Registry) -> dict[str, tuple[Refused, dict[str, Any] | None]]:
    """Every description that the reference refuses and, in the newest version, what became of it."""
    found: dict[str, tuple[Refused, dict[str, Any] | None]] = {}
    for each in refused(shared):
        try:
            descr, _ = repair_and_update(each.tree, registry, each.sha, each.notes)
            found[each.sha] = each, unstructure(descr)
        except InvalidDescriptionError:
            found[each.sha] = each, None
    return found


class TestJudge:
    """What the reference implementation says."""

    def test_refused_as_they_are(self, repaired: dict[str, Any], judge: Any) -> None:
        """The models that count are those that it refuses."""
        models = [each for each, _ in repaired.values() if each.is_model]
        assert len(models) == 220
        assert not [each.sha for each in models if not each.notes and judge.opinion(each.tree).is_valid]

    def test_models(self, repaired: dict[str, Any], judge: Any) -> None:
        """At least 70 % of the models become valid; the others are those of the tables, group by group."""
        models = {sha: newest for sha, (each, newest) in repaired.items() if each.is_model}
        valid = {sha for sha, newest in models.items() if newest is not None and judge.opinion(newest, format_version="latest").is_valid}
        rest = {sha for shas in (*BEYOND_REPAIR.values(), *OPAQUE.values()) for sha in shas.split()}
        assert set(models) - valid == rest
        assert (len(valid), len(models)) == (161, 220)
        assert len(valid) / len(models) >= LEAST_SHARE

    def test_others(self, repaired: dict[str, Any], judge: Any) -> None:
        """What is no model is valid for it too wherever it is for us."""
        others = {sha: newest for sha, (each, newest) in repaired.items() if not each.is_model and newest is not None}
        assert len(others) > 100
        opinions = {sha: judge.opinion(newest, format_version="latest") for sha, newest in others.items()}
        assert {sha: opinion.errors for sha, opinion in opinions.items() if not opinion.is_valid} == {}
