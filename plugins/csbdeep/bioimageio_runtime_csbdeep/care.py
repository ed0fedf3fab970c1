"""Exports of CSBDeep: CARE, and networks like it that give an image of the size that they take."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .describing import AXES, WEIGHTS, Normalisation, Output, describe, name_of, save_zip, weights_of, whole_numbers
from .exports import Export, export_in, system_of

__all__ = ["Care"]

PERCENTILES = (2.0, 99.8)
"""Percentiles of ``PercentileNormalizer``, the default of ``CARE.predict``."""

PROJECTION = "ProjectionCARE"


class Care:
    """Reads them."""

    def sniff(self, path: Path) -> bool:
        """Return whether a zip or folder is of CSBDeep."""
        return system_of(path) == "csbdeep"

    def read(self, path: Path, folder: Path, *, percentiles: Any = PERCENTILES, per_channel: bool = True) -> Mapping[str, Any]:
        """Return the description; see `bioimageio_core.registry.ForeignFormat`.

        Args:
            path: A zip or folder.
            folder: Where the weights go.
            percentiles: The two that become 0 and 1, or None.
            per_channel: Whether each channel has its own.

        Raises:
            ValueError: It is broken, or no description can represent the network.

        """
        normalisation = Normalisation.of(percentiles, per_channel)
        with export_in(path, "csbdeep") as export:
            tree = _described(export, name_of(path, "CSBDeep"), normalisation)
            save_zip(export.folder, folder / WEIGHTS)
        return tree


def _described(export: Export, name: str, normalisation: Normalisation) -> dict[str, Any]:
    meta = export.meta
    kind, axes = meta.get("type", "CARE"), _axes(meta)
    if kind == PROJECTION:
        raise ValueError(f"it is a {PROJECTION}, whose output is a maximum along an axis, which no description can represent")
    steps = whole_numbers(meta["axes_div_by"], "axes_div_by of meta.json", len(axes), 1)
    overlaps = whole_numbers(meta["tile_overlap"], "tile_overlap of meta.json", len(axes), 0)
    probabilistic = meta.get("probabilistic", False)
    if not isinstance(probabilistic, bool):
        raise ValueError(f"probabilistic of meta.json: expected true or false, found {probabilistic!r}")
    network = export.network
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise ValueError(f"its network has {len(network.inputs)} inputs and {len(network.outputs)} outputs: expected one of each")
    position = axes.index("channel") + 1
    counts = [_channels(signed.shape, position, len(axes) + 1) for signed in (network.inputs[0], network.outputs[0])]
    spatial = [axis for axis in axes if axis != "channel"]
    halo = {axis: n for axis, n in zip(axes, overlaps, strict=True) if axis in spatial}
    return describe(
        name=name,
        description=f"Image restoration by {_maker(meta)}. {normalisation.words()} {_scale_words(probabilistic)}",
        cite=[
            {"text": "Content-aware image restoration: pushing the limits of fluorescence microscopy", "doi": "10.1038/s41592-018-0216-7"}
        ],
        tags=["image-restoration", "care", "csbdeep"],
        axes=axes,
        channels=counts[0],
        div_by={axis: n for axis, n in zip(axes, steps, strict=True) if axis in spatial},
        normalisation=normalisation,
        outputs=[Output(id="output", channels=_output_channels(counts[1], probabilistic), halo=halo, grid={})],
        weights=weights_of(network),
        config={"csbdeep": {**meta}},
    )


def _maker(meta: Mapping[str, Any]) -> str:
    return " ".join(str(part) for part in ("CSBDeep", meta.get("version", ""), f"({meta.get('type', 'CARE')})") if part)


def _scale_words(probabilistic: bool) -> str:
    mean = "The restored image is in units of the normalised one."
    return f"{mean} Each channel has a mean and the scale of a Laplace distribution." if probabilistic else mean


def _axes(meta: Mapping[str, Any]) -> list[str]:
    found = meta.get("axes")
    known = isinstance(found, str) and set(found.upper()) <= AXES.keys() and len(set(found.upper())) == len(found)
    if not isinstance(found, str) or not known or "C" not in found.upper():
        raise ValueError(f"axes of meta.json: expected letters of {''.join(AXES)}, each once, C among them, found {found!r}")
    return [AXES[letter] for letter in found.upper()]


def _channels(shape: tuple[int, ...], position: int, rank: int) -> int:
    if len(shape) != rank or shape[position] < 1:
        raise ValueError(f"its network has a tensor of shape {shape}: expected {rank} axes, as in meta.json, and a number of channels")
    return shape[position]


def _output_channels(count: int, probabilistic: bool) -> list[str]:
    """Return names of channels: CSBDeep puts the means of all channels before their scales."""
    parts = ("mean", "scale") if probabilistic else ("restored",)
    if count % len(parts):
        raise ValueError(f"its network is probabilistic and gives {count} channels: expected as many means as scales")
    each = count // len(parts)
    return [part if each == 1 else f"{part}{n}" for part in parts for n in range(each)]
