"""Processing steps: letters become ids of axes, modes become axes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ....node import Issue, Loc
from ....notes import changed, lost

__all__ = ["convert_steps"]

_FIXED_EPS = 1e-6
"""What format 0.5 adds to every given standard deviation."""

_IDS = {"b": "batch", "t": "time", "i": "index", "c": "channel"}


def convert_steps(steps: Iterable[Mapping[str, Any]], axes: str, loc: Loc, notes: list[Issue]) -> list[dict[str, Any]]:
    """Return the steps in format 0.5.

    Args:
        steps: Steps as format 0.4 has them.
        axes: Letters of the tensor's axes.
        loc: Where the steps stand.
        notes: What was changed, lost or impossible is added here.

    """
    converted = []
    for index, step in enumerate(steps):
        convert = _CONVERSIONS.get(step["name"], _unchanged)
        converted.append(convert(step, axes, (*loc, index), notes))
    return converted


_Conversion = Callable[[Mapping[str, Any], str, Loc, list[Issue]], dict[str, Any]]


def _kwargs(step: Mapping[str, Any]) -> dict[str, Any]:
    return dict(step.get("kwargs") or {})


def _unchanged(step: Mapping[str, Any], axes: str, loc: Loc, notes: list[Issue]) -> dict[str, Any]:
    """Keep the arguments; those of unknown ops may have another meaning in format 0.5."""
    if step["name"] not in ("binarize", "clip", "sigmoid"):
        notes.append(lost(loc, f"the arguments of {step['name']!r}, an op that the format does not know, were kept as they are"))
    kwargs = step.get("kwargs")  # of an unknown op it may be anything
    return {"id": step["name"], **({"kwargs": dict(kwargs) if isinstance(kwargs, Mapping) else kwargs} if kwargs else {})}


def _ids(letters: str) -> list[str]:
    return [_IDS.get(letter, letter) for letter in letters]


def _left_out(axes: str, listed: str | None) -> list[str]:
    """Return the ids of the axes, batch aside, that are not listed: along them lists hold a value for each position."""
    return _ids("".join(letter for letter in axes if letter != "b" and letter not in (listed or "")))


def _along(values: dict[str, Any], axes: str, listed: str | None, loc: Loc, notes: list[Issue], *, lists_only: bool) -> dict[str, Any]:
    """Return the arguments as numbers where they are, else as lists along the one axis that is left out."""
    if all(not isinstance(value, list) or len(value) == 1 for value in values.values()):
        return {key: value[0] if isinstance(value, list) else value for key, value in values.items()}
    along = _left_out(axes, listed)
    if len(along) != 1:
        which = ", ".join(along) or "none"
        message = f"expected axes to leave out one axis, along which the lists are, found {which}"
        notes.append(Issue(loc=(*loc, "kwargs", "axes"), message=message))
        return values
    count = max(len(value) for value in values.values() if isinstance(value, list))
    repeated = {key: value if isinstance(value, list) or not lists_only else [value] * count for key, value in values.items()}
    return {"axis": along[0], **repeated}


def _scale_linear(step: Mapping[str, Any], axes: str, loc: Loc, notes: list[Issue]) -> dict[str, Any]:
    kwargs = _kwargs(step)
    values = {"gain": kwargs.get("gain", 1.0), "offset": kwargs.get("offset", 0.0)}
    return {"id": "scale_linear", "kwargs": _along(values, axes, kwargs.get("axes"), loc, notes, lists_only=True)}


def _zero_mean_unit_variance(step: Mapping[str, Any], axes: str, loc: Loc, notes: list[Issue]) -> dict[str, Any]:
    kwargs = _kwargs(step)
    if kwargs.get("mode", "fixed") != "fixed":
        return {"id": "zero_mean_unit_variance", "kwargs": {"axes": _measured(kwargs, axes, loc, notes), **_given(kwargs, "eps")}}
    std = kwargs["std"]
    if (more := kwargs.get("eps", _FIXED_EPS) - _FIXED_EPS) != 0:
        std = [value + more for value in std] if isinstance(std, list) else std + more
        notes.append(changed((*loc, "kwargs", "eps"), f"read as part of std, which is increased by {_FIXED_EPS:g} always"))
    values = _along({"mean": kwargs["mean"], "std": std}, axes, kwargs.get("axes"), loc, notes, lists_only=True)
    return {"id": "fixed_zero_mean_unit_variance", "kwargs": values}


def _scale_range(step: Mapping[str, Any], axes: str, loc: Loc, notes: list[Issue]) -> dict[str, Any]:
    kwargs = _kwargs(step)
    given = _given(kwargs, "min_percentile", "max_percentile", "eps", "reference_tensor")
    return {"id": "scale_range", "kwargs": {"axes": _measured(kwargs, axes, loc, notes), **given}}


def _scale_mean_variance(step: Mapping[str, Any], axes: str, loc: Loc, notes: list[Issue]) -> dict[str, Any]:
    kwargs = _kwargs(step)
    given = _given(kwargs, "reference_tensor", "eps")
    return {"id": "scale_mean_variance", "kwargs": {"axes": _measured(kwargs, axes, loc, notes), **given}}


def _measured(kwargs: Mapping[str, Any], axes: str, loc: Loc, notes: list[Issue]) -> list[str]:
    """Return the axes over which statistics are taken: over the batch too where they are those of a dataset."""
    listed = kwargs.get("axes")
    if not listed:
        if listed is not None:
            notes.append(lost((*loc, "kwargs", "axes"), "an empty list of axes was read as all axes"))
        listed = axes.replace("b", "")
    ids = _ids(listed)
    if kwargs.get("mode") == "per_dataset":
        if "b" in axes:
            return ["batch", *ids]
        message = "per_dataset was dropped: format 0.5 expresses it by the batch axis, which the tensor lacks"
        notes.append(lost((*loc, "kwargs", "mode"), message))
    return ids


def _given(kwargs: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: kwargs[key] for key in keys if kwargs.get(key) is not None}


_CONVERSIONS: dict[str, _Conversion] = {
    "scale_linear": _scale_linear,
    "scale_mean_variance": _scale_mean_variance,
    "scale_range": _scale_range,
    "zero_mean_unit_variance": _zero_mean_unit_variance,
}
