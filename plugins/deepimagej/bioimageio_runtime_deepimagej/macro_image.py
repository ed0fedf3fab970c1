"""What macros work on, whatever it is made of."""

from __future__ import annotations

from typing import Protocol

import attrs

from .macro_values import Count, Value

__all__ = ["Histogram", "Image", "Statistics"]


@attrs.frozen
class Statistics:
    """Statistics of an image."""

    pixels: Value
    mean: Value
    min: Value
    max: Value
    std: Value
    """With n - 1."""


@attrs.frozen
class Histogram:
    """Where bins begin, and how many pixels are in each."""

    values: list[Value]
    counts: list[Value]


class Image(Protocol):
    """What a macro works on."""

    def arithmetic(self, what: str, value: Value) -> None:
        """Add, subtract, multiply, divide, or apply a bound (min, max)."""

    def function(self, name: str) -> None:
        """Apply a function to each pixel."""

    def convert(self, bits: int) -> None:
        """Change the type of pixels."""

    def mask(self, low: Value, high: Value) -> None:
        """Make pixels within the threshold 255, bounds included, and all others 0, in 8 bits."""

    def statistics(self) -> Statistics:
        """Measure."""

    def histogram(self, bins: int) -> Histogram:
        """Count."""

    def sides(self) -> tuple[Value, Value]:
        """Return width and height."""

    def reaches(self, count: Count, share: float, *, more: bool) -> bool:
        """Return whether the pixels in the first bins are at least the share of all, or more than it."""
