"""The parts of a model beside its tensors and weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from .....structuring.format_value import format_value
from ....generic import upgrade_v0_3
from ....node import Issue
from ....notes import changed, lost
from ..model import LATEST
from .outputs import convert_outputs
from .tensors import convert_inputs
from .weights import convert_weights

__all__ = ["convert"]

_RESOURCE_ID = re.compile(r"(?!/)[a-z0-9_\-/.]+(?<!/)")


def convert(tree: Mapping[str, Any]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the model in format 0.5, and what was changed or lost; errors say what has no counterpart that could be guessed.

    Args:
        tree: A valid description of format 0.4.10.

    """
    new = dict(tree)
    notes = upgrade_v0_3.convert_shared(new)
    notes += _convert_parent(new)
    notes += _convert_training_data(new)
    notes += convert_inputs(new)
    notes += convert_outputs(new, tree)
    notes += convert_weights(new)
    if new.get("timestamp") is None:
        new.pop("timestamp", None)
    new["format_version"] = LATEST
    return new, notes


def _convert_parent(new: dict[str, Any]) -> list[Issue]:
    parent = new.pop("parent", None)
    if not isinstance(parent, Mapping):
        return []
    parent_id = parent.get("id")
    if isinstance(parent_id, str) and _RESOURCE_ID.fullmatch(parent_id.lower()) and parent_id.lower() != new.get("id"):
        new["parent"] = {"id": parent_id.lower()}
        if parent.get("version_number") is not None:
            new["parent"]["version"] = parent["version_number"]
        rest = [key for key in parent if key not in ("id", "version_number")]
        return [lost(("parent", key), f"{format_value(parent[key])} was dropped, parents have an id and a version") for key in rest]
    uri = parent.get("uri")
    if isinstance(uri, str) and uri.startswith(("http://", "https://")):
        new["links"] = [*(new.get("links") or ()), uri]
        return [lost(("parent",), f"{uri!r} was moved to links, parents are named by the id of another model")]
    return [lost(("parent",), f"{format_value(dict(parent))} was dropped, parents are named by the id of another model")] if parent else []


def _convert_training_data(new: dict[str, Any]) -> list[Issue]:
    data = new.get("training_data")
    if data is None:
        new.pop("training_data", None)
        return []
    if data.get("type") == "dataset":
        new["training_data"], notes = upgrade_v0_3.from_v0_2(data)
        return [attrs.evolve(note, loc=("training_data", *note.loc)) for note in notes]
    number = data.get("version_number")
    new["training_data"] = {"id": data["id"], **({} if number is None else {"version": number})}
    return [] if number is None else [changed(("training_data", "version_number"), "read as version")]
