"""Detection of the resource type and format version of a tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import attrs

from ..structuring.format_value import format_value
from .node import Issue

__all__ = ["SPECIFIC", "Detected", "Family", "detect", "latest_of"]

Family: TypeAlias = Literal["application", "dataset", "generic", "model", "notebook"]
"""Resource types that have classes of their own; every other type is ``generic``."""

SPECIFIC: dict[str, Family] = {"application": "application", "dataset": "dataset", "model": "model", "notebook": "notebook"}
"""Resource types with their own classes, by the value of ``type``."""

_MODEL = {"0.4": (0, 4, 10), "0.5": (0, 5, 14)}
_OTHERS = {"0.2": (0, 2, 4), "0.3": (0, 3, 4)}


@attrs.frozen(kw_only=True)
class Detected:
    """The type and version that a tree declares."""

    type: str = ""
    format_version: str = ""
    """As it is written."""

    family: Family = "generic"
    format: str | None = None
    """The version (major.minor) of the classes that read it; None if there are none, for the reason in ``problems``."""

    version: tuple[int, int, int] = (0, 0, 0)
    """The format version in numbers; that of the newest implemented one where the tree's is newer."""

    problems: tuple[Issue, ...] = ()


def latest_of(family: Family) -> Mapping[str, tuple[int, int, int]]:
    """Return the latest micro version of each format version (major.minor) that has a class, the newest last."""
    return _MODEL if family == "model" else _OTHERS


def detect(tree: Mapping[str, Any]) -> Detected:
    """Return type and format version of a description; errors are in ``problems``.

    Of the same major version, versions newer than the newest known are read as that one, with an alert.
    """
    type_, version = tree.get("type"), tree.get("format_version")
    problems = []
    for key, value in (("type", type_), ("format_version", version)):
        if not isinstance(value, str):
            problems.append(Issue(loc=(key,), message=f"expected a string, found {format_value(value) if key in tree else 'none'}"))
    if problems or not isinstance(type_, str) or not isinstance(version, str):
        return Detected(
            type=type_ if isinstance(type_, str) else "",
            format_version=version if isinstance(version, str) else "",
            problems=tuple(problems),
        )
    if type_ == "collection":
        problem = Issue(loc=("type",), message="expected one resource, found a collection: collections are no longer supported")
        return Detected(type=type_, format_version=version, problems=(problem,))
    family = SPECIFIC.get(type_, "generic")
    return _model_format(version) if family == "model" else _other_format(type_, family, version)


def _model_format(written: str) -> Detected:
    base = Detected(type="model", format_version=written, family="model")
    match = re.fullmatch(r"([0-9]{1,9})\.([0-9]{1,9})\.([0-9]{1,9})", written)
    if match is None:
        return attrs.evolve(base, problems=(_no_version(written, "0.5.14"),))
    version = (int(match[1]), int(match[2]), int(match[3]))
    if (0, 3, 0) <= version <= (0, 3, 6):
        return attrs.evolve(base, format="0.4", version=version)
    minor = f"{version[0]}.{version[1]}"
    newest = max(_MODEL.values())
    if minor in _MODEL or (version[0] == newest[0] and version > newest):
        format_ = "0.4" if minor == "0.4" else "0.5"
        return _at_most(base, format_, version, _MODEL[format_])
    message = f"expected 0.3.0 to 0.3.6, 0.4.x or 0.5.x, found {written}, which is not a supported format version"
    return attrs.evolve(base, problems=(Issue(loc=("format_version",), message=message),))


def _other_format(type_: str, family: Family, written: str) -> Detected:
    base = Detected(type=type_, format_version=written, family=family)
    match = re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9})(?:\.([0-9]{1,9}))?)?", written)
    if match is None or (match[3] is None and match[1] == "0" and match[2] == "2"):
        return attrs.evolve(base, problems=(_no_version(written, "0.3.4"),))
    version = (int(match[1]), int(match[2] or 0), int(match[3] or 0))
    minor = f"{version[0]}.{version[1]}"
    if minor in _OTHERS:
        return _at_most(base, minor, version, _OTHERS[minor])
    warning = Issue(
        loc=("format_version",),
        message=f"expected 0.2.x or 0.3.x, found {written}, which is read as 0.3.4",
        severity="warning",
    )
    return attrs.evolve(base, format="0.3", version=min(version, _OTHERS["0.3"]), problems=(warning,))


def _no_version(written: str, example: str) -> Issue:
    return Issue(loc=("format_version",), message=f"expected three numbers such as {example}, found {format_value(written)}")


def _at_most(base: Detected, format_: str, version: tuple[int, int, int], latest: tuple[int, int, int]) -> Detected:
    if version <= latest:
        return attrs.evolve(base, format=format_, version=version)
    alert = Issue(
        loc=("format_version",),
        message=f"expected at most {'.'.join(map(str, latest))}, found {base.format_version}, which is read as that",
        severity="alert",
        hint="Update bioimageio-runtime if a newer release knows this format version.",
    )
    return attrs.evolve(base, format=format_, version=latest, problems=(alert,))
