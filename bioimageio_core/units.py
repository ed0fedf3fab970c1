"""Units of length and time: names as descriptions and OME-Zarr have them, other spellings, and conversion.

The names are those that OME-Zarr lists: `METRES` for length, `SECONDS` for time.

Public: readers and writers of plugins convert pixel sizes with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TypeAlias

from .typing import FrozenMapping

__all__ = [
    "METRES",
    "SECONDS",
    "PixelSize",
    "conversion",
    "in_named_unit",
    "is_pixel_size",
    "metres_in",
    "normalised_unit",
    "parse_size",
    "unit_symbol",
]

PixelSize: TypeAlias = tuple[float, str | None]
"""A size, and the name of its unit; None where the unit is not known."""

PREFIXES = (
    ("yotta", "Y", 24), ("zetta", "Z", 21), ("exa", "E", 18), ("peta", "P", 15), ("tera", "T", 12), ("giga", "G", 9), ("mega", "M", 6),
    ("kilo", "k", 3), ("hecto", "h", 2), ("", "", 0), ("deci", "d", -1), ("centi", "c", -2), ("milli", "m", -3), ("micro", "µ", -6),
    ("nano", "n", -9), ("pico", "p", -12), ("femto", "f", -15), ("atto", "a", -18), ("zepto", "z", -21), ("yocto", "y", -24),
)  # fmt: skip
"""Prefixes of SI units: name, symbol, and power of ten."""

METRES: Mapping[str, float] = FrozenMapping(
    {
        **{f"{prefix}meter": float(f"1e{power}") for prefix, _, power in PREFIXES},
        "angstrom": 1e-10,
        "inch": 0.0254,
        "foot": 0.3048,
        "yard": 0.9144,
        "mile": 1609.344,
        "parsec": 3.0856775814913673e16,
    }
)
"""Units of length, by name, in metres."""

SECONDS: Mapping[str, float] = FrozenMapping(
    {
        **{f"{prefix}second": float(f"1e{power}") for prefix, _, power in PREFIXES},
        "minute": 60.0,
        "hour": 3600.0,
        "day": 86400.0,
    }
)
"""Units of time, by name, in seconds."""


def _symbols() -> Iterator[tuple[str, str]]:
    for prefix, symbol, _ in PREFIXES:
        yield f"{symbol}m", f"{prefix}meter"
        yield f"{symbol}s", f"{prefix}second"
    yield from (("Å", "angstrom"), ("in", "inch"), ("ft", "foot"), ("yd", "yard"), ("mi", "mile"), ("pc", "parsec"))
    yield from (("min", "minute"), ("h", "hour"), ("d", "day"))


SYMBOLS: Mapping[str, str] = FrozenMapping(dict(_symbols()))
"""Names of units by symbol, in which upper and lower case differ: ``Mm`` is a megameter."""

WORDS: Mapping[str, str] = FrozenMapping(
    {
        "micron": "micrometer",
        "um": "micrometer",
        "us": "microsecond",
        "usec": "microsecond",
        "msec": "millisecond",
        "sec": "second",
        "min": "minute",
        "hr": "hour",
    }
)
"""Names of units by further spellings, in lower case."""

CONVERTED: Mapping[str, tuple[float, str]] = FrozenMapping(
    {
        "dam": (10.0, "meter"),
        "thou": (0.001, "inch"),
        "li": (1 / 12, "inch"),
        "pt": (1 / 72, "inch"),
        "ua": (149597870700.0, "meter"),
        "ly": (9460730472580800.0, "meter"),
        "das": (10.0, "second"),
    }
)
"""Further units of OME, by symbol, in named units."""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_SIZE = re.compile(r"(?P<number>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(?P<unit>[^\W0-9_].*)")
"""A number with a unit."""


def normalised_unit(text: str | None) -> str | None:
    """Return the name of a unit in any common spelling, such as ``µm``, ``um``, ``Microns`` and ``micrometre`` for ``micrometer``.

    Returns:
        A key of `METRES` or `SECONDS`; None for anything else, such as ``pixel``.

    """
    plain = (text or "").strip().replace("μ", "µ").replace("\u212b", "Å")  # Greek letter and unit sign that look like the symbols
    if plain in SYMBOLS:
        return SYMBOLS[plain]
    lower = plain.lower().replace("metre", "meter")
    for word in (lower, lower.removesuffix("s")):
        if word in METRES or word in SECONDS:
            return word
        if word in WORDS:
            return WORDS[word]
    return {"feet": "foot", "inches": "inch"}.get(lower, SYMBOLS.get(lower))


def parse_size(text: str) -> tuple[float, str | None]:
    """Return the number in a text such as ``0.5`` or ``0.5 µm``, and the name of its unit; None where there is none.

    Raises:
        ValueError: It is no number, or what follows is no unit of length or time.

    """
    found = _SIZE.fullmatch(text.strip())
    if found is None or _is_number(text):
        return float(text), None
    unit = normalised_unit(found["unit"])
    if unit is None:
        raise ValueError(f"{found['unit']!r} is no unit of length or time")
    return float(found["number"]), unit


def metres_in(unit: str | None) -> float | None:
    """Return the length of a unit in metres; None where it is not a known unit of length."""
    return METRES.get(normalised_unit(unit) or "")


def conversion(unit: str | None, to: str | None) -> float | None:
    """Return the size of a unit in another one, such as 1000 for ``µm`` in ``nm``; None where it cannot be converted."""
    for table in (METRES, SECONDS):
        one, other = (table.get(normalised_unit(u) or "") for u in (unit, to))
        if one is not None and other is not None:
            return one / other
    return None


def unit_symbol(unit: str) -> str:
    """Return the symbol of a unit that is given by name, such as ``µm``; units without a symbol are returned as they are."""
    return next((symbol for symbol, name in SYMBOLS.items() if name == unit), unit)


def in_named_unit(size: float, unit: str | None) -> tuple[float, str | None]:
    """Return a size with the name of its unit; None for units that are not known, and for what is no unit, such as ``pixel``.

    Units of OME that have no name are converted, such as 1 ``thou`` to 0.001 ``inch``.
    """
    factor, name = CONVERTED.get((unit or "").strip(), (1.0, unit))
    return size * factor, normalised_unit(name)


def is_pixel_size(size: float) -> bool:
    """Return whether a number can be the size of a pixel: finite, and above 0."""
    return isfinite(size) and size > 0
