"""Generated JSON Schemas, judged by real descriptions and by the schema of the reference."""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schema_judge import Judge, judge

from bioimageio_core.registry import Registry
from bioimageio_core.spec.converters import converter_for
from bioimageio_core.spec.formats import detect
from bioimageio_core.spec.schema import ROOTS
from bioimageio_core.spec.validation import read_tree, validate_tree
from bioimageio_core.spec.versions import converter_format, upgrade_of

ACROSS_FIELDS = {
    r"outputs\.0\.(?:halo|shape): expected something to be left of axis": "009e65b7f57a 36e5b5225982 4654a46e8ab4 4dd49267357f "
    "a5822e9baab1 acbaefd3d3f7",
    r"outputs\.0\.shape\.scale: expected a scale for each of the 3 axes": "00a1f41e99c0 012384d16555 0d4ee83b73ce 0e2650d43589 "
    "5bf266ad6bd9 bda83ff1f58b d2a2f2a28de1",
    r"weights\.pytorch_state_dict\.architecture_sha256: expected the SHA-256 of .*, found none": "0466483f0fc2 2b9ffd687152 40c8c5376ed2 "
    "57317d77758c 63e7774c1dd1 7f3d9b9765c5 8cdec1975b12 ac2f12e506dc aff495a33dfd cc9be23b5afb d0ccd227bd21 dbeda086cedc eb63939ce543 "
    "ee2a258da525",
}
"""Rules that span fields, which no schema states, and the real descriptions that break nothing but them; they fit all the same."""

UNLIKE_THE_REFERENCE = {
    **dict.fromkeys(("01a6d1aebd76", "108ff2a4ae08", "1376de56826a", "5f33d4193f9f"), "weights.pickle, which a plugin may bring"),
    **dict.fromkeys(("031fca9a604f", "0c1fa5eee6d7", "0feadb97d524"), "an architecture that is no identifier, which only its code refuses"),
    "409817d0c8a1": "test tensors that are TIFF files, which only its code refuses",
}
"""Real descriptions of which the reference's schema says otherwise, and why."""

VALUES = [True, 0, 1, -1, 3, 0.5, "", "1", "batch", "x", "a.npy", "1.0", [], [1], {}]
"""What may come in place of something."""


@pytest.fixture(scope="session")
def others(verdicts: tuple[Any, ...]) -> list[Any]:
    """The trees of real descriptions of anything but models."""

    class Trees(list[Any]):
        """Shown by their number alone, not whole in every message."""

        def __repr__(self) -> str:
            return f"{len(self)} descriptions"

    return Trees(v.tree for v in verdicts if v.type not in ("", "model", "collection") and v.is_valid)


class TestCorpus:
    """Real descriptions."""

    def test_same_verdict(self, verdicts: tuple[Any, ...], registry: Registry, fits: dict[str, Judge]) -> None:
        """What is valid fits the schema of its type and version and that of all together, and what is invalid fits none.

        Apart from models that break nothing but rules between fields.
        """
        agreeing: Counter[str] = Counter()
        for verdict in verdicts:
            report, detected = validate_tree(verdict.tree, registry), detect(verdict.tree)
            broken = {rule for rule in ACROSS_FIELDS for error in report.errors if re.match(rule, str(error))}
            only_across = bool(broken) and all(re.match("|".join(broken), str(error)) for error in report.errors)
            good = report.status == "valid"
            fitting = [name for name, fit in fits.items() if fit(verdict.tree)]
            assert fitting == (["all", f"{detected.family} {detected.format}"] if good or only_across else []), verdict.sha
            assert only_across == any(verdict.sha in shas.split() for shas in ACROSS_FIELDS.values()), verdict.sha
            agreeing["across fields" if only_across else detected.family if good else "invalid"] += 1
        assert agreeing == {
            "application": 96, "dataset": 78, "generic": 25, "model": 186, "notebook": 10, "invalid": 517, "across fields": 27,
        }  # fmt: skip
        assert len(verdicts) == 939  # of 941: two are no YAML

    def test_agreement_with_the_reference(self, shared: Path, verdicts: tuple[Any, ...], fits: dict[str, Judge]) -> None:
        """The reference's own schema says the same of every description in the form of its latest micro version."""
        theirs = json.loads((shared / "spec" / "bioimageio_schema.json").read_text(encoding="utf-8"))
        fits_theirs: dict[str, Judge] = {}
        for root in (root for root in ROOTS if root.family != "generic"):  # which it does not describe
            name = f"bioimageio__spec__{root.family}__v{root.format.replace('.', '_')}__{root.family.capitalize()}Descr"
            fits_theirs[f"{root.family} {root.format}"] = judge({"$ref": f"#/$defs/{name}", "$defs": theirs["$defs"]})
        compared: Counter[str] = Counter()
        differing = set()
        for verdict in verdicts:
            detected = detect(verdict.tree)
            name = f"{detected.family} {detected.format}"
            if detected.format is not None and name in fits_theirs:
                newest, _ = upgrade_of(detected.family, detected.format)(verdict.tree, detected.version)
                compared[name] += 1
                if fits[name](newest) != fits_theirs[name](as_stored(newest)):
                    differing.add(verdict.sha)
        assert differing == UNLIKE_THE_REFERENCE.keys()
        assert compared == {
            "application 0.2": 150, "application 0.3": 13, "dataset 0.2": 97, "dataset 0.3": 8, "model 0.4": 160, "model 0.5": 90,
            "notebook 0.2": 10,
        }  # fmt: skip

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
    @given(st.integers(0, 1000), st.lists(st.integers(0, 40), min_size=1, max_size=8), st.none() | st.sampled_from(VALUES))
    def test_changed_models(
        self, model_verdicts: tuple[Any, ...], registry: Registry, fits: dict[str, Judge], which: int, way: list[int], value: Any
    ) -> None:
        """However a real model is changed, if it is valid then it fits as soon as it is written back."""
        self.check_changed(model_verdicts[which % len(model_verdicts)].tree, registry, fits, way, value)

    @settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much])
    @given(st.integers(0, 1000), st.lists(st.integers(0, 40), min_size=1, max_size=8), st.none() | st.sampled_from(VALUES))
    def test_changed_others(
        self, others: list[Any], registry: Registry, fits: dict[str, Judge], which: int, way: list[int], value: Any
    ) -> None:
        """The same of all other types."""
        self.check_changed(others[which % len(others)], registry, fits, way, value)

    def check_changed(self, tree: Any, registry: Registry, fits: dict[str, Judge], way: list[int], value: Any) -> None:
        tree = copy.deepcopy(tree)
        tree.pop("config", None)  # written back as it was, numbers in quotes and all
        change(tree, way, value)
        assume(validate_tree(tree, registry).status == "valid")
        detected = detect(tree)
        assert detected.format is not None
        converter = converter_for(registry, converter_format(detected.family, detected.format))
        written = json.loads(json.dumps(converter.unstructure(read_tree(tree, registry)[0])))
        assert fits[f"{detected.family} {detected.format}"](written)
        assert fits["all"](written)


def as_stored(tree: Any) -> Any:
    """Return a tree as the reference writes it, which is what its schema describes: DOIs are no URLs, infinity is a number."""
    if isinstance(tree, dict):
        return {
            key: re.sub(r"^https?://(?:dx\.)?doi\.org/", "", value) if key == "doi" and isinstance(value, str) else as_stored(value)
            for key, value in tree.items()
        }
    if isinstance(tree, (list, tuple)):
        return [as_stored(value) for value in tree]
    return float(tree) if tree in ("inf", "-inf") else tree


def change(tree: Any, way: list[int], value: Any) -> None:
    """Follow the way as far as it leads, then replace what is there; without a value, remove it."""
    for turn in way:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        if not keys:
            return
        key = keys[turn % len(keys)]
        if not isinstance(tree[key], (dict, list)):
            break
        parent, tree = tree, tree[key]
    else:
        tree = parent
    if value is None:
        del tree[key]
    else:
        tree[key] = copy.deepcopy(value)
