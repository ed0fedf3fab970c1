"""Metadata as bytes and back, and which version is written for whom."""

from __future__ import annotations

import string
from typing import Any

import pytest
from bioimageio_runtime_czmodel.czann import TYPES, CzannMetadata, dump_czann, parse_czann
from bioimageio_runtime_czmodel.czmodel import (
    COLOR_HANDLING,
    PIXEL_TYPES,
    CzmodelMetadata,
    TrainingClass,
    class_color,
    dump_czmodel,
    parse_czmodel,
)
from bioimageio_runtime_czmodel.versions import VERSIONS, choose_version, matrix
from hypothesis import given
from hypothesis import strategies as st

sizes = st.integers(1, 10_000)
texts = st.text(max_size=20)
xml_texts = st.text(string.ascii_letters + string.digits + " äß中<>&\"'", min_size=1, max_size=20).filter(lambda text: text.strip() == text)
colors = st.tuples(*[st.integers(0, 255)] * 3)


def czann(spatial: int) -> st.SearchStrategy[CzannMetadata]:
    shape = st.tuples(*[sizes] * (spatial + 1))
    return st.builds(
        CzannMetadata,
        id=texts,
        type=st.sampled_from(TYPES),
        input_shape=shape,
        output_shape=shape,
        min_overlap=st.none() | st.tuples(*[st.integers(0, 1000).map(lambda n: 2 * n)] * spatial),
        classes=st.none() | st.lists(texts, min_size=2, max_size=4).map(tuple),
        model_name=st.none() | texts,
        scaling=st.none() | st.tuples(*[st.floats(1e-12, 1)] * 2),
        format_version=st.sampled_from([None, "2.1.0"]),
        more=st.dictionaries(texts.filter(lambda key: key[:1].islower()), st.integers() | texts | st.none(), max_size=2),
    )


class TestCzann:
    """``model.json``."""

    @given(metadata=czann(2) | czann(3))
    def test_round_trip(self, metadata: CzannMetadata) -> None:
        """What is written is read."""
        assert parse_czann(dump_czann(metadata)) == metadata


class TestCzmodel:
    """The XML."""

    @given(
        metadata=st.builds(
            CzmodelMetadata,
            id=xml_texts,
            name=xml_texts,
            color_handling=st.sampled_from(COLOR_HANDLING),
            pixel_types=st.lists(st.sampled_from([*PIXEL_TYPES]), min_size=1, max_size=3).map(tuple),
            classes=st.lists(st.builds(TrainingClass, name=xml_texts, color=colors, label=st.integers(0, 100)), max_size=3).map(tuple),
            border_size=st.integers(0, 1000),
            postprocessing=st.just("") | xml_texts,
            version=st.sampled_from(["3.0.0", "3.1.0"]),
        )
    )
    def test_round_trip(self, metadata: CzmodelMetadata) -> None:
        """What is written is read."""
        assert parse_czmodel(dump_czmodel(metadata)) == metadata

    def test_colors(self) -> None:
        """Those of the first classes are the usual ones; later ones are some of their own."""
        first = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 0, 0), (254, 255, 0), (0, 254, 255)]
        assert [class_color(n) for n in range(6)] == first
        assert len({class_color(n) for n in range(6, 20)}) == 14


class TestVersions:
    """Which ZEN reads what."""

    @pytest.mark.parametrize(
        ("container", "options", "expected"),
        [
            ("czann", {}, "2.1.0"),
            ("czann", {"zen_blue": "3.13"}, "2.1.0"),
            ("czann", {"zen_blue": "3.12"}, "1.1.0"),
            ("czann", {"zen_blue": 4}, "2.1.0"),
            ("czann", {"zen_blue": 3.5}, "1.1.0"),
            ("czann", {"zen_core": "3.4"}, "1.1.0"),
            ("czmodel", {}, "3.1.0"),
            ("czmodel", {"zen_blue": "3.2"}, "3.0.0"),
            ("czmodel", {"zen_blue": "3.4", "zen_core": "3.2.1"}, "3.0.0"),
        ],
    )
    def test_chosen(self, container: Any, options: dict[str, Any], expected: str) -> None:
        """The newest that all given programs read."""
        try:
            found = choose_version(container, None, **options).name
        except ValueError as error:
            found = str(error)
        assert found == expected or (options == {"zen_blue": 3.5} and "may be 3.5 or 3.50" in found)

    def test_matrix(self) -> None:
        """The help names all of them."""
        for version in VERSIONS:
            assert f"{version.name} (ZEN Blue " in matrix(version.container)
