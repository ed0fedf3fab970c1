"""Which resource type and format version a tree claims to be, and what the library makes of that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from ..typing import ModelFormat
from .fields import found
from .node import Problem

__all__ = ["Detected", "detect"]

_LATEST: dict[ModelFormat, tuple[int, int, int]] = {"0.4": (0, 4, 10), "0.5": (0, 5, 14)}
_OTHER_TYPES = ("application", "collection", "dataset", "generic", "notebook")


@attrs.frozen(kw_only=True)
class Detected:
    """What a tree says that it is."""

    type: str = ""
    format_version: str = ""
    """As it is written."""

    format: ModelFormat | None = None
    """The version whose classes it is read with; None where no class fits, and ``problems`` says why."""

    version: tuple[int, int, int] = (0, 0, 0)
    """The format version in numbers; that of the newest implemented one where the tree's is newer."""

    problems: tuple[Problem, ...] = ()


def detect(tree: Mapping[str, Any]) -> Detected:
    """Return type and format version of a description; errors are in ``problems``.

    Of the same major version, versions newer than the newest known are read as that one, with an alert.
    """
    type_, version = tree.get("type"), tree.get("format_version")
    problems = []
    for key, value in (("type", type_), ("format_version", version)):
        if not isinstance(value, str):
            problems.append(Problem(loc=(key,), message=f"expected a string, found {found(value) if key in tree else 'none'}"))
    if problems or not isinstance(type_, str) or not isinstance(version, str):
        return Detected(
            type=type_ if isinstance(type_, str) else "",
            format_version=version if isinstance(version, str) else "",
            problems=tuple(problems),
        )
    if type_ != "model":
        known = "a resource type that this version does not read yet" if type_ in _OTHER_TYPES else "an unknown resource type"
        problem = Problem(loc=("type",), message=f"expected 'model', found {found(type_)}, {known}")
        return Detected(type=type_, format_version=version, problems=(problem,))
    return _model_format(version)


def _model_format(written: str) -> Detected:
    match = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})", written)
    if match is None:
        problem = Problem(loc=("format_version",), message=f"expected three numbers such as 0.5.14, found {found(written)}")
        return Detected(type="model", format_version=written, problems=(problem,))
    version = (int(match[1]), int(match[2]), int(match[3]))
    minor = f"{version[0]}.{version[1]}"
    newest = max(_LATEST.values())
    if minor in _LATEST or (version[0] == newest[0] and version > newest):
        format_: ModelFormat = "0.4" if minor == "0.4" else "0.5"
        latest = _LATEST[format_]
        alert = Problem(
            loc=("format_version",),
            message=f"expected at most {'.'.join(map(str, latest))}, found {written}, which is read as that",
            severity="alert",
            hint="Update bioimageio-runtime if a newer release knows this format version.",
        )
        return Detected(
            type="model",
            format_version=written,
            format=format_,
            version=min(version, latest),
            problems=(alert,) if version > latest else (),
        )
    problem = Problem(
        loc=("format_version",),
        message=f"expected 0.4.x or 0.5.x, found {written}, a format version that is not read{' yet' if version < (0, 4, 0) else ''}",
    )
    return Detected(type="model", format_version=written, problems=(problem,))
