"""Numbers and quantities as deepImageJ writes them: with a point or a comma, a unit or none, or not at all."""

from __future__ import annotations

import math
import re

from bioimageio_core.units import METRES, normalised_unit

__all__ = ["absent", "format_size", "parse_integer", "parse_number", "parse_pixel_size", "parse_quantity", "parse_size", "spatial_unit"]

ABSENT = frozenset({"", "null", "none", "n/a", "na", "-"})
NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"


def absent(text: str | None) -> bool:
    """Return whether a value stands for an unknown one."""
    return text is None or text.strip().lower() in ABSENT


def parse_number(text: str) -> float:
    """Return a finite number that has a decimal point or comma.

    Raises:
        ValueError: It is none.

    """
    if re.fullmatch(NUMBER, text.strip()) is None:
        raise ValueError(f"expected a number, found {text.strip()!r}")
    number = float(text.strip().replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, found {text.strip()!r}")
    return number


def parse_integer(text: str, *, least: int = 0) -> int:
    """Return an integer.

    Raises:
        ValueError: It is none, or less than the least.

    """
    if re.fullmatch(r"[+-]?\d{1,9}", text.strip()) is None or int(text) < least:
        raise ValueError(f"expected an integer of at least {least}, found {text.strip()!r}")
    return int(text)


def parse_quantity(text: str) -> tuple[float, str]:
    """Return number and unit, as of ``172,9 Mb``; a unit that was written twice (``11.5 s s``) is taken once.

    Raises:
        ValueError: It does not begin with a number, or has more than a unit behind it.

    """
    match = re.fullmatch(rf"\s*({NUMBER})\s*(\D*)", text)
    words = match[2].split() if match else []
    if match is None or len(set(words)) > 1:
        raise ValueError(f"expected a number and a unit, found {text.strip()!r}")
    return parse_number(match[1]), words[0] if words else ""


def parse_size(text: str) -> tuple[int, ...]:
    """Return sizes written with an x between them, as of ``256 x 256 x 1 x 1``.

    Raises:
        ValueError: They are no integers.

    """
    parts = text.strip().split("x")
    if not parts or any(re.fullmatch(r"\s*\d{1,9}\s*", part) is None for part in parts):
        raise ValueError(f"expected sizes such as 256 x 256, found {text.strip()!r}")
    return tuple(int(part) for part in parts)


def format_size(sizes: tuple[int, ...], between: str = " x ") -> str:
    """Return sizes with an x between them."""
    return between.join(str(size) for size in sizes)


def parse_pixel_size(text: str) -> tuple[tuple[float, str], ...]:
    """Return number and unit for each axis, as of ``1,60E-04cmx1,60E-04cm``.

    Raises:
        ValueError: It is not of this form.

    """
    match = re.fullmatch(rf"\s*{NUMBER}\s*[^\dx]*?(?:pixels?)?\s*(?:x\s*{NUMBER}\s*[^\dx]*?(?:pixels?)?\s*)*", text)
    if match is None:
        raise ValueError(f"expected pixel sizes such as 0.16µmx0.16µm, found {text.strip()!r}")
    return tuple((parse_number(number), unit.strip()) for number, unit in re.findall(rf"({NUMBER})\s*(pixels?|[^\dx]*)", text))


def spatial_unit(unit: str) -> str | None:
    """Return the name that descriptions have for a unit of length; None where it is none, as of pixels."""
    name = normalised_unit(unit)
    return name if name in METRES else None
