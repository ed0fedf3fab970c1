"""Numbers that a macro computes with while its image is not known yet: statistics, histograms, and what is computed from them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from .macro_tree import MacroError

__all__ = [
    "Bin",
    "Combined",
    "Count",
    "DependsOnImageError",
    "HistogramValue",
    "Side",
    "Statistic",
    "Symbol",
    "Value",
    "combine",
    "symbols_in",
]


class DependsOnImageError(MacroError):
    """What the macro does next depends on the image in a way that is not followed."""


@attrs.frozen
class Statistic:
    """A statistic of the image after a number of steps: mean, std (n - 1), min or max."""

    kind: str
    step: int


@attrs.frozen
class HistogramValue:
    """The begin of a bin of the histogram after a number of steps.

    It lies ``offset`` bins behind the last one that is needed to reach the share of all pixels.
    """

    share: float
    """Part of all pixels, 0 to 1."""

    more: bool
    """Whether more than the share has to be reached."""

    offset: int
    bins: int
    step: int


@attrs.frozen
class Combined:
    """Two numbers, one of which is a symbol, combined by an operator."""

    operator: str
    left: Symbol | float
    right: Symbol | float


@attrs.frozen
class Count:
    """Number of pixels in the first bins of a histogram, all of them at most, times a factor."""

    first: int
    bins: int
    factor: float = 1.0
    share: bool = False
    """Whether it was divided by the number of all pixels."""

    @property
    def all(self) -> bool:
        """Whether these are all pixels."""
        return self.first == self.bins


@attrs.frozen
class Bin:
    """Number of pixels in one bin of a histogram."""

    number: int
    bins: int


@attrs.frozen
class Side:
    """Width or height of the image."""

    name: str


Symbol: TypeAlias = Statistic | HistogramValue | Combined | Count | Bin | Side
Value: TypeAlias = float | Symbol

PLAIN: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def combine(sign: str, left: Value, right: Value) -> Value:
    """Return what an operator of arithmetic makes of two numbers.

    Raises:
        MacroError: It is not known.

    """
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _computed(sign, left, right)
    counted = _counted(sign, left, right)
    if counted is not None:
        return counted
    if isinstance(left, Count | Bin | Side) or isinstance(right, Count | Bin | Side):
        raise DependsOnImageError("the macro computes with counts of pixels in a way that is not followed")
    return Combined(sign, left, right)


def _computed(sign: str, left: float, right: float) -> float:
    if sign in PLAIN:
        return PLAIN[sign](left, right)
    if sign == "/":
        return left / right if right else float("nan") if not left else float("inf") * (1 if left > 0 else -1)
    if sign == "%" and right:
        return left - right * int(left / right)
    raise MacroError(f"the macro computes {left:g} {sign} {right:g}, which is not known")


def _counted(sign: str, left: Value, right: Value) -> Count | None:
    """Return the result of an operator on counts of pixels; None where it is not such a count."""
    if isinstance(left, Side) and isinstance(right, Side) and sign == "*":
        return Count(1, 1)
    if isinstance(right, Bin) and sign == "+" and _first(left) == right.number:
        return Count(right.number + 1, right.bins)
    if isinstance(left, Count) and isinstance(right, int | float) and sign in "*/":
        return attrs.evolve(left, factor=_computed(sign, left.factor, right))
    if isinstance(right, Count) and isinstance(left, int | float) and sign == "*":
        return attrs.evolve(right, factor=right.factor * left)
    if isinstance(left, Count) and isinstance(right, Count) and sign == "/" and right.all:
        return attrs.evolve(left, factor=left.factor / right.factor, share=True)
    return None


def _first(value: Value) -> int | None:
    """Return how many of the first bins were counted; None for another number."""
    if isinstance(value, Count):
        return value.first if value.factor == 1 and not value.share else None
    return 0 if value == 0 else None


def symbols_in(value: Value) -> tuple[Statistic | HistogramValue, ...]:
    """Return the statistics that a number is computed from."""
    if isinstance(value, Combined):
        return symbols_in(value.left) + symbols_in(value.right)
    return (value,) if isinstance(value, Statistic | HistogramValue) else ()
