"""Values on the command line: what is written is what is parsed, and errors quote what was written."""

from __future__ import annotations

from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.cli.parameter_types import (
    AXIS_LENGTHS,
    AXIS_RANGES,
    AXIS_SIZES,
    INPUT_AXES,
    JSON_OBJECT,
    MEMORY,
    NAME_VALUE,
    NAMES,
    NUMBER_PAIR,
    SHARD,
)

AXES = st.text("bczyx", min_size=1, max_size=3)
PIXELS = st.integers(-10, 10**9)


def parse(kind: Any, text: str) -> Any:
    """Return the value of a text, as click converts it."""
    return kind.convert(text, None, None)


class TestAxisValues:
    """AXIS=VALUE with commas between them."""

    @given(st.dictionaries(AXES, PIXELS, max_size=4), st.sampled_from([",", ", ", " , "]))
    def test_sizes_round_trip(self, sizes: dict[str, int], comma: str) -> None:
        """Whatever the spaces."""
        assert parse(AXIS_SIZES, comma.join(f"{axis}={size}" for axis, size in sizes.items())) == sizes

    @given(st.dictionaries(AXES, st.floats(1e-6, 1e6), max_size=4))
    def test_lengths_round_trip(self, lengths: dict[str, float]) -> None:
        """Floats stay the same."""
        assert parse(AXIS_LENGTHS, ",".join(f"{axis}={length!r}" for axis, length in lengths.items())) == lengths

    @given(st.dictionaries(AXES, st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=4))
    def test_ranges_round_trip(self, ranges: dict[str, tuple[int, int]]) -> None:
        """Start and stop."""
        assert parse(AXIS_RANGES, ",".join(f"{axis}={start}:{stop}" for axis, (start, stop) in ranges.items())) == ranges

    def test_open_ranges(self) -> None:
        """An end that is left out is None."""
        assert parse(AXIS_RANGES, "y=10:,x=:50,z=:") == {"y": (10, None), "x": (None, 50), "z": (None, None)}

    @pytest.mark.parametrize("kind", [AXIS_SIZES, AXIS_LENGTHS, AXIS_RANGES])
    @pytest.mark.parametrize("text", ["y", "y=", "=3", "y=a", "y=1:2:3", "y=1 x=2"])
    def test_malformed(self, kind: Any, text: str) -> None:
        """How to write it, and what was written."""
        with pytest.raises(click.BadParameter, match="AXIS=") as caught:
            parse(kind, text)
        assert repr(text) in caught.value.message

    @pytest.mark.parametrize(("kind", "text"), [(AXIS_SIZES, "y=1,y=2"), (AXIS_RANGES, "y=0:1, y=0:2")])
    def test_same_axis_twice(self, kind: Any, text: str) -> None:
        """Neither of the two is the right one."""
        with pytest.raises(click.BadParameter, match="'y' is given twice"):
            parse(kind, text)


class TestOthers:
    """All other types."""

    @pytest.mark.parametrize(
        ("kind", "text", "value"),
        [
            (SHARD, "3/8", (3, 8)),
            (SHARD, " 3 / 8 ", (3, 8)),
            (MEMORY, "4 GB", 4_000_000_000),
            (MEMORY, "2GiB", 2**31),
            (NAMES, "t, z,", ("t", "z")),
            (NAMES, "", ()),
            (NUMBER_PAIR, "-1,1", (-1.0, 1.0)),
            (JSON_OBJECT, '{"merge": "max"}', {"merge": "max"}),
            (INPUT_AXES, "bcyx", "bcyx"),
            (INPUT_AXES, "image=bcyx, mask=byx", {"image": "bcyx", "mask": "byx"}),
            (NAME_VALUE, "threshold=0.5", ("threshold", 0.5)),
            (NAME_VALUE, "axes=[y, x]", ("axes", ["y", "x"])),
        ],
    )
    def test_parsed(self, kind: Any, text: str, value: object) -> None:
        """And a parsed value stays as it is, since click converts defaults twice."""
        assert parse(kind, text) == value
        assert kind.convert(value, None, None) == value

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            (SHARD, "3"),
            (SHARD, "a/b"),
            (MEMORY, "lots"),
            (MEMORY, "-1"),
            (NUMBER_PAIR, "1"),
            (NUMBER_PAIR, "1,2,3"),
            (JSON_OBJECT, "[1]"),
            (JSON_OBJECT, "{"),
            (INPUT_AXES, "image="),
            (NAME_VALUE, "threshold"),
            (NAME_VALUE, "a b=1"),
            (NAME_VALUE, "a={"),
        ],
    )
    def test_malformed(self, kind: Any, text: str) -> None:
        """What was written."""
        with pytest.raises(click.BadParameter) as caught:
            parse(kind, text)
        assert repr(text) in caught.value.message
