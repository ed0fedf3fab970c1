"""What holds for entries that bring description classes: ops and weights formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from yaml import YAMLError

from ..registry import Registry
from ..spec.schema import definition_name, json_schema
from ..spec.yaml import dump_yaml, load_yaml
from ..structuring.class_fields import has_fields
from ..typing import FrozenMapping, ModelFormat
from .entry import EntryConformance, one_sentence
from .strategies import kit_settings
from .trees import TreeReader, trees

__all__ = ["Case", "DescriptionConformance"]


@attrs.frozen(kw_only=True)
class Case:
    """What is tried of one description class."""

    version: ModelFormat
    trees: st.SearchStrategy[dict[str, Any]] = attrs.field(repr=False)
    listed: bool
    """The author listed it: it must work. Else it is made up, and may be refused with an error of this library."""

    label: str


class DescriptionConformance(EntryConformance):
    """The base of the conformance classes of ops and weights formats."""

    format_version: ModelFormat | None = None
    """Version of the model format that the listed examples are of; None: the newest that the entry has."""

    examples = 25
    """How many examples each law is tried on."""

    @property
    def tried(self) -> ModelFormat:
        """Version of the model format that the listed examples are of."""
        newest: ModelFormat = self.format_version or max(self.entry.descr)
        return newest

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each law once for each listed example, or once for each format version."""
        if "case" in metafunc.fixturenames:
            cases = list(self.cases())
            metafunc.parametrize("case", cases, ids=[case.label for case in cases])

    def cases(self) -> Iterator[Case]:
        """Yield what the author lists, else what can be made up, by format version."""
        listed = list(self.listed())
        for number, tree in enumerate(listed):
            yield Case(version=self.tried, trees=st.just(dict(tree)), listed=True, label=f"{self.tried}-{number}")
        if not listed:
            for version, cls in sorted(self.entry.descr.items()):
                yield Case(version=version, trees=trees(cls, TreeReader.of(self.entry, version)), listed=False, label=version)

    def listed(self) -> Sequence[Mapping[str, Any]]:
        """Return the trees that the author lists."""
        raise NotImplementedError

    def for_all(self, law: Any, *strategies: st.SearchStrategy[Any], examples: int | None = None) -> None:
        """Check a law on examples of strategies; skip the test where there is none."""
        try:
            kit_settings(examples or self.examples)(given(*strategies)(law))()
        except Unsatisfiable:
            pytest.skip(f"no example of {self.entry.name!r} could be made up that it accepts: list some")

    def test_round_trip(self, case: Case) -> None:
        """What is read and written as YAML is read as the same."""
        cls, reader = self.entry.descr[case.version], TreeReader.of(self.entry, case.version)

        def law(tree: dict[str, Any]) -> None:
            errors = reader.errors(cls, tree)
            assert not errors, f"{tree} is refused: {errors}"
            node = reader.structure(cls, tree)
            written = reader.unstructure(node)
            try:
                text = dump_yaml(written)
            except YAMLError:
                pytest.fail(f"{written} cannot be written as YAML: register an unstructure hook with `configure`")
            again = reader.structure(cls, load_yaml(text))
            assert again == node, f"expected {node} after writing and reading, found {again}"

        self.for_all(law, case.trees)

    def test_unknown_key_is_refused(self, case: Case) -> None:
        """A key that does not exist is refused, with its path and in one sentence."""
        cls, reader = self.entry.descr[case.version], TreeReader.of(self.entry, case.version)

        def law(tree: dict[str, Any]) -> None:
            for path, wrong in _with_unknown_keys(tree, reader.structure(cls, tree)):
                found = [p for p in reader.problems(cls, wrong) if p.loc[: len(path)] == path]
                assert found, f"expected {'.'.join(path)} to be refused, found it accepted: classes of descriptions are made with `node`"
                one_sentence(found[0].message)

        self.for_all(law, case.trees, examples=3)

    def test_wrong_value_is_refused(self, case: Case) -> None:
        """A value of the wrong type is refused in one sentence, never with another error."""
        cls, reader = self.entry.descr[case.version], TreeReader.of(self.entry, case.version)

        def law(tree: dict[str, Any]) -> None:
            node = reader.structure(cls, tree)
            for key in tree:
                if isinstance(getattr(node, key, None), Mapping):  # which may hold anything
                    continue
                problems = reader.problems(cls, {**tree, key: {"no_such_key": [None]}})
                assert problems, f"expected {key}: {{no_such_key: [null]}} to be refused"
                for problem in problems:
                    one_sentence(problem.message)

        self.for_all(law, case.trees, examples=3)

    def test_json_schema(self, case: Case) -> None:
        """The JSON Schema of models has the class, and accepts what the class accepts."""
        jsonschema = pytest.importorskip("jsonschema")
        cls, reader = self.entry.descr[case.version], TreeReader.of(self.entry, case.version)
        alone: Any = {self.kind: FrozenMapping({self.entry.name: self.entry})}
        schema = json_schema(Registry(**alone), type="model", format_version=case.version)
        name = definition_name(cls)
        assert name in schema["$defs"], f"the JSON Schema of models of format {case.version} has no definition {name}"
        validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})

        def law(tree: dict[str, Any]) -> None:
            written = reader.unstructure(reader.structure(cls, tree))
            refused = [error.message for error in validator.iter_errors(written)]
            assert not refused, f"the JSON Schema refuses {written}: {refused[0]}"

        self.for_all(law, case.trees)


def _with_unknown_keys(tree: dict[str, Any], node: Any) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield the tree with a key too much, at the top and in its arguments, and the path of that key."""
    yield ("no_such_key",), {**tree, "no_such_key": 1}
    if "kwargs" in tree and has_fields(type(node.kwargs)):
        yield ("kwargs", "no_such_key"), {**tree, "kwargs": {**tree["kwargs"], "no_such_key": 1}}
