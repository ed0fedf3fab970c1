"""Versions of the files, which ZEN reads which, and what each can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

__all__ = ["VERSIONS", "Container", "FileVersion", "choose_version", "matrix"]

Container = Literal["czann", "czmodel"]


@attrs.frozen(kw_only=True)
class FileVersion:
    """A version of a file format."""

    container: Container
    name: str
    zen_blue: tuple[int, int]
    """The first ZEN Blue that reads it."""

    zen_core: tuple[int, int]
    opset: int
    """Of the ONNX operators that networks consist of."""

    saved_model: bool = False
    """Whether the network may be a SavedModel of TensorFlow."""

    scaling: tuple[int, ...] = ()
    """Numbers of axes whose pixel size it can store."""

    states_version: bool = False
    """Whether the file contains its version."""


VERSIONS: tuple[FileVersion, ...] = (
    FileVersion(container="czmodel", name="3.0.0", zen_blue=(3, 2), zen_core=(3, 1), opset=12, saved_model=True, states_version=True),
    FileVersion(container="czmodel", name="3.1.0", zen_blue=(3, 4), zen_core=(3, 3), opset=12, saved_model=True, states_version=True),
    FileVersion(container="czann", name="1.0.0", zen_blue=(3, 5), zen_core=(3, 4), opset=12, saved_model=True),
    FileVersion(container="czann", name="1.1.0", zen_blue=(3, 5), zen_core=(3, 4), opset=12, saved_model=True, scaling=(2,)),
    FileVersion(container="czann", name="2.0.0", zen_blue=(3, 13), zen_core=(3, 13), opset=12, scaling=(2, 3)),
    FileVersion(container="czann", name="2.1.0", zen_blue=(3, 13), zen_core=(3, 13), opset=18, scaling=(2, 3), states_version=True),
)
"""Oldest first; which ZEN reads which is from the documentation of the package czmodel 6.2.0."""

PROGRAMS: Mapping[str, str] = {"zen_blue": "ZEN Blue", "zen_core": "ZEN Core"}


def matrix(container: Container) -> str:
    """Return the versions of a container in words, newest (which is the default) first, with the first ZEN that reads each."""
    of_it = [version for version in VERSIONS if version.container == container]
    return "; ".join(
        f"{v.name} (ZEN Blue {_dotted(v.zen_blue)}, Core {_dotted(v.zen_core)}; ONNX opset {v.opset})" for v in reversed(of_it)
    )


def choose_version(container: Container, file_version: Any, **programs: Any) -> FileVersion:
    """Return the version to write: the one asked for, else the newest that the given programs read.

    Args:
        container: The file format.
        file_version: As in ``2.1.0`` or ``2-1-0``; None: the newest that fits.
        programs: Versions of ``zen_blue`` and ``zen_core``, or None.

    Raises:
        ValueError: The version does not exist, or a program does not read it.

    """
    fitting = [version for version in VERSIONS if version.container == container]
    if file_version is not None:
        name = str(file_version).replace("-", ".")
        fitting = [version for version in fitting if version.name == name]
        if not fitting:
            raise ValueError(f"there is no file version {file_version}: expected one of {matrix(container)}")
    for key, given in programs.items():
        if given is None:
            continue
        wanted = _program_version(given, key)
        fitting = [version for version in fitting if getattr(version, key) <= wanted]
        if not fitting:
            which = f"{container} files" if file_version is None else f"file version {file_version}"
            raise ValueError(f"{PROGRAMS[key]} {given} does not read {which}: expected one of {matrix(container)}")
    return fitting[-1]


def _program_version(given: Any, key: str) -> tuple[int, int]:
    if isinstance(given, float) and round(given * 10, 6).is_integer():
        # 3.10 and 3.1 are one number.
        raise ValueError(f"{key} {given} may be {given} or {given}0: write it as text, as in {key}=\"'{given}'\"")
    parts = str(given).split(".")
    if not all(part.isdecimal() for part in parts):
        raise ValueError(f"expected {key} as in '3.5', found {given!r}")
    return int(parts[0]), int(parts[1]) if len(parts) > 1 else 0


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
