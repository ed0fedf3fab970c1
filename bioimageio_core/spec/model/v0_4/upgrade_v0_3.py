"""From model format 0.3 to 0.4.0, on trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....structuring.format_value import format_value
from ....structuring.freezing import as_finite
from ...generic.upgrade_v0_2 import name_people
from ...node import Issue
from ...notes import changed, lost
from .least_sizes import raise_least_sizes

__all__ = ["from_v0_3", "kept_in_config"]

_PEOPLE = ("authors", "packaged_by")
_OF_PYTORCH = {"source": "architecture", "sha256": "architecture_sha256", "kwargs": "kwargs"}


FORMER = "model_0_3"
"""Key of ``config`` for values that format 0.3 had for the complete model, and later formats have for one of its weights."""


def kept_in_config(new: dict[str, Any], key: str) -> Issue:
    """Move a value for which no weights are left from the top of a tree to ``config``, and return an issue about it."""
    value = new.pop(key)
    config = new.get("config", {})
    if not isinstance(config, Mapping):
        return lost((key,), f"{format_value(value)} was dropped, since config is no mapping that it could be kept in")
    former = config.get(FORMER, {})
    former = former if isinstance(former, Mapping) else {FORMER: former}
    new["config"] = {**config, FORMER: {**former, key: as_finite(value)}}
    return lost((key,), f"moved to config.{FORMER}, since there are no weights of format pytorch_state_dict that it could be for")


def from_v0_3(tree: Mapping[str, Any], version: tuple[int, int, int]) -> tuple[dict[str, Any], list[Issue]]:
    """Return the tree in the form of format 0.4.0, and what was changed or lost; ``tree`` is not changed."""
    new = dict(tree)
    notes: list[Issue] = []
    if version < (0, 3, 2):
        notes += _name_everyone(new)
        notes += _take_future(new)
    if version < (0, 3, 3):
        notes += _refer_to_tensors(new)
    notes += raise_least_sizes(new)
    _clean_config(new)
    notes += _move_architecture(new)
    for key in ("language", "framework"):
        if new.get(key) is not None and FORMER in (new.get("config") or ()):
            notes.append(kept_in_config(new, key))  # it is about the architecture that is kept there
        elif (value := new.pop(key, None)) is not None:
            notes.append(lost((key,), f"{format_value(value)} was dropped, the weights say what runs them"))
    return new, notes


def _weights(new: dict[str, Any]) -> dict[str, Any]:
    weights = new.get("weights")
    return dict(weights) if isinstance(weights, Mapping) else {}


def _name_everyone(new: dict[str, Any]) -> list[Issue]:
    """Up to 0.3.1 people were strings."""
    notes = name_people(new, *_PEOPLE)
    weights = _weights(new)
    for name, entry in weights.items():
        if isinstance(entry, Mapping):
            weights[name] = dict(entry)
            name_people(weights[name], "authors")
    if weights:
        new["weights"] = weights
    return notes


def _take_future(new: dict[str, Any]) -> list[Issue]:
    """Take what 0.3.1 could not say and kept under ``config.future`` for 0.3.2."""
    config = new.get("config")
    future = config.get("future") if isinstance(config, Mapping) else None
    kept = future.get("0.3.2") if isinstance(future, Mapping) else None
    if not isinstance(kept, Mapping) or not isinstance(config, Mapping) or not isinstance(future, Mapping):
        return []
    new["config"] = {**config, "future": {key: value for key, value in future.items() if key != "0.3.2"}}
    for key in _PEOPLE:
        new[key] = _merged(new.get(key), kept.get(key))
    weights, known = _weights(new), kept.get("weights")
    for name, entry in known.items() if isinstance(known, Mapping) else ():
        if isinstance(entry, Mapping) and isinstance(weights.get(name), Mapping):
            weights[name] = {**weights[name], "authors": _merged(weights[name].get("authors"), entry.get("authors"))}
    if weights:
        new["weights"] = weights
    if "version" in kept:
        new["version"] = kept["version"]
    for key in _PEOPLE:
        if new[key] is None:
            del new[key]
    return [changed(("config", "future", "0.3.2"), "read as part of the description")]


def _merged(people: Any, more: Any) -> Any:
    """Return people, each with the additional fields that ``more`` has at the same position."""
    if not isinstance(people, (list, tuple)) or not isinstance(more, (list, tuple)):
        return people
    extended = [*more, *[{}] * len(people)]
    return [
        {**person, **known} if isinstance(person, Mapping) and isinstance(known, Mapping) else person
        for person, known in zip(people, extended, strict=False)
    ]


def _refer_to_tensors(new: dict[str, Any]) -> list[Issue]:
    """Up to 0.3.2 shapes of outputs referred to an input only."""
    outputs = new.get("outputs")
    if not isinstance(outputs, (list, tuple)):
        return []
    notes, converted = [], []
    for index, output in enumerate(outputs):
        shape = output.get("shape") if isinstance(output, Mapping) else None
        if isinstance(shape, Mapping) and "reference_input" in shape:
            renamed = {"reference_tensor" if key == "reference_input" else key: value for key, value in shape.items()}
            converted.append({**output, "shape": renamed})
            notes.append(changed(("outputs", index, "shape", "reference_input"), "read as reference_tensor"))
        else:
            converted.append(output)
    new["outputs"] = converted
    return notes


def _clean_config(new: dict[str, Any]) -> None:
    config = new.get("config")
    if isinstance(config, Mapping):
        new["config"] = {key: value for key, value in config.items() if key != "future" or value}


def _move_architecture(new: dict[str, Any]) -> list[Issue]:
    """Up to 0.3.6 the architecture stood at the top level; it is that of the PyTorch weights."""
    notes: list[Issue] = []
    weights = _weights(new)
    if "pytorch_script" in weights:
        weights = {"torchscript" if name == "pytorch_script" else name: entry for name, entry in weights.items()}
        notes.append(changed(("weights", "pytorch_script"), "read as torchscript"))
    entry = weights.get("pytorch_state_dict")
    for old, key in _OF_PYTORCH.items():
        if isinstance(entry, Mapping) and old in new:
            entry = weights["pytorch_state_dict"] = {**entry, key: new.pop(old)}
            notes.append(changed((old,), f"read as weights.pytorch_state_dict.{key}"))
        elif new.get(old) is not None:
            notes.append(kept_in_config(new, old))
        else:
            new.pop(old, None)
    if weights:
        new["weights"] = weights
    return notes
