"""Descriptions of networks that take one image and keep its axes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from bioimageio_core.axis_names import LETTERS

from .saved_model import SavedNetwork

__all__ = ["AXES", "WEIGHTS", "Normalisation", "Output", "describe", "name_of", "save_zip", "weights_of", "whole_numbers"]

AXES: Mapping[str, str] = {letter: LETTERS[letter.lower()] for letter in "CTXYZ"}
"""Axes of CSBDeep and what descriptions call them."""

WEIGHTS = "weights.zip"
SHORTEST_NAME = 5
EPS = 1e-20
"""What CSBDeep adds to the range that it divides by."""


@attrs.frozen(kw_only=True)
class Normalisation:
    """Which percentiles of the image become 0 and 1, for each channel or for all together; none: the image is as it is."""

    percentiles: tuple[float, float] | None
    per_channel: bool

    @classmethod
    def of(cls, percentiles: Any, per_channel: Any) -> Normalisation:
        """Return what a user asks for.

        Raises:
            ValueError: It is neither two percentiles in order nor None, or no bool.

        """
        if not isinstance(per_channel, bool):
            raise ValueError(f"per_channel: expected true or false, found {per_channel!r}")
        if percentiles is None:
            return cls(percentiles=None, per_channel=per_channel)
        given = percentiles if isinstance(percentiles, Sequence) and not isinstance(percentiles, str) else ()
        if len(given) != 2 or not all(isinstance(p, int | float) and not isinstance(p, bool) for p in given):
            raise ValueError(f"percentiles: expected two numbers, as in [1, 99.8], or null, found {percentiles!r}")
        low, high = given
        if not 0 <= low < high <= 100:
            raise ValueError(f"percentiles: expected 0 <= low < high <= 100, found {low} and {high}")
        return cls(percentiles=(float(low), float(high)), per_channel=per_channel)

    def steps(self, axes: Iterable[str]) -> list[dict[str, Any]]:
        """Return the preprocessing of an input with these axes."""
        if self.percentiles is None:
            return []
        joint = [axis for axis in axes if axis != "batch" and not (self.per_channel and axis == "channel")]
        low, high = self.percentiles
        return [{"id": "scale_range", "kwargs": {"axes": joint, "min_percentile": low, "max_percentile": high, "eps": EPS}}]

    def words(self) -> str:
        """Return a sentence for the description."""
        if self.percentiles is None:
            return "Its input is not normalised, as chosen on import."
        low, high = self.percentiles
        each = " of each channel" if self.per_channel else ""
        return f"Percentiles {low:g} and {high:g}{each} become 0 and 1, which the export does not record: chosen on import, or the default."


@attrs.frozen(kw_only=True)
class Output:
    """An output that keeps the axes of the image."""

    id: str
    channels: Sequence[str]
    halo: Mapping[str, int]
    """By axis, in pixels of the image."""

    grid: Mapping[str, int]
    """Pixels of the image for one of the output, by axis."""


def describe(
    *, axes: Sequence[str], channels: int, div_by: Mapping[str, int], normalisation: Normalisation, outputs: Sequence[Output], **more: Any
) -> dict[str, Any]:
    """Return a description as a tree.

    Args:
        axes: Of the image, in the order of the network, as descriptions call them; the batch axis is put first.
        channels: Number of channels of the image.
        div_by: Of which number sizes have to be multiples, by axis in space or time.
        normalisation: Of the image.
        outputs: Of the network.
        more: Further fields: name, description, weights, config.

    """
    halos = {axis: max(output.halo.get(axis, 0) for output in outputs) for axis in div_by}
    names = ["intensity"] if channels == 1 else [f"channel{n}" for n in range(channels)]
    return {
        "type": "model",
        "format_version": "0.5.4",
        **more,
        "inputs": [
            {
                "id": "input",
                "axes": [{"type": "batch"}, *(_axis(a, names, _size(div_by.get(a, 1), halos.get(a, 0))) for a in axes)],
                "data": {"type": "float32"},
                "preprocessing": normalisation.steps(["batch", *axes]),
            }
        ],
        "outputs": [_output(output, axes) for output in outputs],
    }


def _size(step: int, halo: int) -> dict[str, int]:
    """Return sizes of which something is left within the halo."""
    return {"min": step * (2 * halo // step + 1), "step": step}


def _axis(axis: str, channels: Sequence[str], size: Mapping[str, Any]) -> dict[str, Any]:
    if axis == "channel":
        return {"type": "channel", "channel_names": [*channels]}
    return {"type": "time" if axis == "time" else "space", "id": axis, "size": {**size}}


def _output(output: Output, axes: Sequence[str]) -> dict[str, Any]:
    described: list[dict[str, Any]] = [{"type": "batch"}]
    for axis in axes:
        one = _axis(axis, output.channels, {"tensor_id": "input", "axis_id": axis})
        grid = output.grid.get(axis, 1)
        if grid > 1:
            one["scale"] = float(grid)
        if output.halo.get(axis, 0) and axis != "channel":
            one["halo"] = -(-output.halo[axis] // grid)
        described.append(one)
    return {"id": output.id, "axes": described, "data": {"type": "float32"}}


def weights_of(network: SavedNetwork) -> dict[str, Any]:
    """Return the entry of the weights."""
    return {"tensorflow_saved_model_bundle": {"source": WEIGHTS, "tensorflow_version": network.tensorflow_version or "1.15"}}


def name_of(path: Path, system: str) -> str:
    """Return the name of a file or folder as names of models may be written, which are not shorter than five characters."""
    stem = path.name if path.is_dir() else path.stem
    name = re.sub(r"[^a-zA-Z0-9_+\- ()]", "_", stem).strip()[:128].strip()
    return name if len(name) >= SHORTEST_NAME else f"{name} ({system})".strip()


def whole_numbers(value: Any, what: str, count: int, least: int) -> tuple[int, ...]:
    """Return a list of whole numbers.

    Raises:
        ValueError: It is none, has another length, or one is too small.

    """
    given = [*value] if isinstance(value, Sequence) and not isinstance(value, str) else [value] * count
    if len(given) != count or not all(isinstance(n, int) and not isinstance(n, bool) and least <= n <= 1 << 20 for n in given):
        raise ValueError(f"{what}: expected {count} integers of at least {least}, found {value!r}")
    return tuple(given)


def save_zip(folder: Path, target: Path, added: Mapping[str, bytes] | None = None) -> None:
    """Write the SavedModel of a folder as a zip, the same bytes for the same content; nothing else of the folder goes into it."""
    parts = [folder / "saved_model.pb", *sorted(p for part in ("variables", "assets") for p in (folder / part).rglob("*") if p.is_file())]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (added or {}).items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
        for path in parts:
            archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes(), zipfile.ZIP_DEFLATED)
