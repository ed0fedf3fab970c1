"""Damaged descriptions through the public functions that read them.

A few hundred by default; BMZ_EXAMPLES sets another number, as `nox -s mutations` does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from corpus import Several, model_trees, read_verdicts
from damaged_descriptions import DAMAGES, Damage, damaged
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import bioimageio_core as bc
from bioimageio_core.errors import BioimageioError, YamlError
from bioimageio_core.report.cards.annotated_report import annotate
from bioimageio_core.report.text.card_text import card_text
from bioimageio_core.report.text.validation_text import validation_text

EXAMPLES = int(os.environ.get("BMZ_EXAMPLES", "300"))


@pytest.fixture(scope="module")
def trees(shared: Path) -> tuple[dict[str, Any], ...]:
    """Real descriptions of every type, valid or not; those of the shared models, which have most to say, come more often."""
    return Several((*(verdict.tree for verdict in read_verdicts(shared)), *model_trees(shared) * 10))


def ours_alone(call: Callable[[], Any]) -> Any:
    """Return what a call returns; None where it raises an error of this library, which has to be one sentence."""
    try:
        return call()
    except BioimageioError as error:
        text = str(error)
        assert text
        if not isinstance(error, YamlError):  # which shows the place below the sentence
            assert "\n" not in text
        return None


def use_all(source: Any) -> None:
    """Call every public function that reads a description, and show the card in each form."""
    report = ours_alone(lambda: bc.validate(source))
    assert report is not None or isinstance(source, bytes)
    if report is not None:
        annotated = annotate(report, source)
        json.dumps(annotated.as_dict(), allow_nan=False)
        assert validation_text(annotated)
        assert annotated.page()
    ours_alone(lambda: bc.update_format(source))
    ours_alone(lambda: bc.update_format(source, repair=True))
    card = ours_alone(lambda: bc.card(source))
    if card is not None:
        assert report is not None
        assert report.status == "valid"
        json.dumps(card.as_dict(), allow_nan=False)
        assert card_text(card)
        assert card._repr_html_()


class TestAnyDamage:
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 300, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 100_000), DAMAGES, st.booleans())
    def test_only_our_errors(self, trees: tuple[dict[str, Any], ...], which: int, damages: list[Damage], as_text: bool) -> None:
        """However a real description is damaged, as a mapping or as YAML, nothing raises an error of another library."""
        tree = damaged(trees[which % len(trees)], damages)
        note(f"description {which % len(trees)}: {damages}")
        use_all(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "surrogatepass") if as_text else tree)
