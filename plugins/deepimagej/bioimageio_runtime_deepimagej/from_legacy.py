"""A ``config.xml`` and the files beside it as a model description of format 0.5."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs

from bioimageio_core.axis_names import FRAMEWORK_LETTERS

from .config_block import DeepimagejConfig, ModelKeys, PixelSize, Step, TestImage, TestInformation
from .legacy_config import LegacyConfig
from .quantities import parse_integer, parse_pixel_size, parse_quantity, parse_size, spatial_unit

__all__ = ["block_of", "description_of"]


@attrs.frozen
class _Sizes:
    """Which sizes the network takes along y and x."""

    fixed: bool
    patch: int | None
    least: int
    padding: int

    @property
    def stepped(self) -> dict[str, int]:
        """Return the sizes of a network that takes many: multiples of the least one, of which padding leaves something."""
        return {"min": self.least * (2 * self.padding // self.least + 1), "step": self.least}


def description_of(
    config: LegacyConfig, weights: Mapping[str, Any], outputs: Mapping[str, tuple[int, ...]], samples: Mapping[str, str]
) -> dict[str, Any]:
    """Return a description of format 0.5.

    Args:
        config: The configuration.
        weights: Weights entries by format.
        outputs: Shapes of outputs by name, as far as the weights have them.
        samples: Names of images: ``input`` and ``output``.

    Raises:
        ValueError: The configuration lacks required values, or contradicts itself.

    """
    if (number := config.value("NumberOfInputs", parse_integer)) not in (None, 1):
        raise ValueError(f"expected one input, since InputTensorDimensions are those of one, found {number}")
    sizes = _sizes(config)
    scales = _scales(config)
    given = _input(config, sizes, scales)
    if "input" in samples:
        given["sample_tensor"] = {"source": samples["input"]}
    results = [_output(config, n, given, sizes, scales, outputs) for n in range(_number_of_outputs(config))]
    if "output" in samples and len(results) == 1:
        results[0]["sample_tensor"] = {"source": samples["output"]}
    name = config.text("Name") or "deepImageJ model"
    tree: dict[str, Any] = {
        "type": "model",
        "format_version": "0.5.4",
        "name": _plain_name(name),
        "description": f"{name}, a model of deepImageJ"[:1024],
        "authors": _authors(config),
        **_references(config),
        "tags": ["deepimagej"],
        "documentation": "README.md",
        "inputs": [given],
        "outputs": results,
        "weights": dict(weights),
        "config": {"deepimagej": {**block_of(config).as_tree(), "config_xml": dict(config.elements)}},
    }
    return tree


def block_of(config: LegacyConfig) -> DeepimagejConfig:
    """Return the block ``config.deepimagej`` with the content of a ``config.xml``.

    Raises:
        ValueError: A value of it cannot be parsed.

    """
    pixel = config.value("PixelSize", parse_pixel_size)
    keys = (config.text("ModelTag"), config.text("SignatureDefinition"))
    known = {"tag": keys[0], "signature": keys[1]}
    sizes = [config.value(name, parse_size) for name in ("InputSize", "OutputSize")]
    return DeepimagejConfig(
        model_keys=ModelKeys(**{key: value for key, value in known.items() if value is not None}) if any(keys) else None,
        test_information=TestInformation(
            inputs=() if sizes[0] is None and pixel is None else (TestImage(size=sizes[0], pixel_size=_pixel_size(pixel)),),
            outputs=() if sizes[1] is None else (TestImage(size=sizes[1], type="image"),),
            memory_peak=config.value("MemoryPeak", parse_quantity),
            runtime=config.value("Runtime", parse_quantity),
        ),
        preprocess=tuple(Step.of_macro(name) for name in [config.text("PreprocessingFile")] if name),
        postprocess=tuple(Step.of_macro(name) for name in [config.text("PostprocessingFile")] if name),
    )


def _pixel_size(parsed: tuple[tuple[float, str], ...] | None) -> PixelSize | None:
    if parsed is None:
        return None
    return PixelSize(**{axis: (number, unit or "pixel") for axis, (number, unit) in zip("xyz", parsed, strict=False)})


def _flag(text: str) -> bool:
    if text.strip().lower() not in ("true", "false"):
        raise ValueError(f"expected true or false, found {text.strip()!r}")
    return text.strip().lower() == "true"


def _sizes(config: LegacyConfig) -> _Sizes:
    fixed = config.value("FixedPatch", _flag)
    patch = config.value("PatchSize", lambda text: parse_integer(text, least=1))
    least = config.value("MinimumSize", lambda text: parse_integer(text, least=1)) or 1
    padding = config.value("Padding", parse_integer) or 0
    if fixed and patch is None:
        raise ValueError("expected PatchSize where FixedPatch is true, found none")
    return _Sizes(bool(fixed), patch, least, padding)


def _dimensions(text: str) -> tuple[int, ...]:
    parts = text.strip().strip(",").split(",")
    if any(re.fullmatch(r"\s*-?\d{1,9}\s*", part) is None for part in parts):
        raise ValueError(f"expected sizes such as ,-1,512,512,1, found {text!r}")
    return tuple(int(part) for part in parts)


def _organization(text: str) -> tuple[str, ...]:
    axes = tuple(FRAMEWORK_LETTERS.get(letter.upper(), "") for letter in text.strip())
    if not all(axes) or len(set(axes)) != len(axes) or not {"y", "x"} <= {*axes}:
        raise ValueError(f"expected the letters N, H, W, C, D once each, H and W among them, found {text!r}")
    return axes


def _input(config: LegacyConfig, sizes: _Sizes, scales: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    dimensions = config.value("InputTensorDimensions", _dimensions)
    if dimensions is None:
        raise ValueError("expected InputTensorDimensions, found none")
    axes = config.value("InputOrganization0", _organization) or _organization({3: "HWC", 4: "NHWC", 5: "NDHWC"}.get(len(dimensions), "HW"))
    if len(axes) != len(dimensions):
        raise ValueError(f"expected a size for each of the axes {', '.join(axes)}, found {len(dimensions)} in InputTensorDimensions")
    described: list[dict[str, Any]] = []
    for axis, size in zip(axes, dimensions, strict=True):
        if axis == "batch":
            described.append({"type": "batch"})
        elif axis == "channel":
            count = size if size > 0 else config.value("Channels", lambda text: parse_integer(text, least=1)) or 1
            described.append(_channels(count))
        elif axis in ("y", "x"):
            patch = size if size > 0 else sizes.patch if sizes.fixed else None
            described.append(_space(axis, patch or sizes.stepped, scales.get(axis)))
        else:
            slices = size if size > 0 else config.value("slices", lambda text: parse_integer(text, least=1)) or 1
            described.append({"type": "time", "id": "time", "size": slices} if axis == "time" else _space(axis, slices, None))
    return {"id": _plain_id(config.text("InputNames0"), "input"), "axes": described, "data": {"type": "float32"}}


def _output(
    config: LegacyConfig,
    number: int,
    given: Mapping[str, Any],
    sizes: _Sizes,
    scales: Mapping[str, dict[str, Any]],
    outputs: Mapping[str, tuple[int, ...]],
) -> dict[str, Any]:
    written = config.text(f"OutputNames{number}")
    own = {str(axis.get("id") or axis["type"]): axis for axis in given["axes"]}
    axes = config.value(f"OutputOrganization{number}", _organization) or tuple(own)
    shape = outputs.get(written or "") or (next(iter(outputs.values())) if len(outputs) == 1 else ())
    ratio = _ratio(config)
    described: list[dict[str, Any]] = []
    for n, axis in enumerate(axes):
        size = shape[n] if len(shape) == len(axes) else -1
        if axis == "batch":
            described.append({"type": "batch"})
        elif axis == "channel":
            described.append(_channels(max(size, 1)))
        elif axis not in own:
            described.append(_space(axis, max(size, 1), None))
        elif axis == "time":
            described.append({"type": "time", "id": "time", "size": {"tensor_id": given["id"], "axis_id": "time"}})
        else:
            scale = dict(scales.get(axis) or {})
            if axis in ("y", "x") and ratio != 1:
                scale["scale"] = float(Fraction(scale.get("scale", 1.0)) / ratio)
            space = _space(axis, {"tensor_id": given["id"], "axis_id": axis}, scale)
            halo = int(sizes.padding * ratio) if axis in ("y", "x") else 0
            described.append({**space, "halo": halo} if halo else space)
    return {"id": _plain_id(written, f"output{number}"), "axes": described, "data": {"type": "float32"}}


def _number_of_outputs(config: LegacyConfig) -> int:
    """Return how many outputs are named: the number that is written is that of inputs, in files of deepImageJ itself."""
    named = 0
    while config.text(f"OutputNames{named}") is not None:
        named += 1
    return max(named, 1)


def _ratio(config: LegacyConfig) -> Fraction:
    """Return the ratio of output to input size, where it is an integer or the inverse of one."""
    sizes = [config.value(name, parse_size) for name in ("InputSize", "OutputSize")]
    if sizes[0] is None or sizes[1] is None or not all((*sizes[0][:2], *sizes[1][:2])):
        return Fraction(1)
    ratios = {Fraction(b, a) for a, b in zip(sizes[0][:2], sizes[1][:2], strict=False)}
    ratio = ratios.pop()
    return ratio if not ratios and 1 in (ratio.numerator, ratio.denominator) else Fraction(1)


def _scales(config: LegacyConfig) -> dict[str, dict[str, Any]]:
    """Return scale and unit of x and y, where the pixel size has a unit of length."""
    found = {}
    for axis, (number, unit) in zip("xy", config.value("PixelSize", parse_pixel_size) or (), strict=False):
        name = spatial_unit(unit)
        if name is not None and number > 0:
            found[axis] = {"scale": number, "unit": name}
    return found


def _space(axis: str, size: Any, scale: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"type": "space", "id": axis, "size": size, **(scale or {})}


def _channels(count: int) -> dict[str, Any]:
    return {"type": "channel", "channel_names": [f"channel{n}" for n in range(count)]}


def _plain_name(name: str) -> str:
    plain = " ".join(re.sub(r"[^A-Za-z0-9 _+\-()]", " ", name).split())[:128].strip()
    return plain if len(plain) >= 5 else f"{plain} deepImageJ model".strip()


def _plain_id(name: str | None, otherwise: str) -> str:
    """Return a name as a tensor id; names of graphs may end in ``:0``."""
    return re.sub(r"\W", "_", (name or otherwise).partition(":")[0]).lstrip("_0123456789") or otherwise


def _authors(config: LegacyConfig) -> list[dict[str, Any]]:
    author, credit = config.text("Author"), config.text("Credit")
    entry = {"name": (author or credit or "unknown").replace("/", " ").replace("\\", " ")}
    return [{**entry, "affiliation": credit} if credit and author else entry]


def _references(config: LegacyConfig) -> dict[str, Any]:
    """Return the citation, if there is an address for it, and the repository."""
    url, reference = config.text("URL"), config.text("Reference")
    if url is None or re.match(r"https?://[^\s/?#]+", url) is None:
        return {"cite": []}
    repository = {"git_repo": url} if re.match(r"https?://(?:www\.)?git(?:hub|lab)\.com/", url) else {}
    return {"cite": [{"text": reference or url, "url": url}], **repository}
