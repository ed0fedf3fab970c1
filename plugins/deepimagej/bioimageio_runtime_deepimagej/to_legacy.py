"""A model description as a ``config.xml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bioimageio_core.axis_names import FRAMEWORK_LETTERS, LETTER_OF
from bioimageio_core.typing import FrozenMapping

from .config_block import DeepimagejConfig, PixelSize, TestImage
from .from_legacy import description_of
from .legacy_config import LegacyConfig
from .quantities import format_size

__all__ = ["legacy_of"]

LETTERS = {LETTER_OF[axis]: letter for letter, axis in FRAMEWORK_LETTERS.items() if letter not in "BZ"}
"""Letters of organizations by those of format 0.4."""


def legacy_of(tree: Mapping[str, Any], config: DeepimagejConfig) -> tuple[LegacyConfig, list[str]]:
    """Return a configuration, and what it cannot hold, each in a sentence.

    Args:
        tree: A description of format 0.4.
        config: Its block ``config.deepimagej``.

    Raises:
        ValueError: The configuration cannot hold the model; all reasons are in the sentence.

    """
    kept = _kept(tree, config)
    if kept is not None:
        return kept, []
    wrong = []
    if len(tree["inputs"]) != 1:
        wrong.append(f"expected a model with one input, found {len(tree['inputs'])}")
    wrong += [f"expected macros one at a time, found {len(s)} steps" for s in (config.preprocess, config.postprocess) if len(s) > 1]
    given = tree["inputs"][0]
    for tensor in (given, *tree["outputs"]):
        unknown = set(tensor["axes"]) - set(LETTERS)
        if unknown:
            wrong.append(f"expected the axes b, t, z, y, x, c, found {', '.join(sorted(unknown))} in {tensor['name']!r}")
    if wrong:
        raise ValueError("; ".join(wrong))
    lost = []
    if len({*_steps(given)}) > 1 or any(low % step for low, step in _stepped(given)):
        lost.append("The sizes that the network takes are reduced to one number, of which they are multiples.")
    elements: dict[str, Any] = {**_information(tree), **_test(config), **_characteristics(tree, config)}
    return LegacyConfig(FrozenMapping({key: "null" if value is None else str(value) for key, value in elements.items()})), lost


def _kept(tree: Mapping[str, Any], config: DeepimagejConfig) -> LegacyConfig | None:
    """Return the configuration that the model was read from, if it is still of its name, with the same macros and tensors."""
    elements = config.other.get("config_xml")
    if not isinstance(elements, Mapping):
        return None
    kept = LegacyConfig(FrozenMapping({str(key): str(value) for key, value in elements.items()}))
    names = [kept.text("PreprocessingFile"), kept.text("PostprocessingFile")]
    if names != [next((s.macro for s in steps), None) for steps in (config.preprocess, config.postprocess)]:
        return None
    try:
        again = description_of(kept, {}, {}, {})
    except ValueError:
        return None
    same = again["name"] == tree["name"] and [t["id"] for t in again["outputs"]] == [t["name"] for t in tree["outputs"]]
    return kept if same and again["inputs"][0]["id"] == tree["inputs"][0]["name"] else None


def _information(tree: Mapping[str, Any]) -> dict[str, Any]:
    authors = tree.get("authors") or ()
    cite = (tree.get("cite") or [{}])[0]
    return {
        "Name": tree["name"],
        "Author": ", ".join(a["name"] for a in authors) or None,
        "URL": tree.get("git_repo") or cite.get("url"),
        "Credit": "; ".join(dict.fromkeys(a["affiliation"] for a in authors if a.get("affiliation"))) or None,
        "Version": tree.get("version"),
        "Date": tree.get("timestamp"),
        "Reference": " ".join(filter(None, (cite.get("text"), cite.get("doi")))) or None,
    }


def _test(config: DeepimagejConfig) -> dict[str, Any]:
    information = config.test_information
    first = information.inputs[0] if information.inputs else TestImage()
    result = information.outputs[0] if information.outputs else TestImage()
    pixel = first.pixel_size or PixelSize()
    return {
        "InputSize": first.size and format_size(first.size[:2], "x"),
        "OutputSize": result.size and format_size(result.size[:2], "x"),
        "MemoryPeak": information.memory_peak and " ".join(map(str, information.memory_peak)),
        "Runtime": information.runtime and " ".join(map(str, information.runtime)),
        "PixelSize": "x".join(f"{number!r}{unit}" for number, unit in (pixel.x, pixel.y)),
    }


def _characteristics(tree: Mapping[str, Any], config: DeepimagejConfig) -> dict[str, Any]:
    given, outputs = tree["inputs"][0], tree["outputs"]
    shape = given["shape"]
    least = shape["min"] if isinstance(shape, Mapping) else shape
    steps = _steps(given)
    fixed = not any(steps)
    sides = [n for a, n in zip(given["axes"], least, strict=True) if a in "yx"]
    padding = max((h for o in outputs for h in o.get("halo") or (0,)), default=0)
    step = max(steps, default=0) or 1
    whole = {a: (n if fixed or a not in "yx" else -1) for a, n in zip(given["axes"], least, strict=True)} | {"b": -1}
    patch = max(sides) if fixed else -(-max(max(sides), 2 * padding + 1) // step) * step
    keys = config.model_keys
    channels = dict(zip(given["axes"], least, strict=True)).get("c", 1)
    return {
        "ModelTag": keys and keys.tag,
        "SignatureDefinition": keys and keys.signature,
        "InputTensorDimensions": f",{','.join(str(whole[a]) for a in given['axes'])},",
        "NumberOfInputs": 1,
        "InputNames0": given["name"],
        "InputOrganization0": "".join(LETTERS[a] for a in given["axes"]),
        "NumberOfOutputs": len(outputs),
        **{f"OutputNames{n}": o["name"] for n, o in enumerate(outputs)},
        **{f"OutputOrganization{n}": "".join(LETTERS[a] for a in o["axes"]) for n, o in enumerate(outputs)},
        "Channels": channels,
        "FixedPatch": str(fixed).lower(),
        "MinimumSize": 1 if fixed else step,
        "PatchSize": patch,
        "FixedPadding": "true",
        "Padding": padding,
        "PreprocessingFile": next((s.macro for s in config.preprocess), None),
        "PostprocessingFile": next((s.macro for s in config.postprocess), None),
        "slices": dict(zip(given["axes"], least, strict=True)).get("z", 1),
    }


def _steps(tensor: Mapping[str, Any]) -> list[int]:
    return [step for _, step in _stepped(tensor)]


def _stepped(tensor: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return least size and step of y and x, where there is a step."""
    shape = tensor["shape"]
    if not isinstance(shape, Mapping):
        return []
    pairs = zip(tensor["axes"], shape["min"], shape["step"], strict=True)
    return [(low, step) for axis, low, step in pairs if axis in "yx" and step]
