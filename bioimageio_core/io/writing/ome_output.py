"""OME-Zarr images as outputs: axes, channels, pixel sizes, positions, levels; version 0.4 on zarr v2, 0.5 on zarr v3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from ...axis_names import LETTER_OF, SPACE
from ...errors import InputError
from ...typing import AxisId, FrozenMapping
from ..locations import join
from .chunk_store import ArraySpec, ChunkStore
from .group_metadata import write_group
from .label_metadata import image_label
from .pyramid import Level, halved
from .unsynced_writes import remove_empty_metadata
from .write_errors import writing

__all__ = ["OmeChoice", "OmeImage", "OmeSink", "OmeVersion", "ome_axes"]

OmeVersion: TypeAlias = Literal["0.4", "0.5"]

OmeChoice: TypeAlias = Literal["auto", "0.4", "0.5", "none"]
"""A version; ``none`` for plain zarr; ``auto`` for 0.5 where it can hold an output."""

NAMED = ("time", "channel")
"""Axes that the format names by their letter and types by their name."""

ORDER = {"time": 0, "channel": 1, "z": 3, "y": 4, "x": 5}


def ome_axes(axes: Sequence[AxisId], shape: Sequence[int], *, name: str) -> tuple[int, ...]:
    """Return the axes of an OME-Zarr image, in the order that the format requires: time, channels or one other axis, z, y, x.

    Args:
        axes: Ids of the axes of the tensor.
        shape: Sizes of the axes.
        name: Name of the image, for messages.

    Returns:
        Numbers of axes; axes of size 1 that the format has no place for are left out.

    Raises:
        InputError: The format cannot hold these axes.

    """
    kept = [n for n, a in enumerate(axes) if a in ORDER or shape[n] != 1]
    strange = [axes[n] for n in kept if axes[n] not in ORDER]
    if "channel" in axes and strange and shape[list(axes).index("channel")] == 1:
        kept.remove(list(axes).index("channel"))
    others = [axes[n] for n in kept if axes[n] not in ("time", *SPACE)]
    if len(others) > 1 or "batch" in others:
        raise InputError(
            f"output {name!r} with axes {', '.join(axes)} cannot be an OME-Zarr image, which has time, channels or one other axis, "
            f"and space, and no batch: found {', '.join(others)}; store it as plain zarr, with ome='none' (--ome none)"
        )
    return tuple(sorted(kept, key=lambda n: ORDER.get(axes[n], 2)))


def _written_name(axis: AxisId) -> str:
    return LETTER_OF[axis] if axis in NAMED else axis


@attrs.frozen(kw_only=True)
class OmeImage:
    """One image of an output."""

    path: str
    """Path within the output; empty for the output itself."""

    name: str
    version: OmeVersion
    order: tuple[int, ...]
    """Numbers of the axes of the tensor, in the order of the image."""

    axes: tuple[AxisId, ...]
    dtype: str
    nearest: bool
    """Whether coarser levels take the nearest pixel instead of the mean."""

    levels: tuple[Level, ...]
    shards: tuple[int, ...] | None
    codec: str
    pixel_size: tuple[float, ...]
    units: tuple[str | None, ...]
    position: tuple[float, ...]
    """Position of the centre of the first pixel."""

    channel_names: tuple[str, ...] | None
    attributes: FrozenMapping[str, Any] = FrozenMapping()
    labels: bool = False
    """Whether its values are ids of objects."""

    @property
    def zarr_format(self) -> Literal[2, 3]:
        """Version of zarr that this version of OME-Zarr uses."""
        return 2 if self.version == "0.4" else 3

    def place(self, level: int) -> str:
        """Return the path of a level within the output."""
        return f"{self.path}/{level}".lstrip("/")

    def specs(self) -> tuple[ArraySpec, ...]:
        """Return the arrays of all levels."""
        return tuple(
            ArraySpec(
                name=self.place(n),
                shape=level.shape,
                dtype=self.dtype,
                axes=tuple(map(_written_name, self.axes)),
                chunks=level.chunks,
                shards=self.shards if n == 0 else None,
                attributes=self.attributes if n == 0 else FrozenMapping(),
                zarr_format=self.zarr_format,
                codec=self.codec,
            )
            for n, level in enumerate(self.levels)
        )

    def metadata(self, label: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the attributes of its group.

        Args:
            label: What ``image-label`` says, where it is labels; see `image_label`.

        """
        axes = []
        for axis, unit in zip(self.axes, self.units, strict=True):
            kind = "space" if axis in SPACE else axis if axis in NAMED else None
            axes.append({"name": _written_name(axis), **({"type": kind} if kind else {}), **({"unit": unit} if unit else {})})
        datasets = []
        for n, level in enumerate(self.levels):
            scale = [p * f for p, f in zip(self.pixel_size, level.factors, strict=True)]
            # The centre of the first cell of f pixels lies (f - 1) / 2 of them behind the centre of the first pixel.
            shift = 0 if self.nearest else 0.5
            position = [t + (f - 1) * shift * p for t, p, f in zip(self.position, self.pixel_size, level.factors, strict=True)]
            transformations = [{"type": "scale", "scale": scale}, {"type": "translation", "translation": position}]
            datasets.append({"path": str(n), "coordinateTransformations": transformations})
        multiscale: dict[str, Any] = {"name": self.name, "axes": axes, "datasets": datasets}
        if len(self.levels) > 1:
            multiscale["type"] = "nearest" if self.nearest else "mean"
        content: dict[str, Any] = {"multiscales": [multiscale]}
        if self.channel_names and "channel" in self.axes:
            content["omero"] = {"channels": [self._channel(n, name) for n, name in enumerate(self.channel_names)]}
        if self.labels or label is not None:
            content["image-label"] = image_label(self.version) if label is None else dict(label)
        if self.version == "0.4":
            multiscale["version"] = "0.4"
            return content
        return {"ome": {"version": "0.5", **content}}

    def _channel(self, number: int, name: str) -> dict[str, Any]:
        kind = np.dtype(self.dtype)
        most = 1.0 if kind.kind in "fb" else float(np.iinfo(kind).max)
        colour = ("FFFFFF",) if len(self.channel_names or ()) == 1 else ("FF0000", "00FF00", "0000FF", "FFFF00", "FF00FF", "00FFFF")
        window = {"min": 0.0, "max": most, "start": 0.0, "end": most}
        return {"label": name, "color": colour[number % len(colour)], "active": True, "window": window}

    def write_metadata(self, output: str, label: Mapping[str, Any] | None) -> None:
        """Make its folder a group, unless it is the output itself, which becomes a group when it is complete.

        Args:
            output: Path or URL of the output.
            label: See `metadata`.

        Raises:
            OutputError: It cannot be written.

        """
        if self.path:
            place = join(output, self.path)
            with writing(place):
                remove_empty_metadata(place)
                write_group(place, self.metadata(label), self.zarr_format)


@attrs.frozen(kw_only=True, eq=False)
class OmeSink:
    """Writes regions of a tensor to an image, and to the levels that are written with regions."""

    is_picklable = True
    store: ChunkStore
    image: OmeImage

    def write(self, start: tuple[int, ...], block: NDArray[Any]) -> None:
        """Write a region that consists of complete chunks, with the axes of the tensor."""
        order = self.image.order
        dropped = [n for n in range(block.ndim) if n not in order]
        block = block.transpose([*order, *dropped]).reshape([block.shape[n] for n in order])
        at = tuple(start[n] for n in order)
        self.store.write(self.image.place(0), at, np.ascontiguousarray(block))
        for number, level in enumerate(self.image.levels[1:], start=1):
            if not level.with_regions:
                break
            block = halved(block, level.steps, nearest=self.image.nearest)
            at = tuple(a // s for a, s in zip(at, level.steps, strict=True))
            self.store.write(self.image.place(number), at, np.ascontiguousarray(block))

    def read_level(self, number: int, start: Sequence[int], stop: Sequence[int]) -> NDArray[Any]:
        """Return a region of a level, made from the previous level."""
        level, before = self.image.levels[number], self.image.levels[number - 1]
        index = tuple(slice(a * s, min(b * s, n)) for a, b, s, n in zip(start, stop, level.steps, before.shape, strict=True))
        return halved(self.store.read(self.image.place(number - 1), index), level.steps, nearest=self.image.nearest)
