from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from corpus import DISAGREEMENTS
from damaged_descriptions import DAMAGES, Damage, damaged
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bioimageio_core.errors import InvalidDescriptionError
from bioimageio_core.registry import Registry
from bioimageio_core.spec.converters import converter_for, make_converter
from bioimageio_core.spec.updating import update_tree
from bioimageio_core.spec.validation import read_tree, validate_tree
from bioimageio_core.spec.yaml import dump_yaml, load_yaml
from bioimageio_core.structuring.converter import plain_converter, unstructure


class TestVerdicts:
    def test_agreement(self, verdicts: tuple[Any, ...], registry: Registry) -> None:
        """Real descriptions of every type are valid and invalid as the reference implementation has it, but for what is listed."""
        differing = {v.sha for v in verdicts if (validate_tree(v.tree, registry).status == "valid") is not v.is_valid}
        assert differing == set(DISAGREEMENTS)
        assert 1 - len(differing) / len(verdicts) > 0.99

    def test_models_load(self, shared: Path, registry: Registry) -> None:
        """All real models are valid, but for the one made to be invalid."""
        paths = [path for path in (shared / "models").glob("*/*.yaml") if path.name != "environment.yaml"]
        invalid = {path.name for path in paths if validate_tree(load_yaml(path.read_bytes()), registry).status == "invalid"}
        assert len(paths) == 13
        assert invalid == {"invalid_v0_4_0_duplicate_tensor_names.bioimageio.yaml"}

    def test_whole_corpus(self, shared: Path, registry: Registry) -> None:
        """Whatever the description, there is a report."""
        for path in (shared / "corpus" / "descriptions").iterdir():
            try:
                tree = load_yaml(path.read_bytes())
            except ValueError:
                continue
            report = validate_tree(tree, registry, source=path.name)
            assert "\n" not in report.summary()


class TestRoundTrip:
    def test_models(self, model_verdicts: tuple[Any, ...], registry: Registry) -> None:
        """Writing a description and reading it again gives an equal one, also by way of YAML text."""
        for verdict in model_verdicts:
            if verdict.is_valid and verdict.sha not in DISAGREEMENTS:
                descr, _ = read_tree(verdict.tree, registry, verdict.sha)
                converter = converter_for(registry, "0.4" if verdict.format_version.startswith("0.4") else "0.5")
                tree = converter.unstructure(descr)
                assert converter.structure(tree, type(descr)) == descr, verdict.sha
                assert load_yaml(dump_yaml(tree)) == tree, verdict.sha
                assert read_tree(tree, registry)[0] == descr, verdict.sha

    def test_other_types(self, verdicts: tuple[Any, ...], registry: Registry) -> None:
        """Writing a description that is no model and reading it again gives an equal one, with every key of the document."""
        others = [v for v in verdicts if v.is_valid and v.type != "model"]
        assert len(others) > 200
        for verdict in others:
            descr, _ = read_tree(verdict.tree, registry, verdict.sha)
            tree = plain_converter().unstructure(descr)
            assert read_tree(load_yaml(dump_yaml(tree)), registry)[0] == descr, verdict.sha
            assert set(verdict.tree) - set(tree) <= {"version_number"}, verdict.sha

    def test_no_key_is_lost(self, model_verdicts: tuple[Any, ...], registry: Registry) -> None:
        """Every key of a document is written back and none is made up, but for what micro versions renamed."""
        for verdict in model_verdicts:
            if (
                verdict.is_valid
                and verdict.sha not in DISAGREEMENTS
                and (verdict.format_version == "0.4.10" or verdict.format_version > "0.5")
            ):
                descr, _ = read_tree(verdict.tree, registry, verdict.sha)
                written, source = _keys(make_converter(registry, "0.5").unstructure(descr)), _keys(verdict.tree)
                assert not {path for path in source - written if path[-1] != "version_number"}, verdict.sha
                assert not {path for path in written - source if path[-1] not in ("source", "version")}, verdict.sha


def _keys(tree: Any, path: tuple[Any, ...] = ()) -> set[tuple[Any, ...]]:
    if isinstance(tree, dict):
        items = [(key, value) for key, value in tree.items() if (key, value) != ("config", {})]
    else:
        items = list(enumerate(tree)) if isinstance(tree, list) else []
    return {path}.union(*(_keys(value, (*path, key)) for key, value in items if value is not None or path != ("weights",)))


EXAMPLES = settings(max_examples=2000, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


class TestMutations:
    @EXAMPLES
    @given(st.integers(0, 10_000), DAMAGES)
    def test_only_our_errors(self, verdicts: tuple[Any, ...], registry: Registry, which: int, damages: list[Damage]) -> None:
        """However a real description of any type is damaged, it is read, and written back, or refused with a report."""
        tree = damaged(verdicts[which % len(verdicts)].tree, damages)
        report = validate_tree(tree, registry, "damaged.yaml")
        assert "\n" not in report.summary()
        if report.status == "valid":
            descr, _ = read_tree(tree, registry, "damaged.yaml")
            assert read_tree(unstructure(descr), registry)[0] == descr
        else:
            with pytest.raises(InvalidDescriptionError, match=r"^damaged\.yaml is invalid: ") as caught:
                read_tree(tree, registry, "damaged.yaml")
            assert caught.value.report.summary() == report.summary()

    @EXAMPLES
    @given(st.integers(0, 10_000), DAMAGES)
    def test_updating(self, verdicts: tuple[Any, ...], registry: Registry, which: int, damages: list[Damage]) -> None:
        """However a real description of any type is damaged, it is brought to a valid one of the newest version or refused."""
        valid = [verdict for verdict in verdicts if verdict.is_valid]
        tree = damaged(valid[which % len(valid)].tree, damages)
        try:
            descr, _ = update_tree(tree, registry, "damaged.yaml")
        except InvalidDescriptionError as error:
            report = error.report
        else:
            report = validate_tree(unstructure(descr), registry)
            assert report.status == "valid"
            return
        assert report.errors
