"""Macros written for processing ops that have an equal one.

Numbers are written as text: what a macro makes of a number by itself has four digits behind the point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from bioimageio_core.sources.member_names import base_name

__all__ = ["WrittenMacros", "write_macros"]

DIGITS = -9
"""Argument of ``d2s``: this many digits behind the point, with an exponent."""

BINS = 65536
"""Of histograms, which ImageJ takes percentiles from."""

SIGMOID = (
    'run("Multiply...", "value=-1 stack");',
    'run("Exp", "stack");',
    'run("Add...", "value=1 stack");',
    'run("Reciprocal", "stack");',
)

FIXED_EPS = 1e-6
"""What the op adds to a given standard deviation."""


@attrs.frozen(kw_only=True)
class WrittenMacros:
    """The macros of one side of the network."""

    files: Mapping[str, str]
    """Texts by name, in the order in which they run."""

    lost: tuple[str, ...]
    """What they do not do, each in a sentence."""


def write_macros(ops: Sequence[Mapping[str, Any]], name: str, tensor: str, *, planes: bool) -> WrittenMacros:
    """Return macros that do what ops do.

    Args:
        ops: Ops of format 0.4 or 0.5.
        name: What to call the file of those that are written.
        tensor: Id of the tensor.
        planes: Whether the tensor has more than one plane along y and x.

    """
    files: dict[str, str] = {}
    lost: list[str] = []
    lines: list[str] = []
    for op in ops:
        kind, kwargs = str(op.get("id", op.get("name"))), op.get("kwargs") or {}
        if kind == "imagej_macro":
            lines = _closed(files, lines, name)
            files[_free(files, base_name(str(kwargs.get("name", "macro")), "macro"))] = kwargs["macro"]
            continue
        try:
            lines += _commands(kind, kwargs, planes)
        except _NoMacroError as error:
            lost.append(f"The op {kind} of {tensor!r} has no macro ({error}): deepImageJ 2 leaves it out.")
            continue
        if kind == "scale_range" and _percentiles(kwargs) != (0.0, 100.0):
            lost.append(f"The percentiles of the op scale_range of {tensor!r} are taken from a histogram of {BINS} bins in its macro.")
    _closed(files, lines, name)
    return WrittenMacros(files=files, lost=tuple(lost))


class _NoMacroError(Exception):
    """No macro is equal to an op."""


def _closed(files: dict[str, str], lines: list[str], name: str) -> list[str]:
    """Put lines into a file, if there are any; return no lines."""
    if lines:
        files[_free(files, name)] = "\n".join(['run("32-bit");', *lines, ""])
    return []


def _free(files: Mapping[str, str], name: str) -> str:
    stem, dot, end = name.rpartition(".")
    names = [name, *(f"{stem}_{n}{dot}{end}" for n in range(2, len(files) + 3))]
    return next(free for free in names if free not in files)


def _commands(kind: str, kwargs: Mapping[str, Any], planes: bool) -> Iterator[str]:
    match kind:
        case "scale_linear":
            yield from _each("Multiply...", _scalar(kwargs, "gain", 1.0), neutral=1.0)
            yield from _each("Add...", _scalar(kwargs, "offset", 0.0), neutral=0.0)
        case "fixed_zero_mean_unit_variance":
            yield from _fixed(kwargs, FIXED_EPS)
        case "zero_mean_unit_variance" if kwargs.get("mode") == "fixed":
            yield from _fixed(kwargs, float(kwargs.get("eps", FIXED_EPS)))
        case "zero_mean_unit_variance":
            yield from _standard(kwargs, planes)
        case "scale_range":
            yield from _range(kwargs, planes)
        case "binarize":
            yield from _binarize(_scalar(kwargs, "threshold", 0.0))
        case "clip":
            yield from _clip(kwargs)
        case "sigmoid":
            yield from SIGMOID
        case "ensure_dtype" if kwargs.get("dtype") in ("float32", "float64"):
            return
        case _:
            raise _NoMacroError("none of ImageJ's commands does that")


def _each(command: str, value: float, *, neutral: float) -> Iterator[str]:
    if value != neutral:
        yield f'run("{command}", "value={_text(value)} stack");'


def _fixed(kwargs: Mapping[str, Any], eps: float) -> Iterator[str]:
    yield from _each("Subtract...", _scalar(kwargs, "mean", 0.0), neutral=0.0)
    yield from _each("Divide...", _scalar(kwargs, "std", 1.0) + eps, neutral=1.0)


def _standard(kwargs: Mapping[str, Any], planes: bool) -> Iterator[str]:
    _of_sample(kwargs, planes)
    yield "getStatistics(area, mean, min, max, std);"
    yield "n = getWidth() * getHeight();"
    yield f'eps = "{_text(float(kwargs.get("eps", 1e-6)))}";'
    yield "deviation = std * sqrt((n - 1) / n) + parseFloat(eps);"
    yield f'run("Subtract...", "value=" + d2s(mean, {DIGITS}));'
    yield f'run("Divide...", "value=" + d2s(deviation, {DIGITS}));'


def _binarize(threshold: float) -> Iterator[str]:
    """Yield commands that take the threshold itself to be above: so it becomes the least number that is."""
    above = np.nextafter(np.float32(threshold), np.float32(np.inf))
    yield f"optimalThreshold = {_text(float(above))};"
    yield "setThreshold(optimalThreshold, 1e30);"
    yield 'setOption("BlackBackground", true);'
    yield 'run("Convert to Mask", "background=Dark black");'
    yield 'run("32-bit");'
    yield 'run("Divide...", "value=255 stack");'


def _clip(kwargs: Mapping[str, Any]) -> Iterator[str]:
    if kwargs.get("min_percentile") is not None or kwargs.get("max_percentile") is not None:
        raise _NoMacroError("its bounds are percentiles")
    for key, command in (("min", "Min..."), ("max", "Max...")):
        if kwargs.get(key) is not None:
            yield f'run("{command}", "value={_text(float(kwargs[key]))} stack");'


def _range(kwargs: Mapping[str, Any], planes: bool) -> Iterator[str]:
    _of_sample(kwargs, planes)
    if kwargs.get("reference_tensor"):
        raise _NoMacroError("it takes statistics of another tensor")
    low, high = _percentiles(kwargs)
    yield f'eps = "{_text(float(kwargs.get("eps", 1e-6)))}";'
    if (low, high) == (0.0, 100.0):
        yield "getStatistics(area, mean, low, high, std);"
    else:
        yield f"min_percentile = {_text(low)};"
        yield f"max_percentile = {_text(high)};"
        yield f"nBins = {BINS};"
        yield "getHistogram(values, counts, nBins);"
        yield "low = reached(values, counts, min_percentile);"
        yield "high = reached(values, counts, max_percentile);"
    yield "range = high - low + parseFloat(eps);"
    yield f'run("Subtract...", "value=" + d2s(low, {DIGITS}));'
    yield f'run("Divide...", "value=" + d2s(range, {DIGITS}));'
    if (low, high) != (0.0, 100.0):
        yield "function reached(values, counts, percentile) {"
        yield "    wanted = getWidth() * getHeight() * percentile / 100;"
        yield "    sum = 0;"
        yield "    i = 0;"
        yield "    while (sum < wanted) {"
        yield "        sum = sum + counts[i];"
        yield "        i = i + 1;"
        yield "    }"
        yield "    if (i > 0) i = i - 1;"
        yield "    return values[i];"
        yield "}"


def _percentiles(kwargs: Mapping[str, Any]) -> tuple[float, float]:
    return float(kwargs.get("min_percentile", 0.0)), float(kwargs.get("max_percentile", 100.0))


def _of_sample(kwargs: Mapping[str, Any], planes: bool) -> None:
    """Refuse statistics that ImageJ does not take."""
    axes = kwargs.get("axes")
    if kwargs.get("mode") == "per_dataset" or (isinstance(axes, list | tuple) and "batch" in axes):
        raise _NoMacroError("its statistics are of a dataset")
    if planes:
        raise _NoMacroError("ImageJ takes statistics of one plane, and there are several")
    if axes is not None and not {"y", "x"} <= set(axes):
        raise _NoMacroError("its statistics are not those of a plane")


def _scalar(kwargs: Mapping[str, Any], key: str, default: float) -> float:
    value = kwargs.get(key, default)
    if isinstance(value, list | tuple):
        if len(value) != 1:
            raise _NoMacroError(f"its {key} varies along an axis")
        value = value[0]
    return float(default if value is None else value)


def _text(value: float) -> str:
    """Return a number with all its digits, as ImageJ reads it."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
