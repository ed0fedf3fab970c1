"""Exports of StarDist: a probability and the distances along rays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .describing import WEIGHTS, Normalisation, Output, describe, name_of, save_zip, weights_of, whole_numbers
from .exports import Export, export_in, system_of
from .reach import Reach, reach_of
from .saved_model import Signed

__all__ = ["StarDist"]

PERCENTILES = (1.0, 99.8)
"""Those of StarDist's examples and of its plugin for Fiji."""

LEAST_RAYS = 3


class StarDist:
    """Reads them."""

    def sniff(self, path: Path) -> bool:
        """Return whether a zip or folder is of StarDist."""
        return system_of(path) == "stardist"

    def read(
        self,
        path: Path,
        folder: Path,
        *,
        percentiles: Any = PERCENTILES,
        per_channel: bool = True,
        div_by: Any = None,
        overlap: Any = None,
    ) -> Mapping[str, Any]:
        """Return the description; see `bioimageio_core.registry.ForeignFormat`.

        Args:
            path: A zip or folder.
            folder: Where the weights go.
            percentiles: The two that become 0 and 1, or None.
            per_channel: Whether each channel has its own.
            div_by: Divisor of sizes along each axis in space; None: that of the graph.
            overlap: Receptive field to one side, in pixels, along each axis in space; None: that of the graph.

        Raises:
            ValueError: It is broken, or the receptive field of the graph is unknown.

        """
        normalisation = Normalisation.of(percentiles, per_channel)
        with export_in(path, "stardist") as export:
            tree = _described(export, name_of(path, "StarDist"), normalisation, div_by, overlap)
            save_zip(export.folder, folder / WEIGHTS)
        return tree


def _described(export: Export, name: str, normalisation: Normalisation, div_by: Any, overlap: Any) -> dict[str, Any]:
    network = export.network
    if len(network.inputs) != 1:
        raise ValueError(f"its network has {len(network.inputs)} inputs: expected one")
    shape = network.inputs[0].shape
    if len(shape) not in (4, 5) or shape[-1] < 1:
        raise ValueError(f"its network takes {shape}: expected a batch of images or volumes with a number of channels last")
    axes = ["z", "y", "x"][-(len(shape) - 2) :]
    outputs, steps = [], [1] * len(axes)
    for signed in network.outputs:
        reach = _reach(export, signed, len(axes), div_by, overlap)
        steps = [max(pair) for pair in zip(steps, reach.stride, strict=True)]
        if min(reach.grid) < 1:
            raise ValueError(f"its output {signed.name!r} is larger than the image: expected one that is not, as StarDist's are")
        grid = dict(zip(axes, reach.grid, strict=True))
        halo = {axis: -(-n // grid[axis]) * grid[axis] for axis, n in zip(axes, reach.overlap, strict=True)}
        outputs.append(Output(id=signed.name, channels=_channels(signed, single=len(network.outputs) == 1), halo=halo, grid=grid))
    rays = sum(channel.startswith("ray") for output in outputs for channel in output.channels)
    if rays < LEAST_RAYS:
        raise ValueError(f"its network gives {rays} rays: expected at least {LEAST_RAYS}, as StarDist's do")
    recorded = {key: export.config[key] for key in ("n_dim", "axes", "n_rays", "grid", "n_classes", "anisotropy") if key in export.config}
    return describe(
        name=name,
        description=f"Star-convex objects by StarDist: a probability and distances along {rays} rays, before non-maximum suppression. "
        f"{normalisation.words()}",
        cite=[{"text": "Cell Detection with Star-Convex Polygons", "doi": "10.1007/978-3-030-00934-2_30"}],
        tags=["instance-segmentation", "object-detection", "stardist"],
        axes=[*axes, "channel"],
        channels=shape[-1],
        div_by=dict(zip(axes, steps, strict=True)),
        normalisation=normalisation,
        outputs=outputs,
        weights=weights_of(network),
        config={"stardist": {**recorded, **({"thresholds": {**export.thresholds}} if export.thresholds else {})}},
    )


def _reach(export: Export, signed: Signed, rank: int, div_by: Any, overlap: Any) -> Reach:
    if div_by is not None and overlap is not None:
        read = Reach(stride=(1,) * rank, overlap=(0,) * rank, grid=(1,) * rank)
    else:
        try:
            read = reach_of(export.network, signed.tensor, rank)
        except (ValueError, KeyError, IndexError) as error:
            words = str(error) if isinstance(error, ValueError) else f"its graph is broken ({error})"
            raise ValueError(
                f"{words}: give the divisor of sizes and the receptive field of the network, "
                f"as in div_by={[16] * rank} (--option div_by={[16] * rank}) and overlap={[96] * rank} (--option overlap={[96] * rank})"
            ) from None
    return Reach(
        stride=read.stride if div_by is None else whole_numbers(div_by, "div_by", rank, 1),
        overlap=read.overlap if overlap is None else whole_numbers(overlap, "overlap", rank, 0),
        grid=read.grid,
    )


def _channels(signed: Signed, *, single: bool) -> list[str]:
    count = signed.shape[-1] if signed.shape else -1
    if count < 1:
        raise ValueError(f"its output {signed.name!r} has no known number of channels")
    if count == 1:
        return ["probability"]
    rays = count - 1 if single else count
    return [*(["probability"] if single else []), *(f"ray{n}" for n in range(rays))]
