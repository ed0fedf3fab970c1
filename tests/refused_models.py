"""Real models that the reference implementation refuses, and what models mean in terms that no version of the format changes."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.errors import YamlError
from bioimageio_core.spec.node import Issue
from bioimageio_core.spec.repair.identity import is_model
from bioimageio_core.spec.repair.text import load_damaged_yaml

__all__ = ["BEYOND_REPAIR", "OPAQUE", "Refused", "meaning_of_earlier", "meaning_of_newest", "refused"]

BEYOND_REPAIR = {
    "no inputs, outputs and weights: not a model": (
        "00890041eba5 0c01c80d3aaf 0c856fa72f06 1a5a52bedd98 2a86e92aacaf 35f88143d99c 3e92c898c17e 53612301bc59 5ad7e91819fc 642df7c8fb50"
        " 751909227900 7774312ce87f 9f3a10b3125a bbe12595746b be0f7197d33f"
    ),
    "outputs of unknown size (-1), or without axes": (
        "36e5b5225982 440d3fadc1ba 4c5043608ff2 5ba2003cb0e3 6df15e6599ce 78c129358af2 a5822e9baab1 acbaefd3d3f7 fe012072d848 feeceb52dbd5"
    ),
    "weights that are missing, or of unknown format": ("059b03d74c37 1d90f0be521c 3813518e9a2b 56909e6ef1f8 6b79e64fac93 948f5329f1d4"),
    "templates with unfilled fields": "0099b73bec6b 322c0188677e 3ef2fb420eb3 a1c523dbb66d c6d4c06f51dd",
    "a step without its arguments": "012736d3e410 23302995652e 4064b1de0662 9622871ab3bf",
    "fields of a different version, with an invalid hash": "96ce59cfae29",
    "a halo of the channel axis": "4dd49267357f",
}
"""What the models lack that stay invalid, and which these are."""

OPAQUE = {
    "weights of the format pickle": (
        "00680fa4224b 01a6d1aebd76 108ff2a4ae08 1376de56826a 1b891d0f39a5 2bb9406c94f9 39ada320bdf9 5f33d4193f9f 6d097e0da8ed a9b35cd3e4a2"
    ),
    "an op that is not of the format": "06b547b286d8 17f285a99ee1 3919f4b58d19 5d29697f05c4 8eaa2e812954 9153b02407d0 dd4a0566010f",
}
"""What is kept here, with an alert, since a plugin may bring it, and what the reference refuses."""


@attrs.frozen(kw_only=True)
class Refused:
    """A real description that the reference implementation refuses as it is."""

    sha: str
    type: str
    tree: dict[str, Any] = attrs.field(repr=False)
    notes: list[Issue] = attrs.field(repr=False)
    """What was wrong with the text."""

    @property
    def is_model(self) -> bool:
        """Whether it says that it is a model, or says nothing and has inputs, outputs and weights."""
        return is_model(self.tree)


def refused(shared: Path) -> Iterator[Refused]:
    """Yield the descriptions that the reference implementation refuses, but for what is no YAML even when read leniently."""
    with (shared / "corpus" / "verdicts.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["as_is"] != "valid"]
    for row in rows:
        text = (shared / "corpus" / "descriptions" / f"{row['sha256_12']}.yaml").read_bytes()
        try:
            tree, notes = load_damaged_yaml(text)
        except YamlError:
            continue
        yield Refused(sha=row["sha256_12"], type=row["type"], tree=tree, notes=notes)


LETTERS = {"batch": "b", "time": "t", "index": "i", "channel": "c"}
FORMER_NAMES = {
    "pytorch_script": "torchscript",
    "my_weights": "pytorch_state_dict",
    "tensorflow_protobuffer": "tensorflow_saved_model_bundle",
}


def meaning_of_earlier(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model in the form of formats up to 0.4 means: sizes, data, steps and weights, read without the code under test."""
    sizes = {tensor["name"]: _sizes(tensor) for tensor in tree["inputs"]}
    meaning: dict[str, Any] = {}
    for tensor in tree["inputs"]:
        meaning |= {(tensor["name"], "size", letter): size for letter, size in sizes[tensor["name"]].items()}
        meaning |= _of_tensor(tensor, tensor.get("preprocessing") or _normalization(tensor))
    for tensor in tree["outputs"]:
        name = re.sub(r"\W+", "_", tensor["name"]).strip("_")
        letters = _letters(tensor)
        shape = tensor["shape"]
        for position, letter in enumerate(letters):
            if isinstance(shape, Mapping):
                reference = sizes[shape.get("reference_tensor") or shape["reference_input"]]
                numbers = shape["scale"], shape["offset"]
                scale, offset = (given[position + len(given) - len(letters)] for given in numbers)
                size = [2 * offset] * 2 if not scale else [int(at * scale + 2 * offset) for at in _two(reference[letter])]
                # where sizes are fixed there is one size only
                meaning[name, "size", letter] = size[0] if len(set(size)) == 1 else tuple(size)
            else:
                meaning[name, "size", letter] = shape[position + len(shape) - len(letters)]
            halo = tensor.get("halo") or [0] * len(letters)
            meaning[name, "halo", letter] = halo[position + len(halo) - len(letters)]
        meaning |= _of_tensor({**tensor, "name": name}, tensor.get("postprocessing") or [])
    return meaning | _weights(tree)


def _letters(tensor: Mapping[str, Any]) -> str:
    """Return the axes besides the batch, whose size is 1 always."""
    axes = str(tensor["axes"]).lower()
    assert axes.find("b") <= 0
    return axes.replace("b", "")


def _sizes(tensor: Mapping[str, Any]) -> dict[str, Any]:
    letters, shape = _letters(tensor), tensor["shape"]
    if isinstance(shape, Mapping) and "min" in shape:
        given = list(zip(shape["min"], shape["step"], strict=True))[-len(letters) :]
        return {letter: (least, step) if step else least for letter, (least, step) in zip(letters, given, strict=True)}
    fixed = shape["exact"] if isinstance(shape, Mapping) else shape
    return dict(zip(letters, fixed[-len(letters) :], strict=True))


def _two(size: Any) -> tuple[int, int]:
    """Return two sizes that are allowed: large ones, since least sizes may be raised."""
    return (size[0] + 100 * size[1], size[0] + 200 * size[1]) if isinstance(size, tuple) else (size, size)


def _of_tensor(tensor: Mapping[str, Any], steps: Any) -> dict[str, Any]:
    bounds = tensor.get("data_range")
    if isinstance(bounds, str):
        bounds = bounds.strip("[]").split(",")
    bounds = None if bounds is None else [*map(float, bounds)]
    listed = [steps] if isinstance(steps, Mapping) else steps
    return {
        (tensor["name"], "axes"): str(tensor["axes"]).lower(),
        (tensor["name"], "type"): tensor["data_type"],
        (tensor["name"], "range"): None if bounds is None or all(map(math.isinf, bounds)) else bounds,
        (tensor["name"], "steps"): [_step(step, str(tensor["axes"]).lower()) for step in listed],
    }


def _normalization(tensor: Mapping[str, Any]) -> list[Any]:
    return [tensor["normalization"]] if "normalization" in tensor else []


def _step(step: Mapping[str, Any], axes: str) -> tuple[str, dict[str, Any]]:
    if len(step) == 1 and "name" not in step:
        ((name, inner),) = step.items()
        kwargs = dict(inner["kwargs"])
    else:
        name, kwargs = step["name"], dict(step.get("kwargs") or {})
    listed, mode = kwargs.pop("axes", None), kwargs.pop("mode", None)
    if name in ("scale_min_max", "min_max_normalization") and mode == "fixed":
        low, high = kwargs.pop("min"), kwargs.pop("max")
        return "scale_linear", {"gain": 1 / (high - low), "offset": -low / (high - low)}
    if name == "scale_linear":
        return name, {"gain": _number(kwargs["gain"]), "offset": _number(kwargs["offset"])}
    if name in ("zero_mean_unit_var", "zero_mean_unit_variance") and mode in (None, "fixed"):
        return "fixed_zero_mean_unit_variance", {"mean": _number(kwargs["mean"]), "std": _number(kwargs["std"])}
    if name in ("scale_range", "zero_mean_unit_variance"):
        kwargs["axes"] = {letter for letter in listed if letter in axes} | ({"b"} if mode == "per_dataset" else set())
    elif listed is not None:
        kwargs["axes"] = listed
    return name, kwargs | ({"mode": mode} if mode is not None and name not in ("scale_range", "zero_mean_unit_variance") else {})


def _number(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _weights(tree: Mapping[str, Any]) -> dict[str, Any]:
    entries = tree["weights"]
    if isinstance(entries, list):
        name = (
            "pytorch_state_dict"
            if tree.get("model", tree).get("framework", tree.get("framework")) == "pytorch"
            else "tensorflow_saved_model_bundle"
        )
        entries = {name: entries[0]}
    meaning: dict[str, Any] = {}
    for written, entry in entries.items():
        name = FORMER_NAMES.get(written, written)
        sha256 = entry.get("sha256")
        meaning["weights", name] = (entry["source"], sha256 and sha256.lower())
        if name == "pytorch_state_dict":
            model = tree.get("model", tree)
            source = entry.get("architecture") or model["source"]
            given = model.get("kwargs") or tree.get("optional_kwargs") or {}
            meaning["weights", name, "architecture"] = (
                re.findall(r"\w+", source)[-1 if "content" not in source else -2],
                entry.get("kwargs", given),
            )
        for version in ("opset_version", "tensorflow_version", "pytorch_version"):
            if version in entry and re.fullmatch(r"[0-9.]+", str(entry[version])):
                meaning["weights", name, version] = entry[version]
    return meaning


def meaning_of_newest(tree: Mapping[str, Any], earlier: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what a model of format 0.5 means, in the same terms; of weights what ``earlier`` says too."""
    sizes: dict[tuple[str, str], Any] = {}
    meaning: dict[str, Any] = {}
    for tensor in (*tree["inputs"], *tree["outputs"]):
        is_input = tensor in tree["inputs"]
        for axis in tensor["axes"]:
            letter = LETTERS.get(axis["type"], axis.get("id"))
            if letter == "b":
                continue
            size = len(axis["channel_names"]) if letter == "c" else axis["size"]
            if isinstance(size, Mapping) and "step" in size:
                size = (size["min"], size["step"])
            sizes[tensor["id"], letter] = (size, axis.get("scale", 1.0))
            meaning[tensor["id"], "size", letter] = _resolved(sizes, size, axis, earlier)
            if not is_input:
                meaning[tensor["id"], "halo", letter] = axis.get("halo", 0)
        data = tensor["data"]
        steps = [step for step in tensor.get("preprocessing", tensor.get("postprocessing", [])) if step["id"] != "ensure_dtype"]
        meaning[tensor["id"], "axes"] = "".join(LETTERS.get(axis["type"], axis.get("id")) for axis in tensor["axes"])
        meaning[tensor["id"], "type"] = data["type"]
        given = data.get("range")
        meaning[tensor["id"], "range"] = given and [sign * math.inf if b is None else b for b, sign in zip(given, (-1, 1), strict=True)]
        meaning[tensor["id"], "steps"] = [_newest_step(step) for step in steps]
    for name, entry in tree["weights"].items():
        meaning["weights", name] = (entry["source"], entry.get("sha256"))
        if name == "pytorch_state_dict":
            meaning["weights", name, "architecture"] = (entry["architecture"]["callable"], entry["architecture"].get("kwargs", {}))
        for version in ("opset_version", "tensorflow_version", "pytorch_version"):
            if ("weights", name, version) in earlier:
                meaning["weights", name, version] = entry[version]
    return meaning


def _resolved(sizes: Mapping[tuple[str, str], Any], size: Any, axis: Mapping[str, Any], earlier: Mapping[Any, Any]) -> Any:
    if not isinstance(size, Mapping) or "tensor_id" not in size:
        return size
    letter = LETTERS.get(axis["type"], axis["id"])
    _, scale = sizes[size["tensor_id"], letter]
    # sizes at which to look are those of the earlier form: the least size may be another now
    found = [int(at * scale / axis.get("scale", 1.0) + size.get("offset", 0)) for at in _two(earlier[size["tensor_id"], "size", letter])]
    return found[0] if len(set(found)) == 1 else tuple(found)


def _newest_step(step: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    kwargs = dict(step.get("kwargs") or {})
    if isinstance(kwargs.get("axes"), list):
        kwargs["axes"] = {LETTERS.get(axis, axis) for axis in kwargs["axes"]}
    return step["id"], kwargs
