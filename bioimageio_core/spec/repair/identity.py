"""The type and format version that a description declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...structuring.class_fields import fields_of
from ...structuring.format_value import format_value
from ...text import is_slip_of
from ..formats import detect
from ..node import Issue
from ..notes import mended
from ..versions import class_of

__all__ = ["format_version", "is_model", "slips", "type_"]

_PARTS_OF_A_MODEL = ("inputs", "outputs", "weights")
_EARLIEST = "0.3.0"
_TYPES = ("application", "dataset", "model", "notebook")


def is_model(tree: Mapping[str, Any]) -> bool:
    """Return whether a tree describes a model: it says so, or names no type and has inputs, outputs and weights."""
    type_ = tree.get("type")
    if type_ is None:
        return all(key in tree for key in _PARTS_OF_A_MODEL)
    return isinstance(type_, str) and _plain_type(type_) == "model"


def type_(tree: dict[str, Any]) -> Iterator[Issue]:
    """Add the type to early descriptions of models, and read it with capitals or in the plural."""
    written = tree.get("type")
    if written is None and is_model(tree):
        nothing = "null" if "type" in tree else "none"
        tree["type"] = "model"
        yield mended(("type",), f"expected a type, found {nothing}: read as model, since there are inputs, outputs and weights")
    elif isinstance(written, str) and written not in _TYPES and (plain := _plain_type(written)) in _TYPES:
        tree["type"] = plain
        yield mended(("type",), f"{written!r} was read as {plain}")


def _plain_type(written: str) -> str:
    return written.strip().lower().removeprefix("bioimage.io ").removesuffix("s")


def format_version(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read versions that are numbers, too short, missing, or too early to be read ever."""
    written = tree.get("format_version")
    if not is_model(tree):
        if isinstance(written, (int, float)) and not isinstance(written, bool):
            yield _say(tree, f"{written}.0" if isinstance(written, float) else f"0.{written}.0")
        elif written is None and isinstance(tree.get("type"), str):
            yield _say(tree, _by_form(tree), "going by its form")
        elif isinstance(written, str) and (numbers := _numbers(written)) and detect(tree).format is None:
            yield _say(tree, ".".join(map(str, [*numbers, 0, 0][:3])))
        return
    if detect({**tree, "type": "model"}).format is not None:
        return
    numbers = _numbers(str(written)) if isinstance(written, (str, int, float)) and not isinstance(written, bool) else []
    if not numbers:
        yield _say(tree, _by_form(tree), "going by its form")
    elif (0, 0) < tuple(numbers[:2]) < (0, 3):
        yield _say(tree, _EARLIEST, "the earliest version that is read")
    elif len(numbers) != 3 or written != ".".join(map(str, numbers)):
        yield _say(tree, ".".join(map(str, [*numbers, 0, 0][:3])))


def _say(tree: dict[str, Any], version: str, why: str = "") -> Issue:
    what = format_value(tree["format_version"]) if "format_version" in tree else "none"
    tree["format_version"] = version
    return mended(("format_version",), f"expected three numbers such as 0.4.10, found {what}: read as {version}{', ' * bool(why)}{why}")


def _numbers(written: str) -> list[int]:
    match = re.fullmatch(r"\s*v?\.?([0-9]{1,4}(?:\.[0-9]{1,4})*)\.?(?:-[a-z]+)?\s*", written)
    return [int(number) for number in match[1].split(".")] if match else []


def _by_form(tree: Mapping[str, Any]) -> str:
    """Return the first version of those that write tensors in the form that these have."""
    inputs = tree.get("inputs")
    if not is_model(tree):
        return "0.3.0" if isinstance(tree.get("attachments"), list) or isinstance(tree.get("documentation"), dict) else "0.2.0"
    first = inputs[0] if isinstance(inputs, list) and inputs else None
    return "0.5.0" if isinstance(first, Mapping) and isinstance(first.get("axes"), list) else _EARLIEST


def slips(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a key that is a slip of a single one that the format has and the description lacks, such as ``licence``."""
    detected = detect(tree)
    if detected.format is None:
        return
    known = {field.key for field in fields_of(class_of(detected.family, detected.format))}
    for key in [key for key in tree if isinstance(key, str) and key not in known]:
        meant = [name for name in known if name not in tree and is_slip_of(key, name)]
        if len(meant) == 1:
            tree[meant[0]] = tree.pop(key)
            yield mended((key,), f"read as {meant[0]}")
