"""What an op can need: wrong fields are refused when a measure or needs are made, in a sentence for the author."""

from __future__ import annotations

from typing import Any

import pytest

from bioimageio_core.registry import Measure, Needs, Statistic


def state(values: Any) -> Any:
    return values


def merge(earlier: Any, later: Any) -> Any:
    return later


OWN: dict[str, Any] = {"name": "power", "state": state, "merge": merge, "finish": state, "empty": (0.0,)}

WRONG_MEASURES: list[tuple[dict[str, Any], str]] = [
    (
        {"kind": "maximum"},
        "kind: expected one of 'mean', 'std', 'min', 'max', 'median', 'percentile', 'count', 'histogram', 'own', found 'maximum'",
    ),
    ({"kind": ["mean"]}, "kind: expected one of .*found \\['mean'\\]"),
    ({"axes": "yx"}, r"axes: expected a tuple of ids of axes, as in \('y', 'x'\), found 'yx'"),
    ({"axes": ["y", "x"]}, "axes: expected a tuple of ids of axes"),
    ({"axes": ("y", 1)}, "axes: expected a tuple of ids of axes"),
    ({"axes": ("y", "y")}, "axes: expected each axis once"),
    ({"tensor": 3}, "tensor: expected the id of an input of the model or None, found 3"),
    ({"tensor": ""}, "tensor: expected the id of an input"),
    ({"kind": "percentile"}, "q: expected a number from 0 to 100 for a percentile, found None"),
    ({"kind": "percentile", "q": "50"}, "q: expected a number from 0 to 100 for a percentile, found '50'"),
    ({"kind": "percentile", "q": True}, "q: expected a number from 0 to 100 for a percentile, found True"),
    ({"kind": "percentile", "q": 100.1}, "q: expected a number from 0 to 100, found 100.1"),
    ({"kind": "percentile", "q": -1}, "q: expected a number from 0 to 100, found -1"),
    ({"kind": "percentile", "q": float("nan")}, "q: expected a number from 0 to 100, found nan"),
    ({"kind": "max", "q": 100}, "q: expected None for the kind 'max', found 100"),
    ({"kind": "percentile", "q": 5, "method": "nearest"}, "method: expected one of 'linear', 'inverted_cdf', found 'nearest'"),
    ({"kind": "mean", "method": "inverted_cdf"}, "method: expected 'linear' for the kind 'mean'"),
    ({"kind": "std", "ddof": 2}, "ddof: expected 0 or 1 for the kind 'std', found 2"),
    ({"kind": "mean", "ddof": 1}, "ddof: expected 0 for the kind 'mean', found 1"),
    ({"kind": "histogram", "range": (0, 1)}, "bins: expected a whole number for a histogram, found None"),
    ({"kind": "histogram", "bins": 2.0, "range": (0, 1)}, "bins: expected a whole number for a histogram, found 2.0"),
    ({"kind": "histogram", "bins": 0, "range": (0, 1)}, "bins: expected a whole number from 1 to 65536, found 0"),
    ({"kind": "histogram", "bins": 2}, "range: expected a tuple of two numbers for a histogram, found None"),
    ({"kind": "histogram", "bins": 2, "range": [0, 1]}, r"range: expected a tuple of two numbers for a histogram, found \[0, 1\]"),
    ({"kind": "histogram", "bins": 2, "range": (0, True)}, "range: expected a tuple of two numbers for a histogram"),
    ({"kind": "histogram", "bins": 2, "range": (1, 1)}, r"range: expected two finite numbers, the lower one first, found \(1, 1\)"),
    ({"kind": "histogram", "bins": 2, "range": (0, float("inf"))}, "range: expected two finite numbers"),
    ({"kind": "histogram", "bins": 2, "range": (-1e308, 1e308)}, "range: expected two finite numbers"),
    ({"kind": "histogram", "bins": 3, "range": (1.0, 1.0 + 2**-52)}, "range: expected one that float64 can cut into 3 bins"),
    ({"kind": "mean", "bins": 2}, "bins: expected None for the kind 'mean', found 2: only histograms have it"),
    ({"kind": "mean", "range": (0, 1)}, "range: expected None for the kind 'mean'"),
    ({"kind": "own"}, "statistic: expected a Statistic for the kind 'own', found None"),
    ({"kind": "mean", "statistic": Statistic(**OWN)}, "statistic: expected None for the kind 'mean'"),
]

WRONG_NEEDS: list[tuple[dict[str, Any], str]] = [
    ({"measures": Measure(kind="mean", axes=("y",))}, "measures: expected a tuple of Measure, found Measure"),
    ({"measures": ("mean",)}, "measures: expected a tuple of Measure"),
    ({"whole_axes": "yx"}, "whole_axes: expected a tuple of ids of axes"),
    ({"whole_sample": 1}, "whole_sample: expected true or false, found 1"),
    ({"least": 3}, "least: expected a mapping from axes to numbers of pixels, found 3"),
    ({"least": {"y": -1}}, "least: expected a whole number of pixels of at least 0 for each axis, found 'y': -1"),
    ({"halo": 3}, "halo: expected a mapping from axes to numbers of pixels, found 3"),
    ({"halo": {"y": -1}}, "halo: expected a whole number of pixels of at least 0 for each axis, found 'y': -1"),
    ({"halo": {"y": 1.5}}, "halo: expected a whole number of pixels"),
    ({"halo": {1: 1}}, "halo: expected a whole number of pixels"),
    ({"dtype": "float"}, "dtype: expected one of 'bool', .* found 'float'"),
    ({"dtype": float}, "dtype: expected one of 'bool', .* found <class 'float'>"),
]

WRONG_STATISTICS: list[tuple[dict[str, Any], str]] = [
    ({"name": "a b"}, "name: expected a letter"),
    ({"state": 3}, "state: expected a function, found int"),
    ({"merge": state}, r"merge: expected a function that can be called with \(earlier, later\)"),
    ({"finish": merge}, r"finish: expected a function that can be called with \(state\)"),
    ({"empty": 0.0}, "empty: expected a tuple of one or more numbers, found 0.0"),
    ({"empty": ()}, "empty: expected a tuple of one or more numbers"),
    ({"empty": ("0",)}, "empty: expected a tuple of one or more numbers"),
]


@pytest.mark.parametrize(("fields", "message"), WRONG_MEASURES)
def test_measure(fields: dict[str, Any], message: str) -> None:
    """Never measured as something else."""
    with pytest.raises((TypeError, ValueError), match=message):
        Measure(**{"kind": "mean", "axes": ("y", "x"), **fields})


@pytest.mark.parametrize(("fields", "message"), WRONG_NEEDS)
def test_needs(fields: dict[str, Any], message: str) -> None:
    """Refused where they are made, not in the middle of a plan."""
    with pytest.raises((TypeError, ValueError), match=message):
        Needs(**fields)


@pytest.mark.parametrize(("fields", "message"), WRONG_STATISTICS)
def test_statistic(fields: dict[str, Any], message: str) -> None:
    """A plugin's own statistic has functions that can be called as they are, and the state of no values."""
    with pytest.raises((TypeError, ValueError), match=message):
        Statistic(**{**OWN, **fields})


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (Needs(whole_axes=("z",)), "whole_axes: expected axes of the tensor .y, x., found 'z'"),
        (Needs(least={"z": 1}), "least: expected axes of the tensor .y, x., found 'z'"),
        (Needs(halo={"z": 1}), "halo: expected axes of the tensor .y, x., found 'z'"),
        (Needs(measures=(Measure(kind="max", axes=("y", "z")),)), "measures: expected axes of the tensor .y, x., found 'z'"),
    ],
)
def test_axes(needs: Needs, message: str) -> None:
    """Needs are about axes that the tensor has."""
    with pytest.raises(ValueError, match=message):
        needs.check_axes(("y", "x"))


def test_good() -> None:
    """Each kind with what belongs to it; equal needs are equal and can be hashed."""
    measures = (
        Measure(kind="percentile", axes=(), q=99.8, method="inverted_cdf"),
        Measure(kind="median", axes=("y",), method="inverted_cdf"),
        Measure(kind="std", axes=("y",), ddof=1, tensor="raw"),
        Measure(kind="histogram", axes=("y",), bins=256, range=(0, 65535.0)),
        Measure(kind="own", axes=("y",), statistic=Statistic(**OWN)),
    )
    needs = Needs(measures=measures, halo={"y": 3}, dtype="float32")
    assert hash(needs) == hash(Needs(measures=measures, halo={"y": 3}, dtype="float32"))
    needs.check_axes(("y", "x"))


@pytest.mark.parametrize(
    ("declared", "given", "allowed"),
    [
        (None, "uint8", ("uint8", "float32")),
        (None, "float64", ("float64",)),
        (None, "float32", ("float32",)),
        ("float32", "float64", ("float32", "float64")),
        ("float32", "uint8", ("float32",)),
        ("bool", "float32", ("bool",)),
    ],
)
def test_dtypes(declared: str | None, given: str, allowed: tuple[str, ...]) -> None:
    """Dtypes of results."""
    assert Needs(dtype=declared).dtypes_from(given) == allowed
