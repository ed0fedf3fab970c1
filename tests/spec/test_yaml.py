from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimageio_core.errors import YamlError
from bioimageio_core.spec.yaml import dump_yaml, load_yaml

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
TREES = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


class TestScalars:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1e-6", 1e-6),
            ("1.", 1.0),
            (".5", 0.5),
            ("010", 10),
            ("0o10", 8),
            ("0x1F", 31),
            (".inf", float("inf")),
            ("-.INF", float("-inf")),
            ("on", "on"),
            ("yes", "yes"),
            ("No", "No"),
            ("True", True),
            ("~", None),
            ("", None),
            ("2021-09-09", "2021-09-09"),
            ("2019-12-11T11:22:32+00:00", "2019-12-11T11:22:32+00:00"),
            ("1_000", "1_000"),
            ("12:30:45", "12:30:45"),
            ("'1'", "1"),
            ("!!str 1", "1"),
            ("!!float 1", 1.0),
            ("1.10", 1.1),
            ("<<", "<<"),
        ],
    )
    def test_core_schema(self, text: str, value: Any) -> None:
        """Plain scalars have the types of the YAML 1.2 core schema, not those of YAML 1.1."""
        found = load_yaml(f"key: {text}")["key"]
        assert found == value
        assert type(found) is type(value)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a: 1\nb: 2\na: 3", "line 3: expected distinct keys, found 'a' more than once"),
            ("a:\n\t- b", "line 2: expected valid YAML, found character that cannot start any token"),
            ("a: [1", "line 2: expected valid YAML, did not find expected ',' or ']'"),
            ("- 1", "expected a mapping at the top level, found list"),
            ("", "expected a mapping at the top level, found null"),
            ("1: a", "expected strings as keys of the top level, found 1"),
            ("a: &a [*a]", "line 1: expected a value of finite size, found 'a' within itself"),
            ("a: *b", "line 1: expected the name of an anchor that comes before, found 'b'"),
            ("a: 1\n---\nb: 1", "line 2: expected a single document, found another one"),
            ("{[1]: 2}", "line 1: expected a scalar as key, found list"),
            (
                "a: !!python/object/apply:os.system [ls]",
                "line 1: expected a plain list, found the tag 'tag:yaml.org,2002:python/object/apply:os.system'",
            ),
        ],
    )
    def test_message_is_one_line_with_line_number(self, text: str, message: str) -> None:
        """What is refused is refused with the source, the line, expected and found."""
        with pytest.raises(YamlError) as caught:
            load_yaml(text, source="m.yaml")
        assert str(caught.value).removeprefix("m.yaml: ") == message
        assert str(caught.value).startswith("m.yaml: ")
        assert "\n" not in str(caught.value)

    def test_alias_bomb(self) -> None:
        """Aliases that expand to billions of nodes cost no memory."""
        names = "abcdefghijk"
        lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in itertools.pairwise(names)]
        with pytest.raises(YamlError, match="expected at most 200000 values once aliases are expanded"):
            load_yaml("\n".join(lines))

    def test_deep_nesting(self) -> None:
        """Nesting that would exhaust the stack is refused; PyYAML has a limit of its own from 6.0.4 on."""
        with pytest.raises(YamlError, match="expected at most 100 levels of nesting"):
            load_yaml("a: " + "[" * 101 + "]" * 101)
        with pytest.raises(YamlError, match=r"expected at most 100 levels of nesting|maximum nesting depth"):
            load_yaml("a: " + "[" * 100_000)

    def test_other_encoding(self) -> None:
        """Bytes that are not UTF-8 are refused."""
        with pytest.raises(YamlError, match="expected text in UTF-8"):
            load_yaml(b"a: \xff")

    def test_long_integers(self) -> None:
        """Digits that Python would not convert are refused."""
        for digits in ("1" * 5000, "9" * 251, "0x" + "f" * 250):
            with pytest.raises(YamlError, match="expected a number of at most 250 digits"):
                load_yaml(f"a: {digits}")
        assert float(load_yaml("a: 0x" + "f" * 248)["a"]) > 1e298

    def test_many_tags(self) -> None:
        """Directives that cost libyaml the square of their number are counted before they are read."""
        tags = "".join(f"%TAG !t{n}! tag:example.org,2000:\n" for n in range(101))
        with pytest.raises(YamlError, match="expected at most 100 directives %TAG, found 101"):
            load_yaml(tags + "---\na: 1")

    @settings(max_examples=300, deadline=None)
    @given(st.text(max_size=40) | st.binary(max_size=40))
    def test_anything(self, text: str | bytes) -> None:
        """Whatever the text, it is read or refused with a YamlError."""
        with contextlib.suppress(YamlError):
            assert isinstance(load_yaml(text), dict)


class TestRoundTrip:
    @settings(max_examples=300, deadline=None)
    @given(TREES)
    def test_load_after_dump(self, tree: dict[str, Any]) -> None:
        """What was written is read back, types included."""
        assert repr(load_yaml(dump_yaml(tree))) == repr(tree)

    def test_other_readers(self) -> None:
        """Strings that YAML 1.1 would take for something else are quoted too."""
        assert dump_yaml({"a": "on", "b": "1e-6", "c": "2021-09-09", "d": "0o7"}) == "a: 'on'\nb: '1e-6'\nc: '2021-09-09'\nd: '0o7'\n"

    def test_style(self) -> None:
        """Keys keep their order, text of several lines is a block, lists are indented."""
        assert dump_yaml({"b": "x\ny\n", "a": [1, {"c": "µ"}]}) == "b: |\n  x\n  y\na:\n  - 1\n  - c: µ\n"

    def test_shared_parts_are_written_out(self) -> None:
        """Aliases of the source are not written as aliases."""
        assert "*" not in dump_yaml(load_yaml("a: &x [1]\nb: *x"))
