"""Positions of values in the text of a description."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioimageio_core.spec.positions import PositionFinder, Positions, Span
from bioimageio_core.spec.yaml import dump_yaml, load_yaml

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.text("ab \n", max_size=200)
TREES = st.dictionaries(
    TEXT,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
        max_leaves=12,
    ),
    max_size=5,
)


def paths(tree: Any, loc: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """Return every value of a tree by its path."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return {loc: tree} | {path: value for key, item in items for path, value in paths(item, (*loc, key)).items()}


def find_positions(text: str | bytes) -> Positions:
    """Return the position of every value of a document by its path."""
    finder = PositionFinder()
    load_yaml(text, watch=finder.add)
    return finder.found


def cut(text: str, span: Span) -> str:
    """Return what stands in a span of a text whose only line breaks are line feeds."""
    lines = text.split("\n")
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1]
    between = lines[span.line : span.end_line - 1]
    return "\n".join([lines[span.line - 1][span.column - 1 :], *between, lines[span.end_line - 1][: span.end_column - 1]])


class TestLaws:
    @settings(max_examples=300, deadline=None)
    @given(TREES)
    def test_every_value_stands_where_it_is_said_to_stand(self, tree: dict[str, Any]) -> None:
        """Every path of the tree has a position; what is read there is the scalar, and its key."""
        text = dump_yaml(tree)
        positions = find_positions(text)
        expected = paths(tree)
        assert positions.keys() == expected.keys()
        for loc, value in expected.items():
            if not isinstance(value, dict | list):
                assert repr(load_yaml(f"k: {cut(text, positions[loc].value)}")["k"]) == repr(value)
            key = positions[loc].key
            if loc and isinstance(loc[-1], str):
                assert key is not None
                assert load_yaml(f"k: {cut(text, key)}")["k"] == loc[-1]
            else:
                assert key is None


class TestPlaces:
    TEXT = "a: 1\nlong:\n  - x: 'é'\n    y: |\n      q\n  - {u: v, w: [1, 2]}\nempty:\nkept: &k [1]\nagain: *k\n"

    @pytest.mark.parametrize(
        ("loc", "place"),
        [
            (("a",), Span(1, 4, 1, 5)),
            (("long",), Span(2, 1, 2, 5)),  # of several lines: its key
            (("long", 0), Span(3, 5, 6, 3)),
            (("long", 0, "x"), Span(3, 8, 3, 11)),
            (("long", 0, "y"), Span(4, 5, 4, 6)),
            (("long", 1), Span(6, 5, 6, 22)),
            (("long", 1, "w", 1), Span(6, 19, 6, 20)),
            (("empty",), Span(7, 7, 7, 7)),
            (("kept", 0), Span(8, 11, 8, 12)),
            (("again",), Span(9, 8, 9, 10)),
        ],
    )
    def test_place(self, loc: tuple[str | int, ...], place: Span) -> None:
        """Lines and columns count from 1, columns in characters."""
        assert find_positions(self.TEXT)[loc].place == place

    def test_within_an_alias(self) -> None:
        """What an alias repeats has the position of the anchor alone."""
        assert ("again", 0) not in find_positions(self.TEXT)

    @pytest.mark.parametrize("text", [b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "\ufeffa: 1\r\nb: 2\r\n"])
    def test_byte_order_mark_and_line_breaks(self, text: str | bytes) -> None:
        """Neither moves anything."""
        positions = find_positions(text)
        assert positions["a",].value == Span(1, 4, 1, 5)
        assert positions["b",].value == Span(2, 4, 2, 5)
