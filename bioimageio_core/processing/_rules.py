"""Rules for several arguments of an op, shared by both formats."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.node import Issue

__all__ = ["bounds_order", "identity", "percentile_order", "values"]


def values(value: float | tuple[float, ...]) -> tuple[float, ...]:
    """Return one number or several as a tuple."""
    return value if isinstance(value, tuple) else (value,)


def identity(gain: float | tuple[float, ...], offset: float | tuple[float, ...]) -> Iterator[Issue]:
    """Refuse a linear scaling that changes nothing."""
    if set(values(gain)) <= {1} and set(values(offset)) <= {0}:
        yield Issue(
            loc=(),
            message="expected a gain other than 1 or an offset other than 0, found neither",
            hint="Remove this step: it changes nothing.",
        )


def percentile_order(low: float, high: float) -> Iterator[Issue]:
    """Refuse percentiles in the wrong order."""
    if low >= high:
        yield Issue(loc=("max_percentile",), message=f"expected max_percentile above min_percentile {low}, found {high}")


def bounds_order(low: float | None, high: float | None, name: str) -> Iterator[Issue]:
    """Tell of bounds in the wrong order, which the format allows and no runtime can apply."""
    if low is not None and high is not None and low > high:
        yield Issue(
            loc=(name,),
            message=f"expected {name} of at least {low}, found {high}",
            severity="alert",
            hint="Exchange the two: predictions refuse this step.",
        )
