"""Units of length and time."""

from __future__ import annotations

from typing import get_args

import pytest

from bioimageio_core.spec.model.v0_5.axes import SpaceUnit, TimeUnit
from bioimageio_core.units import METRES, SECONDS, metres_in, normalised_unit, unit_symbol


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
            ("millisecond", ("ms", "Milliseconds")),
            ("minute", ("min", "minutes")),
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
