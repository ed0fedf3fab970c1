"""Makes a model description from the content of a file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.units import METRES

from .networks import NetworkSignature

__all__ = ["CONFIG", "Imported", "describe", "in_metres", "plain_name"]

CONFIG = "czmodel"
"""Where a description keeps what it has no words for: a key of ``config``."""

FORMAT_VERSION = "0.5.4"

AXES = {1: ("x",), 2: ("y", "x"), 3: ("z", "y", "x")}

FREE_STEP = 16
"""Of networks that take any size: what those that pool four times need."""

FREE_LEAST = 64


@attrs.frozen(kw_only=True)
class Imported:
    """The content of a file, in one form for all formats."""

    name: str
    kind: str
    """How to call it in text."""

    channels: tuple[str, ...]
    """Names of the channels that ZEN gives, where it is known; they are left out where the network takes another number."""

    dtype: str
    classes: tuple[str, ...]
    border: tuple[int, ...]
    """Along the axes in space."""

    scaling: Mapping[str, float]
    """Metres per pixel, by axis."""

    sizes: tuple[int, ...] | None
    """Sizes of the input along the axes in space, where the file has them."""

    output_sizes: tuple[int, ...] | None
    probabilities: bool
    """Whether the output is in the range from 0 to 1."""

    config: Mapping[str, Any]
    """All of it."""

    files: tuple[str, ...]
    """Names of further files, such as that of a license, that lie beside the description."""


def describe(found: Imported, network: NetworkSignature, weights: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a description, and write its documentation.

    Args:
        found: The content of the file.
        network: The signature of the network.
        weights: The weights entry: source and hash.
        folder: Where to write the documentation.

    Raises:
        ValueError: File and network contradict each other, or no description can represent them.

    """
    names = AXES.get(len(network.input_shape) - 2)
    if names is None or len(names) == 1:
        raise ValueError(f"the network takes {len(network.input_shape)} axes: expected batch, 2 or 3 axes in space, and channels last")
    *spatial, channels = network.input_shape[1:]
    if channels is None:
        raise ValueError("the number of channels of the network's input is unknown")
    sizes = _sizes(found, spatial)
    notes: list[str] = []
    border = dict(zip(names, found.border, strict=True))
    inputs = [
        _batch(network),
        {"type": "channel", "channel_names": list(_channel_names(found, channels, notes))},
    ]
    space = [_space(name, size, found, border[name]) for name, size in zip(names, sizes, strict=True)]
    channel_axis = inputs.pop()
    image = {
        "id": "image",
        "axes": [inputs[0], *space, channel_axis],
        "data": {"type": found.dtype},
        # Written first, so that images of other types are not cast to the one above.
        "preprocessing": [{"id": "ensure_dtype", "kwargs": {"dtype": network.input_dtype}}],
    }
    output = _output(found, network, names, sizes, border, notes)
    (folder / "documentation.md").write_text(_documentation(found, notes), encoding="utf-8")
    return {
        "type": "model",
        "format_version": FORMAT_VERSION,
        "name": plain_name(found.name),
        "description": f"A network read from a {found.kind} file.",
        "authors": [{"name": "unknown"}],
        "cite": [{"text": "ZEISS ZEN", "url": "https://www.zeiss.com/microscopy"}],
        "documentation": {"source": "documentation.md"},
        "inputs": [image],
        "outputs": [output],
        "weights": {network.weights_format: {**weights, **network.fields}},
        **({"attachments": [{"source": name} for name in found.files]} if found.files else {}),
        "config": {CONFIG: dict(found.config)},
    }


def plain_name(name: str) -> str:
    """Return a name as descriptions can have it: 5 to 128 letters, digits, spaces and _ + - ( )."""
    plain = re.sub(r"[^A-Za-z0-9_ +\-()]", "_", name).strip()[:128]
    return plain if len(plain) >= 5 else f"model {plain or 'of ZEN'}"


def in_metres(length: float, unit: str = "micrometer") -> float:
    """Return a length in metres, with the decimal digits that it has: 0.1625 micrometers are 1.625e-07 metres."""
    return float(Decimal(repr(length)) * Decimal(repr(METRES[unit])))


def _in_micrometres(metres: float) -> float:
    return float(Decimal(repr(metres)).scaleb(6))


def _batch(network: NetworkSignature) -> dict[str, Any]:
    return {"type": "batch", **({"size": 1} if network.input_shape[0] == 1 else {})}


def _sizes(found: Imported, spatial: Sequence[int | None]) -> list[int | None]:
    """Return the sizes along the axes in space, on which file and network have to agree."""
    if found.sizes is None:
        return list(spatial)
    if len(found.sizes) != len(spatial) or any(size not in (None, recorded) for size, recorded in zip(spatial, found.sizes, strict=True)):
        sizes = ["any" if size is None else size for size in spatial]
        raise ValueError(f"blocks have the sizes {list(found.sizes)} in the file, the network takes {sizes}")
    return list(found.sizes)


def _space(name: str, size: int | None, found: Imported, border: int) -> dict[str, Any]:
    least = max(FREE_LEAST, FREE_STEP * (2 * border // FREE_STEP + 1))
    axis: dict[str, Any] = {"type": "space", "id": name, "size": {"min": least, "step": FREE_STEP} if size is None else size}
    if name in found.scaling:
        axis |= {"unit": "micrometer", "scale": _in_micrometres(found.scaling[name])}
    return axis


def _channel_names(found: Imported, count: int, notes: list[str]) -> tuple[str, ...]:
    if len(found.channels) == count:
        return found.channels
    if found.channels:
        notes.append(f"The pixel type stands for {len(found.channels)} channels; the network takes {count}, so it decides.")
    return ("intensity",) if count == 1 else tuple(f"channel{n}" for n in range(count))


def _output(
    found: Imported,
    network: NetworkSignature,
    names: tuple[str, ...],
    sizes: Sequence[int | None],
    border: Mapping[str, int],
    notes: list[str],
) -> dict[str, Any]:
    rank = len(names) + 2
    shape = network.output_shape
    if shape is None:
        shape = (None,) * rank
    recorded = found.output_sizes
    if recorded is not None and len(shape) == len(recorded) + 1:
        if any(own not in (None, size) for own, size in zip(shape[1:], recorded, strict=True)):
            raise ValueError(f"the output has the shape {list(recorded)} in the file, the network gives {list(shape[1:])}")
        shape = (shape[0], *recorded)
    if len(shape) not in (2, rank):
        raise ValueError(f"the network gives {len(shape)} axes: expected as many as it takes ({rank}), or batch and classes")
    count = shape[-1] if shape[-1] is not None else len(found.classes)
    if not count:
        raise ValueError("the number of channels of the output is neither in the file nor in the network")
    axes: list[dict[str, Any]] = [_batch(network)]
    if len(shape) == rank:
        axes += [
            _output_axis(name, own, size, border[name], found, notes) for name, own, size in zip(names, shape[1:-1], sizes, strict=True)
        ]
    axes.append({"type": "channel", "channel_names": list(_class_names(found, count, notes))})
    data = {"type": "float32", **({"range": [0.0, 1.0]} if found.probabilities else {})}
    return {"id": "prediction", "axes": axes, "data": data}


def _output_axis(name: str, own: int | None, size: int | None, border: int, found: Imported, notes: list[str]) -> dict[str, Any]:
    axis: dict[str, Any] = {"type": "space", "id": name}
    pixel: dict[str, Any] = {"unit": "micrometer", "scale": _in_micrometres(found.scaling[name])} if name in found.scaling else {}
    ratio = Fraction(own, size) if own and size else Fraction(1)
    if 1 not in (ratio.numerator, ratio.denominator):
        return {**axis, "size": own, **pixel}
    if ratio != 1:
        pixel["scale"] = pixel.get("scale", 1.0) / float(ratio)
    axis |= {"size": {"tensor_id": "image", "axis_id": name}, **pixel}
    halo = border * ratio
    if halo and halo.denominator == 1 and (size is None or size - 2 * border >= 1):
        axis["halo"] = int(halo)
    elif halo:
        notes.append(
            f"A border of {border} pixels along {name} leaves nothing of blocks of {size}, so blocks have no halo: "
            "images larger than a block have seams."
        )
    return axis


def _class_names(found: Imported, count: int, notes: list[str]) -> tuple[str, ...]:
    if len(found.classes) == count:
        return found.classes
    if found.classes:
        notes.append(f"The file names {len(found.classes)} classes ({', '.join(found.classes)}); the network has {count} of them.")
    return tuple(f"class{n}" for n in range(count))


def _documentation(found: Imported, notes: Sequence[str]) -> str:
    lines = [f"# {found.name}", "", f"Read from a {found.kind} file of ZEISS ZEN.", ""]
    if {"blue", "red"} <= {*found.channels}:
        lines += ["The network takes color images with their channels in the order in which ZEN gives them: blue, green, red.", ""]
    lines += [f"- {note}" for note in notes]
    lines += ["", "## Validation", "", "The file does not describe how the network was validated.", ""]
    return "\n".join(lines)
