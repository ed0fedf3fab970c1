"""Units of length and time."""

from __future__ import annotations

from math import isfinite
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioimageio_core.spec.model.v0_5.axes import SpaceUnit, TimeUnit
from bioimageio_core.units import (
    METRES,
    SECONDS,
    conversion,
    in_named_unit,
    is_pixel_size,
    metres_in,
    normalised_unit,
    parse_size,
    unit_symbol,
)


class TestNames:
    @pytest.mark.parametrize(
        ("unit", "written"),
        [
            ("micrometer", ("micrometer", "µm", "μm", "um", "UM", "micron", "Microns", "micrometre", "Micrometers", " µm ")),
            ("nanometer", ("nm", "nanometre", "nanometers")),
            ("meter", ("m", "metre", "Meters")),
            ("megameter", ("Mm",)),
            ("millimeter", ("mm", "MM")),
            ("angstrom", ("Å", "\u212b", "Angstrom", "angstroms")),
            ("inch", ("in", "inch", "inches")),
            ("second", ("s", "sec", "seconds")),
            ("millisecond", ("ms", "msec", "Milliseconds")),
            ("minute", ("min", "mins", "minutes")),
            ("picometer", ("pm", "picometre")),
            ("hour", ("h", "hr", "hours")),
            ("day", ("d", "days")),
            ("centimeter", ("cm", "centimetre")),
            (None, ("pixel", "pixels", "", "reference frame", None, "px")),
        ],
    )
    def test_spellings(self, unit: str | None, written: tuple[str | None, ...]) -> None:
        """All common spellings lead to the name in descriptions."""
        assert {normalised_unit(w) for w in written} == {unit}

    def test_those_of_descriptions(self) -> None:
        """Every unit that a description may have is known, under its own name, and by its symbol."""
        assert set(get_args(SpaceUnit)) == set(METRES)
        assert set(get_args(TimeUnit)) <= set(SECONDS)
        for unit in (*METRES, *SECONDS):
            assert normalised_unit(unit) == unit
            assert normalised_unit(unit_symbol(unit)) == unit


class TestLengths:
    @pytest.mark.parametrize(("unit", "metres"), [("µm", 1e-6), ("nm", 1e-9), ("cm", 0.01), ("inch", 0.0254), ("Mm", 1e6), ("km", 1000)])
    def test_in_metres(self, unit: str, metres: float) -> None:
        """The numbers are exact decimals."""
        assert metres_in(unit) == metres

    def test_no_lengths(self) -> None:
        """Times and pixels have none."""
        assert metres_in("second") is metres_in("pixel") is metres_in(None) is None


class TestSizes:
    @pytest.mark.parametrize(
        ("unit", "named"),
        [
            ("µm", (2.0, "micrometer")),
            ("Å", (2.0, "angstrom")),
            ("dam", (20.0, "meter")),
            ("thou", (0.002, "inch")),
            ("li", (2 / 12, "inch")),
            ("pt", (2 / 72, "inch")),
            ("ua", (2 * 149597870700.0, "meter")),
            ("ly", (2 * 9460730472580800.0, "meter")),
            ("das", (20.0, "second")),
            ("pixel", (2.0, None)),
            ("reference frame", (2.0, None)),
            (None, (2.0, None)),
        ],
    )
    def test_in_named_units(self, unit: str | None, named: tuple[float, str | None]) -> None:
        """All units of OME have a name, are converted to one that has, or are no unit."""
        assert in_named_unit(2.0, unit) == named

    @pytest.mark.parametrize(
        ("unit", "to", "factor"), [("µm", "nm", 1000), ("angstrom", "nm", 0.1), ("min", "s", 60), ("µm", "s", None), ("µm", None, None)]
    )
    def test_conversion(self, unit: str, to: str | None, factor: float | None) -> None:
        """Lengths convert to lengths, and times to times."""
        assert conversion(unit, to) == (None if factor is None else pytest.approx(factor))

    def test_pixel_sizes(self) -> None:
        """They are finite and above 0."""
        assert is_pixel_size(1e-300)
        assert not any(map(is_pixel_size, (0.0, -0.5, float("nan"), float("inf"))))


class TestWritten:
    """Sizes in texts."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0.5", (0.5, None)),
            (" 1e-3 ", (0.001, None)),
            ("0.5um", (0.5, "micrometer")),
            ("0.5 µm", (0.5, "micrometer")),
            ("1.0 Microns", (1.0, "micrometer")),
            ("5e-7 m", (5e-7, "meter")),
            (".5nm", (0.5, "nanometer")),
            ("3Å", (3.0, "angstrom")),
            ("2 s", (2.0, "second")),
        ],
    )
    def test_examples(self, text: str, expected: tuple[float, str | None]) -> None:
        """With and without a unit."""
        assert parse_size(text) == expected

    @pytest.mark.parametrize("text", ["", "um", "1 parrot", "1 2", "1,5 um", "one"])
    def test_none(self, text: str) -> None:
        """Anything else is a ValueError."""
        with pytest.raises(ValueError):  # noqa: PT011 (float says it in its words)
            parse_size(text)

    @given(st.floats(allow_nan=False), st.sampled_from(["", " "]), st.sampled_from(["", "nm", "micrometer", "s"]))
    def test_law(self, size: float, space: str, unit: str) -> None:
        """Any number that Python writes is read back."""
        if isfinite(size) or not unit:
            assert parse_size(f"{size!r}{space}{unit}") == (size, normalised_unit(unit) if unit else None)
