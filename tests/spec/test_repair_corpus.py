from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from refused_models import BEYOND_REPAIR, OPAQUE, Refused, meaning_of_earlier, meaning_of_newest, refused

from bioimageio_core.errors import InvalidDescriptionError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.repair.repairing import repair_and_update
from bioimageio_core.spec.updating import update_tree
from bioimageio_core.spec.validation import ValidationReport, validate_tree
from bioimageio_core.structuring.converter import unstructure


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of a description."""

    refused: Refused
    newest: dict[str, Any] | None
    report: ValidationReport


@pytest.fixture(scope="module")
def outcomes(shared: Path, registry: Registry) -> tuple[Outcome, ...]:
    """Every real description that the reference implementation refuses, repaired."""
    found = []
    for each in refused(shared):
        try:
            descr, report = repair_and_update(each.tree, registry, each.sha, each.notes)
            newest = unstructure(descr)
        except InvalidDescriptionError as error:
            newest, report = None, error.report  # type: ignore[assignment]
        found.append(Outcome(refused=each, newest=newest, report=report))
    return tuple(found)


class TestModels:
    """Models that the reference implementation refuses."""

    def test_groups_of_the_rest(self, outcomes: tuple[Outcome, ...]) -> None:
        """Those that stay invalid lack what nobody but their authors can say, and the table says what."""
        models = [outcome for outcome in outcomes if outcome.refused.is_model]
        invalid = {outcome.refused.sha for outcome in models if outcome.newest is None}
        assert invalid == {sha for shas in BEYOND_REPAIR.values() for sha in shas.split()}
        assert (len(models), len(invalid)) == (220, 42)
        assert all(outcome.report.errors for outcome in models if outcome.newest is None)

    def test_documented_groups(self) -> None:
        """The documentation shows the same groups and numbers."""
        text = (Path(__file__).parents[2] / "docs" / "descriptions.md").read_text(encoding="utf-8")
        for what, shas in (BEYOND_REPAIR | OPAQUE).items():
            assert f"| {len(shas.split())} | {what} |" in text

    def test_same_meaning(self, outcomes: tuple[Outcome, ...]) -> None:
        """Sizes, halos, types and ranges of data, steps, and files and hashes of weights are those of the document, field by field."""
        compared = 0
        for outcome in outcomes:
            tree, newest = outcome.refused.tree, outcome.newest
            if newest is None or not outcome.refused.is_model:
                continue
            if isinstance(tree["inputs"][0]["axes"], list):
                for key in ("inputs", "outputs"):
                    for written, tensor in zip(tree[key], newest[key], strict=True):
                        assert written.items() <= tensor.items(), outcome.refused.sha
                continue
            earlier = meaning_of_earlier(tree)
            _equal(earlier, meaning_of_newest(newest, earlier), outcome)
            compared += 1
        assert compared > 160

    def test_unknown_parts_are_kept(self, outcomes: tuple[Outcome, ...]) -> None:
        """What may be a plugin's is kept with an alert."""
        opaque = {sha for shas in OPAQUE.values() for sha in shas.split()}
        for outcome in outcomes:
            alerts = [
                issue for issue in outcome.report.issues if issue.severity == "alert" and "an installed plugin knows" in issue.message
            ]
            if outcome.newest is not None and outcome.refused.is_model:
                assert bool(alerts) is (outcome.refused.sha in opaque), outcome.refused.sha


def _equal(earlier: dict[Any, Any], newest: dict[Any, Any], outcome: Outcome) -> None:
    """Compare, but for what a warning says: least sizes that were raised by whole steps, halos to whole pixels."""
    assert set(earlier) == set(newest), outcome.refused.sha
    for key, was in earlier.items():
        now = newest[key]
        if key[1] == "size" and isinstance(was, tuple) and isinstance(now, tuple) and was != now:
            assert now[1] == was[1], (outcome.refused.sha, key)
            assert now[0] > was[0], (outcome.refused.sha, key)
            assert (now[0] - was[0]) % was[1] == 0, (outcome.refused.sha, key)
            assert any("the halo leaves nothing" in issue.message for issue in outcome.report.issues)
        elif key[1] == "halo" and was != now:
            assert any("whole number of pixels" in issue.message or "have no halo" in issue.message for issue in outcome.report.issues)
            assert now > was or now == 0, (outcome.refused.sha, key)
        elif key[1] == "steps":
            assert now == pytest.approx(was) if not isinstance(was, list) else _same_steps(was, now), (outcome.refused.sha, was, now)
        else:
            assert now == was, (outcome.refused.sha, key, was, now)


def _same_steps(was: list[Any], now: list[Any]) -> bool:
    return [name for name, _ in was] == [name for name, _ in now] and all(
        a.keys() == b.keys() and all(a[key] == pytest.approx(b[key]) if isinstance(a[key], float) else a[key] == b[key] for key in a)
        for (_, a), (_, b) in zip(was, now, strict=True)
    )


class TestLaws:
    """What holds of every description."""

    def test_only_what_is_wrong(self, verdicts: tuple[Any, ...], registry: Registry) -> None:
        """What can be updated as it is comes out as without repairs, with the same report."""
        compared = 0
        for verdict in verdicts:
            if validate_tree(verdict.tree, registry).status == "invalid":
                continue
            try:
                expected = update_tree(verdict.tree, registry, verdict.sha)
            except InvalidDescriptionError:
                continue
            assert repair_and_update(verdict.tree, registry, verdict.sha) == expected
            compared += 1
        assert compared > 300

    def test_twice_is_once(self, outcomes: tuple[Outcome, ...], registry: Registry) -> None:
        """What was repaired needs no repair, and comes out the same."""
        for outcome in outcomes:
            if outcome.newest is not None:
                assert validate_tree(outcome.newest, registry).status == "valid"
                assert unstructure(repair_and_update(outcome.newest, registry)[0]) == outcome.newest

    def test_the_document_is_left_alone(self, shared: Path, outcomes: tuple[Outcome, ...]) -> None:
        """Repairs work on a copy."""
        for again, outcome in zip(refused(shared), outcomes, strict=True):
            assert again.tree == outcome.refused.tree

    def test_everything_is_said(self, outcomes: tuple[Outcome, ...]) -> None:
        """A description that was refused and is none the longer has a warning at least; no message spans lines."""
        for outcome in outcomes:
            if outcome.newest is not None and outcome.refused.is_model:
                assert any(issue.severity == "warning" for issue in outcome.report.issues), outcome.refused.sha
            assert all("\n" not in issue.message for issue in outcome.report.issues)

    def test_nothing_is_lost(self, outcomes: tuple[Outcome, ...]) -> None:
        """Every text of a document is in the newest version, or a message shows the path where it stood."""
        for outcome in outcomes:
            if outcome.newest is None or not outcome.refused.is_model:
                continue
            present = {str(leaf).lower() for leaf in _leaves(outcome.newest)}
            everything = " ".join(present)
            paths = {issue.path for issue in outcome.report.issues}
            for key in outcome.refused.tree.keys() - {"format_version", "inputs", "outputs"}:  # of tensors see test_same_meaning
                for leaf in _leaves(outcome.refused.tree[key]):
                    text = str(leaf).lower()
                    if text not in present and text.strip().removeprefix("https://doi.org/") not in everything:
                        said = any(path.split(".")[0] in (key, "") or key in path for path in paths)
                        assert said or (key == "id" and "config.bioimageio.nickname" in paths), (outcome.refused.sha, key, text)


def _leaves(tree: Any) -> list[Any]:
    if isinstance(tree, dict):
        return [leaf for value in tree.values() for leaf in _leaves(value)]
    return [leaf for value in tree for leaf in _leaves(value)] if isinstance(tree, list) else [tree]
