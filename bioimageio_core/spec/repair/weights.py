"""Weights of models, and the architecture that some need."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from ...structuring.format_value import format_value
from ...text import is_slip_of
from ..fields import file_name
from ..node import Issue
from ..notes import mended
from .kept import keep

__all__ = ["architecture", "former_names", "listed", "model_block", "optional_kwargs", "own_names", "slips"]

_FORMER_NAMES = {"pytorch_script": "torchscript", "tensorflow_bundle": "tensorflow_saved_model_bundle", "keras": "keras_hdf5"}
_NOT_FORMATS = ("default", "my_weights", "tensorflow", "tensorflow_protobuffer", "pytorch")
"""Names that descriptions have in place of a weights format; any other may be one that a plugin brings."""

_SUFFIXES = {".onnx": "onnx", ".h5": "keras_hdf5", ".hdf5": "keras_hdf5"}
"""Weights formats by the ending of the file name."""

_OF_ROOT = ("source", "sha256", "kwargs", "dependencies", "language", "framework")


def model_block(tree: dict[str, Any]) -> Iterator[Issue]:
    """Lift the architecture and what runs it from under ``model``, where the first drafts had it."""
    block = tree.get("model")
    if not isinstance(block, dict):
        return
    for key in [key for key in _OF_ROOT if key in block and key not in tree]:
        tree[key] = block.pop(key)
        yield mended(("model", key), f"moved to {key}")
    del tree["model"]
    for key, value in block.items():
        if value:
            yield keep(tree, ("model", key), value, "the format has no such field")


def optional_kwargs(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read the former name of the arguments of the architecture."""
    value = tree.get("optional_kwargs")
    if isinstance(value, dict) and "kwargs" not in tree:
        tree["kwargs"] = tree.pop("optional_kwargs")
        yield mended(("optional_kwargs",), "read as kwargs")


def listed(tree: dict[str, Any]) -> Iterator[Issue]:
    """Keep the first of the weights that the first drafts listed, their default, as that of its format."""
    entries = tree.get("weights")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        return
    name = _format_of(tree, entries[0])
    if name is None:
        return
    tree["weights"] = {name: entries[0]}
    yield mended(("weights",), f"expected a mapping of weights formats, found a list: its first entry was read as {name}")
    written = entries[0].pop("format", None)
    if written not in (None, name):
        yield keep(tree, ("weights", 0, "format"), written, f"the entry is read as {name}")
    for index, entry in enumerate(entries[1:], start=1):
        yield keep(tree, ("weights", index), entry, "a model has one entry for each weights format")


def _format_of(tree: dict[str, Any], entry: dict[str, Any]) -> str | None:
    """Return the weights format of an entry without a name, if the framework of the model leaves only one."""
    source, framework = entry.get("source"), str(tree.get("framework") or "").lower()
    if not isinstance(source, str):
        return None
    name = file_name(source).lower()
    for suffix, weights_format in _SUFFIXES.items():
        if name.endswith(suffix):
            return weights_format
    code = tree.get("source")
    if framework == "pytorch" and isinstance(code, str) and (re.search(r"\.py:+\w+$", code) or re.fullmatch(r"\w+(?:\.\w+)+", code)):
        return "pytorch_state_dict"
    return "tensorflow_saved_model_bundle" if framework == "tensorflow" and name.endswith(".zip") else None


def own_names(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read a single entry under a name of its own, where the model says what it is."""
    weights = tree.get("weights")
    if not isinstance(weights, dict) or len(weights) != 1:
        return
    ((name, entry),) = weights.items()
    if name in _NOT_FORMATS and isinstance(entry, dict) and (weights_format := _format_of(tree, entry)) is not None:
        tree["weights"] = {weights_format: entry}
        yield mended(("weights", name), f"read as {weights_format}, going by the framework and the files that the model names")


def former_names(tree: dict[str, Any]) -> Iterator[Issue]:
    """Read former names of weights formats, in versions too that had the present ones."""
    weights = tree.get("weights")
    if not isinstance(weights, dict):
        return
    for old, new in _FORMER_NAMES.items():
        if old in weights and new not in weights:
            yield _rename(tree, old, new)


def slips(tree: dict[str, Any], known: Collection[str]) -> Iterator[Issue]:
    """Read an unknown weights format whose name is a slip of one known name that the model lacks, as in ``tensorlfow_js``.

    Args:
        tree: The description, which is changed in place.
        known: Names of weights formats, also those of plugins.

    """
    weights = tree.get("weights")
    for name in list(weights if isinstance(weights, dict) else ()):
        meant = [other for other in known if isinstance(name, str) and name not in known and is_slip_of(name, other)]
        if len(meant) == 1 and meant[0] not in tree["weights"]:
            yield _rename(tree, name, meant[0])


def _rename(tree: dict[str, Any], old: str, new: str) -> Issue:
    """Give weights another name, also where others name them as their parent."""
    tree["weights"] = {new if name == old else name: entry for name, entry in tree["weights"].items()}
    for entry in tree["weights"].values():
        if isinstance(entry, dict) and entry.get("parent") == old:
            entry["parent"] = new
    return mended(("weights", old), f"read as {new}")


def architecture(tree: dict[str, Any]) -> Iterator[Issue]:
    """Part the file and the name of an architecture by one colon, the name coming last."""
    weights = tree.get("weights")
    entry = weights.get("pytorch_state_dict") if isinstance(weights, dict) else None
    holders = [(("source",), tree, "source")]
    if isinstance(entry, dict):
        holders.append((("weights", "pytorch_state_dict", "architecture"), entry, "architecture"))  # type: ignore[arg-type]
    for loc, holder, key in holders:
        written = holder.get(key)
        if not isinstance(written, str) or (key == "source" and not re.search(r"\.py:", written)):
            continue
        plain = re.sub(r":(\w+)/content$", r"/content:\1", written)
        plain = re.sub(r"(?<=\.py)::+(?=\w+$)", ":", plain)
        if plain != written:
            holder[key] = plain
            yield mended(loc, f"{format_value(written)} was read as {format_value(plain)}")
