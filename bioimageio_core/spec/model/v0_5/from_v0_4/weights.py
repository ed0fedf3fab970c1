"""Weights entries: required versions are added, hashes of files are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .....structuring.format_value import format_value
from ....fields import file_name
from ....node import Issue, Loc
from ....notes import changed, lost
from ...weights import split_architecture

__all__ = ["convert_weights"]

_ASSUMED: dict[str, tuple[str, Any]] = {
    "keras_hdf5": ("tensorflow_version", "1.15"),
    "onnx": ("opset_version", 15),
    "pytorch_state_dict": ("pytorch_version", "1.10"),
    "tensorflow_js": ("tensorflow_version", "1.15"),
    "tensorflow_saved_model_bundle": ("tensorflow_version", "1.15"),
    "torchscript": ("pytorch_version", "1.10"),
}
"""Assumed version where an entry has none."""

_WITH_DEPENDENCIES = ("pytorch_state_dict", "tensorflow_saved_model_bundle")


def convert_weights(new: dict[str, Any]) -> list[Issue]:
    """Convert the weights, in place; entries of unknown formats are kept unchanged."""
    notes: list[Issue] = []
    entries = {}
    for name, entry in new["weights"].items():
        entries[name] = _entry(name, entry, new, notes) if name in _ASSUMED else entry
    for name, entry in entries.items():
        parent = entry.get("parent")
        if name in _ASSUMED and parent is not None and parent not in entries:
            del entry["parent"]
            notes.append(lost(("weights", name, "parent"), f"{parent!r} was dropped, the model has no such weights"))
    new["weights"] = entries
    return notes


def _entry(name: str, old: Mapping[str, Any], new: dict[str, Any], notes: list[Issue]) -> dict[str, Any]:
    loc = ("weights", name)
    entry = {key: value for key, value in old.items() if value is not None}
    key, version = _ASSUMED[name]
    if key not in entry:
        entry[key] = version
        notes.append(lost((*loc, key), f"taken to be {version}, since there was none"))
    attachments = entry.pop("attachments", {})
    for file in attachments.get("files") or ():
        _attach(new, file)
        notes.append(lost((*loc, "attachments"), f"{file!r} was moved to the attachments of the model"))
    notes += [lost((*loc, "attachments", other), "dropped, attachments are files") for other in attachments if other != "files"]
    if "dependencies" in entry:
        _convert_dependencies(name, entry, new, (*loc, "dependencies"), notes)
    if name == "pytorch_state_dict":
        _convert_architecture(entry)
    return entry


def _attach(new: dict[str, Any], file: str) -> None:
    attachments = new.get("attachments") or []
    if all(attachment.get("source", "").removeprefix("./") != file.removeprefix("./") for attachment in attachments):
        new["attachments"] = [*attachments, {"source": file}]


def _convert_dependencies(name: str, entry: dict[str, Any], new: dict[str, Any], loc: Loc, notes: list[Issue]) -> None:
    written = entry.pop("dependencies").strip()
    manager, _, file = written.partition(":")
    if name in _WITH_DEPENDENCIES and file_name(file).endswith((".yaml", ".yml")):
        entry["dependencies"] = {"source": file}
        if manager != "conda":
            notes.append(lost(loc, f"the package manager of {format_value(written)} was dropped, it is conda always"))
        else:
            notes.append(changed(loc, f"{format_value(written)} was read as a file"))
        return
    _attach(new, file)
    notes.append(
        lost(loc, f"{format_value(written)} was moved to the attachments of the model, such weights have no dependencies of that kind")
    )


def _convert_architecture(entry: dict[str, Any]) -> None:
    architecture = entry["architecture"]
    kwargs, sha256 = entry.pop("kwargs", None), entry.pop("architecture_sha256", None)
    file, callable_ = split_architecture(architecture)
    converted: dict[str, Any] = {"source": file} if file else {}
    if sha256 is not None:
        converted["sha256"] = sha256
    if not file:
        converted["import_from"], _, callable_ = architecture.rpartition(".")
    converted["callable"] = callable_
    if kwargs:
        converted["kwargs"] = kwargs
    entry["architecture"] = converted
